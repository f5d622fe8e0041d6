{{- /* What the operator does with resources and their Jobs, in the namespaces it watches. Secrets are mounted into Jobs
by Kubernetes, so the operator needs no right to read any. */ -}}
{{- define "operator.rules" -}}
- apiGroups: [kafka.oso.sh]
  resources: [kafkabackups, kafkarestores, kafkaoffsetresets, kafkaoffsetrollbacks, kafkabackupvalidations]
  verbs: [get, list, watch, patch, update]
- apiGroups: [kafka.oso.sh]
  resources:
    - kafkabackups/status
    - kafkarestores/status
    - kafkaoffsetresets/status
    - kafkaoffsetrollbacks/status
    - kafkabackupvalidations/status
  verbs: [get, patch, update]
- apiGroups: [kafka.oso.sh]
  resources:
    - kafkabackups/finalizers
    - kafkarestores/finalizers
    - kafkaoffsetresets/finalizers
    - kafkaoffsetrollbacks/finalizers
    - kafkabackupvalidations/finalizers
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, create]
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
