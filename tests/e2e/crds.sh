#!/bin/bash
# The CRDs in a real API server: accepted, every example passes strict validation, defaults are filled in, and what is
# wrong is refused with a message that helps. A control plane without nodes is enough.
source "$(dirname "$0")/../lib.sh"
kube=$support/kube/cluster.sh
"$kube" start "$work/kube" >/dev/null
on_leave() { "$kube" stop "$work/kube"; }
export KUBECONFIG=$work/kube/kubeconfig
PATH=$("$support/kube/install.sh")/bin:$PATH
bootstrap=kafka:9092 # nobody asks it
kubectl apply -f "$repo/deploy/crds/all.yaml" >/dev/null 2>"$work/warnings"
for namespace in kafka confluent; do kubectl create namespace $namespace >/dev/null; done
kubectl wait --for=condition=Established crd --all --timeout=60s >/dev/null

strict() { kubectl apply --dry-run=server --validate=strict -o json -f "$@"; }

# Applies the YAML on stdin and expects it to be refused with PIECE in the message.
refused() { # PIECE
	local yaml
	yaml=$(cat)
	expect_exit 1 strict - <<<"$yaml"
	contains "$output" "$1"
}

test_definitions_are_those_of_the_code() {
	diff <("$build/crdgen") "$repo/deploy/crds/all.yaml"
}

test_the_server_warns_of_nothing() {
	[ ! -s "$work/warnings" ] || fail "$(cat "$work/warnings")"
}

test_kinds_and_columns() {
	local kind
	for kind in kb kr kor korb kbv; do kubectl get "$kind"; done
	restore_yaml again one >restore.yaml
	kubectl apply -f restore.yaml
	contains "$(kubectl get kr)" "PROGRESS"
	kubectl patch kr again --subresource=status --type=merge \
		-p '{"status":{"phase":"Running","progressPercent":12.5,"conditions":[{"type":"Ready","status":"False","lastTransitionTime":"2025-12-10T12:00:00Z","reason":"Running"}]}}'
	contains "$(kubectl get kr again)" "Running"
	kubectl wait --for=condition=Ready=False kr/again --timeout=10s
}

test_examples_pass_strict_validation() {
	local file n=0
	for file in "$repo"/examples/*.yaml "$repo"/examples/kubernetes/*.yaml "$repo"/minikube/*/backup.yaml "$repo"/tests/data/first-readme/*.yaml; do
		strict "$file" >applied.json 2>strict.log || fail "$file: $(cat strict.log)"
		[ ! -s strict.log ] || fail "$file: $(cat strict.log)" # warnings of unknown fields
		n=$((n + 1))
	done
	[ "$n" -ge 19 ] || fail "only $n examples"
}

# What the API server fills in is what the program fills in by itself.
test_defaults_are_those_of_the_program() {
	backup_yaml plain '["a"]' 'checkpoint: {}
rateLimiting: {}
circuitBreaker: {}
retention: {}
metrics: {}' >backup.yaml
	local spec
	spec=$(strict backup.yaml)
	for want in '"compression": "zstd"' '"compressionLevel": 3' '"segmentMaxBytes": 134217728' '"segmentMaxIntervalMs": 60000' \
		'"intervalSecs": 30' '"maxConcurrentPartitions": 4' '"failureThreshold": 5' '"port": 9090' '"onMissingTopic": "fail"' \
		'"securityProtocol": "PLAINTEXT"' '"pollIntervalMs": 100'; do
		contains "$spec" "$want"
	done
	case $spec in *includeOffsetHeaders* | *consumerGroupSnapshot*) fail "a field without a default has one" ;; esac
}

test_what_is_wrong_is_refused() {
	backup_yaml b '[]' | refused "topics must not be empty"
	backup_yaml b '["a"]' 'continuous: true' | refused "continuous and stopAtCurrentOffsets cannot both be true"
	backup_yaml b '["a"]' 'compression: gzip' | refused "compression must be one of none, lz4, zstd"
	backup_yaml b '["a"]' 'compressionLevel: 23' | refused "compressionLevel must be between 1 and 22"
	backup_yaml b '["a"]' 'retention: {enabled: true}' | refused "needs maxAgeDays or keepLast"
	backup_yaml b '["a"]' 'metrics: {port: 70000}' | refused "spec.metrics.port"
	backup_yaml b '["a"]' 'onMissingTopic: maybe' | refused "spec.onMissingTopic"
	backup_yaml b '["a"]' 'compresion: zstd' | refused 'unknown field "spec.compresion"'
	backup_yaml b '["a"]' | sed 's/storageType: pvc/storageType: s3/' | refused "storageType s3 needs the block s3"
	backup_yaml b '["a"]' | sed 's/storageType: pvc/storageType: ftp/' | refused "storageType must be one of"
	backup_yaml b '["a"]' | sed 's/bootstrapServers: .*/bootstrapServers: ["a:1"], securityProtocol: TLS}/' |
		refused "securityProtocol must be one of"
	restore_yaml r one 'partitionMapping: {"a": "b"}' | refused "spec.partitionMapping"
	restore_yaml r one 'purgeTopics: true
existingData: append' | refused "exclude each other"
	restore_yaml r one | sed 's/backupRef: .*/backupRef: {}/' | refused "name is required unless storage is given"
	offset_reset 'resetStrategy: to-timestamp' | refused "needs resetTimestamp"
	offset_reset 'resetStrategy: offset' | refused "needs resetOffset"
	offset_reset 'resetStrategy: from-mapping' | refused "needs offsetMappingRef"
	offset_reset 'resetStrategy: sideways' | refused "spec.resetStrategy"
	offset_reset 'resetStrategy: earliest' | sed 's/consumerGroup:.*/consumerGroups: []/' | refused "at least one consumer group"
}

# An explicit null means absent, as the API that users know has it.
test_null_is_absent() {
	backup_yaml b '["a"]' 'schedule: null
retention: null
checkpoint: null' | strict -
	offset_reset 'resetStrategy: to-timestamp
resetTimestamp: null' | refused "needs resetTimestamp"
}

offset_reset() { # LINES OF spec
	cat <<-Y
		apiVersion: kafka.oso.sh/v1alpha1
		kind: KafkaOffsetReset
		metadata: {name: reset}
		spec:
		  kafkaCluster: {bootstrapServers: ["kafka:9092"]}
		  consumerGroup: orders
	Y
	sed 's/^/  /' <<<"$1"
}

run_tests "$@"
