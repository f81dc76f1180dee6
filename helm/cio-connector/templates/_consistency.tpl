{{/* "true" where a setting's variable is in extraEnv, which goes over `config`: (list . "CIO_...") */}}
{{- define "cio-connector.inEnvironment" -}}
{{- $name := index . 1 -}}
{{- range (index . 0).Values.extraEnv -}}
{{- if eq .name $name -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Settings that do not go together, with which every pod would end at once, in the words of `cio-connector check`
(connector/settings/consistency.py).
*/}}
{{- define "cio-connector.validateConsistency" -}}
{{- $config := .Values.config -}}
{{- $regions := keys $config.regions | sortAlpha -}}
{{- $configured := printf "configured are %s" (join ", " $regions) -}}
{{- if contains "://" (toString $config.kafka.bootstrap_servers) -}}
{{- fail "config.kafka.bootstrap_servers must be host:port, such as kafka:9092, without ://; TLS is security.protocol in kafka.properties" -}}
{{- end -}}
{{- range $name := $regions -}}
{{- $variable := printf "CIO_REGIONS__%s__URL" ($name | replace "-" "_" | upper) -}}
{{- $url := (default dict (get $config.regions $name)).url -}}
{{- if not (or $url (has $name (list "us" "eu")) (include "cio-connector.inEnvironment" (list $ $variable))) -}}
{{- fail (printf "config.regions.%s.url is missing; only regions named us and eu have one of their own" $name) -}}
{{- end -}}
{{- $hosts := dict "us" "track.customer.io" "eu" "track-eu.customer.io" -}}
{{- $host := regexReplaceAll "^[a-zA-Z]+://([^/:]*).*$" (toString $url) "${1}" | lower -}}
{{- range $other, $its := ternary dict $hosts (eq "true" (include "cio-connector.inEnvironment" (list $ $variable))) -}}
{{- if and (eq $host $its) (hasKey $hosts $name) (ne $name $other) -}}
{{- fail (printf "config.regions.%s.url: %s is the host of region %s, not of %s" $name $host $other $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $several := or (gt (len $config.kafka.topics) 1) (hasPrefix "^" (toString (first $config.kafka.topics))) -}}
{{- $named := or (dig "dead_letters" "topic" "" $config) (include "cio-connector.inEnvironment" (list . "CIO_DEAD_LETTERS__TOPIC")) -}}
{{- if and $several (not $named) -}}
{{- fail "config.dead_letters.topic is missing; with several topics or a pattern it must be named" -}}
{{- end -}}
{{- $default := dig "routing" "default" (ternary (first $regions) "us" (eq (len $regions) 1)) $config -}}
{{- if and $regions (not (or (has $default $regions) (include "cio-connector.inEnvironment" (list . "CIO_ROUTING__DEFAULT")))) -}}
{{- fail (printf "config.routing.default: %q is no configured region; %s" $default $configured) -}}
{{- end -}}
{{- range $index, $rule := dig "routing" "rules" list $config -}}
{{- if and $regions (not (or (has $rule.region $regions) (include "cio-connector.inEnvironment" (list $ "CIO_ROUTING__RULES")))) -}}
{{- fail (printf "config.routing.rules[%d].region: %q is no configured region; %s" $index $rule.region $configured) -}}
{{- end -}}
{{- end -}}
{{- range $region := keys .Values.perRegion.replicaCount | sortAlpha -}}
{{- if and $regions (not (has $region $regions)) -}}
{{- fail (printf "perRegion.replicaCount.%s: %q is no configured region; %s" $region $region $configured) -}}
{{- end -}}
{{- end -}}
{{- end -}}
