#!/bin/bash
# What README.md, docs/operator.md, the other pages and the examples show users of the operator: every YAML applies, every command
# of the first two does what stands around it, in a cluster with a node and Kafka. Root.
source "$(dirname "$0")/../lib.sh"
source "$repo/tests/kube_lib.sh"

start_kube
load_image
start_kube_broker
helm_install >"$work/install.log"

test_every_yaml_of_examples_and_documents_applies() {
	local file n=0
	for file in kafka confluent backup-system default production; do kubectl create namespace "$file" || true; done
	for file in "$repo"/README.md "$repo"/docs/*.md "$repo"/minikube/README.md "$chart/README.md"; do
		resources_of_page "$file" >"page-$(basename "$(dirname "$file")")-$(basename "$file").yaml"
	done
	for file in "$repo"/examples/*.yaml "$repo"/examples/kubernetes/*.yaml "$repo"/minikube/*/backup.yaml \
		"$repo"/tests/data/first-readme/*.yaml page-*.yaml; do
		[ -s "$file" ] || continue
		kubectl apply --dry-run=server --validate=strict -f "$file" >applied.log 2>warnings.log || fail "$file: $(cat warnings.log)"
		[ ! -s warnings.log ] || fail "$file: $(cat warnings.log)"
		n=$((n + 1))
	done
	[ "$n" -ge 20 ] || fail "only $n files"
}

# The blocks of YAML of a page that are whole resources.
resources_of_page() { # FILE
	awk '/^ *```yaml$/ { text = ""; inside = 1; next }
		/^ *```$/ { if (inside && text ~ /kind: Kafka(Backup|Restore|Offset)/) printf "---\n%s", text; inside = 0 }
		inside { text = text $0 "\n" }' "$1"
}

# The resources of the first README of this project: what they ask for and is not there yet is said, and nothing is begun.
test_first_readme_is_answered() {
	local file resource
	make_namespace first
	for file in "$repo"/tests/data/first-readme/*.yaml; do
		sed -E 's/^(  *)namespace: .*/\1namespace: first/' "$file" | apply first
	done
	for resource in $(kubectl --namespace first get kb,kr,kor -o name); do
		wait_for 60 "the status of $resource" has_condition first "$resource" Ready
		[ -n "$(field first "$resource" .status.message)" ] || fail "$resource has no message"
	done
	for resource in kb/production-backup kb/s3-backup kr/restore-orders; do
		failed_because first $resource ValidationFailed "is not supported by this version yet"
		expect_jobs first $resource 0
	done
	failed_because first kb/s3-backup ValidationFailed spec.storage.storageType
	eq Ready "$(field first kb/my-backup .status.phase)" "what waits for its tick"
	[ -n "$(field first kb/my-backup .status.nextScheduledBackup)" ] || fail "no tick is known"
	eq NotSupportedYet "$(condition first kor/reset-consumer Ready .reason)"
}

# The commands of README.md and docs/operator.md, in their order, on the resources that they speak of.
test_commands_of_readme_and_the_page_for_users() {
	kubectl get namespace kafka || kubectl create namespace kafka
	kubectl label --overwrite namespace kafka pod-security.kubernetes.io/enforce=restricted
	make_volume kafka kafka-backups
	name_the_broker kafka-bootstrap
	commands_of README.md | sed -n '/^kubectl apply -n kafka/,$p' >readme.sh
	in_kube bash -euxo pipefail readme.sh >readme.log 2>&1 || fail "$(cat readme.log)"
	contains "$(cat readme.log)" "kafkabackup.kafka.oso.sh/nightly annotated"
	wait_phase kafka kb/nightly Completed
	eq first "$(field kafka kb/nightly .status.lastRunNow)"
	fill codecs --scale 0.1 --prefix orders-
	backup_yaml orders '["orders-*"]' | apply kafka
	wait_complete kafka kb/orders
	restore_yaml orders-again orders 'topics: [orders-codec-zstd]
topicMapping: {orders-codec-zstd: again-orders}' | apply kafka
	wait_complete kafka kr/orders-again
	wait_event kafka kb/orders BackupCompleted
	local id
	id=$(field kafka kb/orders .status.backupId)
	commands_of docs/operator.md >commands.sh
	[ "$(grep -c '^ *kubectl' commands.sh)" -ge 15 ] || fail "$(cat commands.sh)"
	in_kube bash -euxo pipefail commands.sh >commands.log 2>&1 || fail "$(cat commands.log)"
	for piece in "kafkarestore.kafka.oso.sh/orders-again" "BackupCompleted" "Backup $id completed" \
		"kafkabackup.kafka.oso.sh/orders condition met" "kafkarestore.kafka.oso.sh/orders-again condition met" "KafkaRestore kafka/orders-again" \
		"kb-orders-" 'kafkabackup.kafka.oso.sh "orders" deleted'; do
		contains "$(cat commands.log)" "$piece"
	done
	[ -d "$(folder_of_claim kafka kafka-backups)/kafka/orders/sets" ] || fail "the archive is gone"
}

commands_of() { awk '/^ *```bash$/ { inside = 1; next } /^ *```$/ { inside = 0 } inside' "$repo/$1"; } # PAGE

# A service of the namespace kafka in front of the broker.
name_the_broker() { # NAME
	kubectl --namespace kafka apply -f - <<-Y
		apiVersion: v1
		kind: Service
		metadata: {name: "$1"}
		spec: {ports: [{port: 9092}]}
		---
		apiVersion: discovery.k8s.io/v1
		kind: EndpointSlice
		metadata: {name: "$1", labels: {kubernetes.io/service-name: "$1"}}
		addressType: IPv4
		ports: [{port: 19092}]
		endpoints: [{addresses: [10.244.0.1]}]
	Y
}

run_tests "$@"
