{{/* Made from connector/settings/properties.py by helm/generate.py. */}}
{{- define "cio-connector.holdsSecret" -}}
{{- $name := lower . -}}
{{- $secret := regexMatch `^(sasl|ssl)\.|passw|passphrase|secret|token|credential|\.key(\.|$)|jaas|oauthbearer\.config` $name -}}
{{- $shown := regexMatch `\.(location|file|path|url)$|^(sasl\.mechanism|sasl\.mechanisms|sasl\.username|sasl\.kerberos\.service\.name|sasl\.kerberos\.principal|sasl\.kerberos\.keytab|sasl\.kerberos\.min\.time\.before\.relogin|sasl\.oauthbearer\.method|sasl\.oauthbearer\.scope|sasl\.oauthbearer\.client\.id|sasl\.oauthbearer\.grant\.type|ssl\.ca\.pem|ssl\.cipher\.suites|ssl\.curves\.list|ssl\.sigalgs\.list|ssl\.endpoint\.identification\.algorithm|ssl\.providers|ssl\.ca\.certificate\.stores)$` $name -}}
{{- ternary "true" "" (and $secret (not $shown)) -}}
{{- end -}}
