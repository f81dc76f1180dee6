{{- define "cio-connector.folder" -}}
/etc/cio-connector
{{- end -}}

{{- define "cio-connector.port" -}}
{{- dig "server" "port" 8080 .Values.config -}}
{{- end -}}

{{- define "cio-connector.credentialsSecret" -}}
{{- default (printf "%s-credentials" (include "cio-connector.fullname" .)) .Values.credentials.existingSecret -}}
{{- end -}}

{{/*
The Deployments to make, as JSON: {"items": [{"name", "component", "region", "replicas", "processes", "groups"}]}. The
component tells the pods of one Deployment from those of another; region is empty where one serves all; processes is the
number that shares a workspace's rate, groups are its consumer groups.
*/}}
{{- define "cio-connector.deployments" -}}
{{- $fullname := include "cio-connector.fullname" . -}}
{{- $regions := keys .Values.config.regions | sortAlpha -}}
{{- $group := dig "kafka" "group_id" "cio-connector" .Values.config -}}
{{- $groups := list -}}
{{- range $regions -}}
{{- $groups = append $groups (printf "%s-%s" $group .) -}}
{{- end -}}
{{- $groupPerRegion := dig "kafka" "group_per_region" (gt (len $regions) 1) .Values.config -}}
{{- if not $groupPerRegion -}}
{{- $groups = list $group -}}
{{- end -}}
{{- $items := list -}}
{{- if and .Values.perRegion.enabled $groupPerRegion (gt (len $regions) 1) -}}
{{- range $index, $region := $regions -}}
{{- $replicas := dig $region $.Values.replicaCount $.Values.perRegion.replicaCount -}}
{{- $items = append $items (dict "name" (printf "%s-%s" $fullname $region) "component" (printf "connector-%s" $region) "region" $region "replicas" $replicas "groups" (list (index $groups $index))) -}}
{{- end -}}
{{- else -}}
{{- $items = append $items (dict "name" $fullname "component" "connector" "region" "" "replicas" .Values.replicaCount "groups" $groups) -}}
{{- end -}}
{{- range $items -}}
{{- $_ := set . "processes" (ternary $.Values.autoscaling.maxReplicas .replicas $.Values.autoscaling.enabled) -}}
{{- end -}}
{{- dict "items" $items | toJson -}}
{{- end -}}

{{/* The connector's configuration file: `config`, with each region's credential files filled in. */}}
{{- define "cio-connector.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- range $name, $region := $config.regions -}}
{{- $region = default dict $region -}}
{{- range $credential, $key := dict "site_id" "site-id" "api_key" "api-key" -}}
{{- $file := printf "%s_file" $credential -}}
{{- if not (or (hasKey $region $credential) (hasKey $region $file)) -}}
{{- $_ := set $region $file (printf "%s/credentials/%s.%s" (include "cio-connector.folder" $) $name $key) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $config.regions $name $region -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* What the schema of the values cannot say. */}}
{{- define "cio-connector.validate" -}}
{{- $config := .Values.config -}}
{{- if not $config.kafka.bootstrap_servers -}}
{{- fail "config.kafka.bootstrap_servers is missing: name the brokers, such as kafka:9092" -}}
{{- end -}}
{{- if not $config.kafka.topics -}}
{{- fail "config.kafka.topics is missing: name the topics to read, such as [customer-events]" -}}
{{- end -}}
{{- if not $config.regions -}}
{{- fail "config.regions is missing: name the Customer.io workspaces, such as us: {}" -}}
{{- end -}}
{{- range $name, $region := $config.regions -}}
{{- $region = default dict $region -}}
{{- if $region.api_key -}}
{{- fail (printf "config.regions.%s.api_key would be readable in a ConfigMap: use credentials.existingSecret or credentials.regions.%s" $name $name) -}}
{{- end -}}
{{- if regexMatch "://[^/]*@" (toString $region.url) -}}
{{- fail (printf "config.regions.%s.url must hold no credentials, which would be readable in a ConfigMap: use credentials.existingSecret or credentials.regions.%s" $name $name) -}}
{{- end -}}
{{- if not (or $.Values.credentials.existingSecret (hasKey $.Values.credentials.regions $name) $region.api_key_file) -}}
{{- fail (printf "region %s has no credentials: set credentials.existingSecret, credentials.regions.%s or config.regions.%s.api_key_file" $name $name $name) -}}
{{- end -}}
{{- end -}}
{{- $maps := dict "kafka" $config.kafka.properties "dead_letters" (default dict $config.dead_letters).properties -}}
{{- range $section, $properties := $maps -}}
{{- range $property, $value := default dict $properties -}}
{{- if or (include "cio-connector.holdsSecret" $property) (regexMatch "://[^/]*@" (toString $value)) -}}
{{- fail (printf "config.%s.properties.%s would be readable in a ConfigMap: set CIO_%s__PROPERTIES__%s in extraEnv from a Secret" $section $property (upper $section) ($property | replace "." "_" | upper)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if contains "@" (toString (default dict $config.http).proxy) -}}
{{- fail "config.http.proxy with user and password would be readable in a ConfigMap: set CIO_HTTP__PROXY in extraEnv from a Secret" -}}
{{- end -}}
{{- if $config.kafka.group_instance_id -}}
{{- fail "config.kafka.group_instance_id would be the same for every pod, and each would end the others: pods of a Deployment have no lasting names" -}}
{{- end -}}
{{- if hasKey (default dict $config.delivery) "requests_per_second" -}}
{{- fail "config.delivery.requests_per_second is for one process: set requestsPerSecond, which the chart divides by the replicas" -}}
{{- end -}}
{{- if eq (dig "server" "enabled" true $config) false -}}
{{- fail "config.server.enabled: false would leave the probes nothing to ask" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- if lt (int .Values.autoscaling.maxReplicas) (int .Values.autoscaling.minReplicas) -}}
{{- fail "autoscaling.maxReplicas is less than autoscaling.minReplicas" -}}
{{- end -}}
{{- range $config.kafka.topics -}}
{{- if hasPrefix "^" . -}}
{{- fail (printf "autoscaling needs topics by name: KEDA cannot read the lag of the pattern %s" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $drain := dig "drain_deadline_seconds" 25 $config -}}
{{- if gt (addf (float64 $drain) 5) (float64 .Values.terminationGracePeriodSeconds) -}}
{{- fail (printf "terminationGracePeriodSeconds (%v) must be 5 or more longer than config.drain_deadline_seconds (%v)" .Values.terminationGracePeriodSeconds $drain) -}}
{{- end -}}
{{- include "cio-connector.validateConsistency" . -}}
{{- end -}}
