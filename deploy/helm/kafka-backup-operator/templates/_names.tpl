{{- define "operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* 50 characters leave room for suffixes. */ -}}
{{- define "operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "operator.serviceAccount" -}}
{{- default (ternary (include "operator.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "operator.lease" -}}
{{- default (printf "%s-leader" (include "operator.fullname" .)) .Values.leaderElection.leaseName }}
{{- end }}

{{- /* The account of workers: empty means the default one of each namespace. */ -}}
{{- define "worker.serviceAccount" -}}
{{- $azure := ternary (include "operator.serviceAccount" .) "" .Values.azureWorkloadIdentity.enabled }}
{{- default $azure .Values.worker.serviceAccount.name }}
{{- end }}

{{- /* A JSON list: the given namespaces, else the watched ones, else the release's. */ -}}
{{- define "worker.namespaces" -}}
{{- $root := index . 0 }}
{{- $given := index . 1 }}
{{- $given | default $root.Values.watchNamespaces | default (list $root.Release.Namespace) | uniq | toJson }}
{{- end }}

{{- /* OpenShift gives each namespace user ids of its own and refuses others. */ -}}
{{- define "operator.openshift" -}}
{{- $found := .Capabilities.APIVersions.Has "security.openshift.io/v1" }}
{{- or (eq .Values.openshift "enabled") (and (eq .Values.openshift "auto") $found) }}
{{- end }}

{{- define "operator.podSecurityContext" -}}
{{- if eq (include "operator.openshift" .) "true" }}
{{- omit .Values.podSecurityContext "runAsUser" "runAsGroup" "fsGroup" | toYaml }}
{{- else }}
{{- toYaml .Values.podSecurityContext }}
{{- end }}
{{- end }}

{{- /* Values that each pass the schema, but not together. */ -}}
{{- define "operator.check" -}}
{{- if and .Values.azureWorkloadIdentity.enabled (not .Values.azureWorkloadIdentity.clientId) }}
{{- fail "azureWorkloadIdentity.clientId is required when azureWorkloadIdentity.enabled is true" }}
{{- end }}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount above 1 needs leaderElection.enabled: two operators would start every run twice" }}
{{- end }}
{{- if and .Values.worker.serviceAccount.create (not (include "worker.serviceAccount" .)) }}
{{- fail "worker.serviceAccount.create needs worker.serviceAccount.name" }}
{{- end }}
{{- end }}
