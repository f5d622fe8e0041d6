{{- /* The operator's environment. What extraEnv names is left to it: the API server refuses no name given twice, but
server-side apply does. */ -}}
{{- define "operator.env" -}}
{{- $env := list }}
{{- $env = append $env (dict "name" "OPERATOR_NAMESPACE" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.namespace"))) }}
{{- $env = append $env (dict "name" "HOSTNAME" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name"))) }}
{{- $values := list
  "RUST_LOG" .Values.logging.level
  "LOG_FORMAT" .Values.logging.format
  "METRICS_MAX_PARTITION_LABELS" (int .Values.metrics.maxPartitionLabels | toString)
  "WATCH_NAMESPACES" (join "," .Values.watchNamespaces)
  "WORKER_IMAGE" (include "operator.image" .)
  "WORKER_IMAGE_PULL_POLICY" .Values.image.pullPolicy
  "WORKER_IMAGE_PULL_SECRETS" (include "operator.pullSecretNames" .)
  "WORKER_RESOURCES" (toJson .Values.worker.resources)
  "WORKER_FS_GROUP" (ternary "" "65532" (eq (include "operator.openshift" .) "true"))
  "WORKER_SERVICE_ACCOUNT" (include "worker.serviceAccount" .)
  "LEADER_ELECTION_ENABLED" (toString .Values.leaderElection.enabled)
  "LEADER_ELECTION_LEASE_NAME" (include "operator.lease" .)
  "LEADER_ELECTION_LEASE_DURATION" .Values.leaderElection.leaseDuration
  "LEADER_ELECTION_RENEW_DEADLINE" .Values.leaderElection.renewDeadline
  "LEADER_ELECTION_RETRY_PERIOD" .Values.leaderElection.retryPeriod
}}
{{- range $pair := chunk 2 $values }}
{{- $env = append $env (dict "name" (index $pair 0) "value" (index $pair 1)) }}
{{- end }}
{{- $own := list }}
{{- range .Values.extraEnv }}{{ $own = append $own .name }}{{ end }}
{{- $all := list }}
{{- range $env }}{{ if not (has .name $own) }}{{ $all = append $all . }}{{ end }}{{ end }}
{{- concat $all .Values.extraEnv | toYaml }}
{{- end }}

{{- define "operator.pullSecretNames" -}}
{{- $names := list }}
{{- range .Values.imagePullSecrets }}{{ $names = append $names .name }}{{ end }}
{{- join "," $names }}
{{- end }}
