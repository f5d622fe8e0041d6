#!/bin/bash
# The operator as its chart installs it, in pods of a real node: the image, the rights, two replicas. Root.
source "$(dirname "$0")/../lib.sh"
kube=$support/kube/cluster.sh
"$support/kube/install.sh" --node >/dev/null
PATH=$("$support/kube/install.sh")/bin:$PATH
"$kube" start --node "$work/kube" >/dev/null
on_leave() { "$kube" stop "$work/kube"; }
export HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm
chart=$repo/deploy/helm/kafka-backup-operator
home=kafka-backup-system
image=(--set image.repository=kafka-backup-operator,image.tag=test)

inside() { "$kube" exec "$work/kube" "$@"; }
kubectl_home() { inside kubectl --namespace $home "$@"; }

"$support/image.sh" "$work/image.tar" "$build"
"$kube" load "$work/kube" "$work/image.tar" >/dev/null
for namespace in $home kafka orders; do inside kubectl create namespace $namespace >/dev/null; done
inside kubectl label namespace $home pod-security.kubernetes.io/enforce=restricted >/dev/null
inside helm install operator "$chart" --namespace $home "${image[@]}" --set replicaCount=2,fullnameOverride=operator >/dev/null
kubectl_home rollout status deployment/operator --timeout=90s >/dev/null

logs() { kubectl_home logs --selector app.kubernetes.io/component=controller --tail=-1; }
no_refusals() { case $(logs) in *forbidden* | *": 403 "*) fail "$(logs | grep -E 'forbidden|: 403 ')" ;; esac }
leader() { kubectl_home get lease operator-leader -o jsonpath='{.spec.holderIdentity}' | sed 's/_[^_]*$//'; } # a pod

metrics_of() { # POD: what it serves, at its own address
	inside curl -sSf "http://$(kubectl_home get pod "$1" -o jsonpath='{.status.podIP}'):8080/metrics"
}

backup() { # NAMESPACE NAME
	bootstrap=kafka:9092 backup_yaml "$2" '["a"]' 'suspend: true' | inside kubectl --namespace "$1" apply -f -
}

seen() { [ -n "$(inside kubectl --namespace "$1" get kafkabackup "$2" -o jsonpath='{.status.observedGeneration}')" ]; } # NAMESPACE NAME

test_one_of_two_replicas_leads_and_another_takes_over() {
	local first
	wait_for 30 "a leader" kubectl_home wait pod "$(leader)" --for=condition=Ready
	first=$(leader)
	eq "0 1" "$(for pod in $(kubectl_home get pods -o name); do metrics_of "${pod#pod/}" | sed -n 's/^kafka_backup_operator_leader{.*} //p'; done | sort | xargs)" "leaders"
	kubectl_home delete pod "$first"
	wait_for 60 "another leader" another_leader_than "$first"
	kubectl_home rollout status deployment/operator --timeout=60s
	no_refusals
}

another_leader_than() { [ -n "$(leader)" ] && [ "$(leader)" != "$1" ]; } # POD

test_it_acts_in_all_namespaces_without_being_refused() {
	backup kafka everywhere
	wait_for 30 "the operator to look at it" seen kafka everywhere
	no_refusals
}

# The names that alerts and dashboard use are those of the page, which is written by the code that exports them.
test_metrics_are_well_formed_and_those_of_the_page() {
	local name
	backup kafka measured
	wait_for 30 "the operator to look at it" seen kafka measured
	metrics_of "$(leader)" >metrics
	"$("$support/promtool.sh")" check metrics <metrics || fail "promtool"
	for name in $(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' metrics); do
		grep -q "\`$name\`" "$repo/docs/reference/metrics.md" || fail "$name is not on the page"
	done
	contains "$(cat metrics)" 'kafka_backup_suspended{resource_namespace="kafka",name="measured"} 1'
}

test_it_acts_in_watched_namespaces_only() {
	inside helm upgrade operator "$chart" --namespace $home "${image[@]}" \
		--set replicaCount=2,fullnameOverride=operator,watchNamespaces={orders}
	kubectl_home rollout status deployment/operator --timeout=90s
	backup kafka elsewhere
	backup orders watched
	wait_for 60 "the operator to look at it" seen orders watched
	seen kafka elsewhere && fail "it acted in a namespace that it does not watch"
	no_refusals
}

run_tests "$@"
