#!/bin/bash
# The Helm chart and the plain manifests in a real API server, with Helm 3 and Helm 4. There is no node: what a pod would do
# is not seen here, what the API server thinks of it is. NetworkPolicies are checked, but nothing here enforces them.
source "$(dirname "$0")/../lib.sh"
kube=$support/kube/cluster.sh
"$kube" start "$work/kube" >/dev/null
on_leave() { "$kube" stop "$work/kube"; }
export KUBECONFIG=$work/kube/kubeconfig
PATH=$("$support/kube/install.sh")/bin:$PATH
helm4=$(command -v helm) helm3=$("$support/helm3.sh")
export HELM=$helm4:$helm3 HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm
chart=$repo/deploy/helm/kafka-backup-operator
kubectl apply --server-side -f "$("$support/prometheus_crds.sh")" >/dev/null
for namespace in kafka orders home; do kubectl create namespace $namespace >/dev/null; done

crd=crd/kafkabackups.kafka.oso.sh
may() { kubectl auth can-i --quiet "${@:2}" --as "system:serviceaccount:$1"; } # NAMESPACE:ACCOUNT VERB RESOURCE...
may_not() { expect_exit 1 kubectl auth can-i --quiet "${@:2}" --as "system:serviceaccount:$1"; }

rendered() { helm template release "$chart" --namespace "$@"; } # NAMESPACE OPTIONS...

# Expects that the API server takes what is on stdin without a warning.
accepted() {
	kubectl apply --dry-run=server --validate=strict -f - >accepted.log 2>warnings.log || fail "$(cat warnings.log)"
	[ ! -s warnings.log ] || fail "$(cat warnings.log)"
}

# Turns the Deployment of the manifests on stdin into one pod of it.
pod_of_deployment() { # NAMESPACE
	python3 -c '
import sys, yaml
for o in yaml.safe_load_all(sys.stdin):
    if o and o["kind"] == "Deployment":
        pod = o["spec"]["template"]
        pod["metadata"].update(name="pod", namespace=sys.argv[1])
        pod["spec"]["serviceAccountName"] = "default"
        pod["spec"].pop("priorityClassName", None)
        print(yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", **pod}))' "$1"
}

test_charts_are_clean() {
	local helm values
	for helm in "$helm3" "$helm4"; do
		for values in "$chart"/ci/*-values.yaml; do "$helm" lint --strict "$chart" -f "$values"; done
		"$helm" package "$chart" --destination package
	done
	eq "$(cat "$repo/deploy/crds/all.yaml")" "$(tar -xzOf package/*.tgz kafka-backup-operator/files/crds.yaml)" "CRDs in the package"
}

test_what_it_renders() { "$repo/tests/packaging_test.py"; }

test_alerts_fire_when_they_should_and_only_then() {
	local promtool
	promtool=$("$support/promtool.sh")
	"$promtool" check rules "$chart/files/alerts.yaml"
	"$promtool" test rules "$repo/tests/alerts/failing.yaml" "$repo/tests/alerts/quiet.yaml"
}

test_every_object_passes_strict_validation() {
	local values
	kubectl wait --for=condition=Established crd --all --timeout=60s
	for values in "$chart"/ci/*-values.yaml; do rendered home -f "$values" | accepted; done
	rendered home -f "$chart/ci/full-values.yaml" | sed 's/scrapeTimeout:/scrapeTimeuot:/' >misspelt.yaml
	expect_exit 1 kubectl apply --dry-run=server --validate=strict -f misspelt.yaml
	contains "$output" 'unknown field "spec.endpoints[0].scrapeTimeuot"'
}

# The whole life of a release: install, an upgrade that changes a CRD, uninstall, and back again with its resources there.
life_of_a_release() { # HELM
	local helm=$1
	cp -r "$chart" "next-$(basename "$(dirname "$helm")")"
	local next=$PWD/next-$(basename "$(dirname "$helm")")
	sed -i 's/    - name: Phase$/    - name: Added\n      type: string\n      jsonPath: .status.backupId\n&/' "$next/files/crds.yaml"
	sed -i 's/^version: .*/version: 0.2.0/' "$next/Chart.yaml"
	"$helm" install release "$chart" --namespace home >notes.log
	contains "$(cat notes.log)" 'schedule: "0 2 * * *"'
	kubectl wait --for=condition=Established $crd --timeout=60s
	case $(kubectl get $crd -o yaml) in *"name: Added"*) fail "the CRD is the next one already" ;; esac
	follow_notes notes.log
	kubectl --namespace kafka get kafkabackup nightly
	"$helm" upgrade release "$next" --namespace home
	contains "$(kubectl get $crd -o yaml)" "name: Added"
	kubectl wait --for=jsonpath='{.metadata.labels.helm\.sh/chart}'=kafka-backup-operator-0.2.0 $crd --timeout=10s
	"$helm" upgrade release "$next" --namespace home --set crds.install=false
	kubectl get $crd
	"$helm" upgrade release "$next" --namespace home
	"$helm" uninstall release --namespace home
	kubectl get deployments --all-namespaces -o name | grep release && fail "the operator is still there"
	kubectl --namespace kafka get kafkabackup nightly
	"$helm" install release "$next" --namespace home
	kubectl --namespace kafka get kafkabackup nightly
	uninstall_with_crds "$helm" "$next"
}

# An API server that has just changed a CRD deletes it only after the kind was asked for, or much later.
uninstall_with_crds() { # HELM CHART
	"$1" upgrade release "$2" --namespace home --set crds.keep=false
	wait_for 30 "the kinds to be served" kubectl get kb,kr,kor,korb,kbv --all-namespaces
	"$1" uninstall release --namespace home
	wait_for 120 "the CRDs to go" no_crds
}

no_crds() { [ -z "$(kubectl get crd -o name | grep kafka.oso.sh)" ]; }

# Does what NOTES.txt shows, as somebody would who copies it from the terminal.
follow_notes() { bash -euo pipefail <(sed -n "/^kubectl apply.*<<'END'/,/^END/p" "$1"); } # FILE

test_upgrades_reach_the_crds() {
	life_of_a_release "$helm4"
	life_of_a_release "$helm3"
}

# CRDs that were there before, as the Rust operator's chart leaves them.
test_crds_of_others_are_taken_over_when_asked() {
	local helm
	for helm in "$helm4" "$helm3"; do
		kubectl apply --server-side -f "$repo/deploy/crds/all.yaml"
		expect_exit 1 "$helm" install release "$chart" --namespace home
		contains "$output" "invalid ownership metadata"
		"$helm" install release "$chart" --namespace home --take-ownership
		uninstall_with_crds "$helm" "$chart"
	done
}

test_pods_satisfy_pod_security_restricted() {
	local values
	kubectl create namespace restricted
	kubectl label namespace restricted pod-security.kubernetes.io/enforce=restricted
	wait_for 30 "a service account" kubectl --namespace restricted get serviceaccount default
	for values in "$chart"/ci/*-values.yaml; do rendered restricted -f "$values" | pod_of_deployment restricted | accepted; done
	pod_of_deployment restricted <"$repo/deploy/operator/40-deployment.yaml" | accepted
	rendered restricted --set podSecurityContext.runAsNonRoot=false | pod_of_deployment restricted >pod.yaml
	expect_exit 1 kubectl apply --dry-run=server -f pod.yaml
	contains "$output" 'violates PodSecurity "restricted'
}

# What the operator does everywhere it watches.
has_the_operators_rights() { # ACCOUNT NAMESPACE
	local kind
	for kind in kafkabackups kafkarestores kafkaoffsetresets kafkaoffsetrollbacks kafkabackupvalidations; do
		may "$1" watch "$kind.kafka.oso.sh" --namespace "$2"
		may "$1" patch "$kind.kafka.oso.sh" --subresource=status --namespace "$2"
		may "$1" update "$kind.kafka.oso.sh" --subresource=finalizers --namespace "$2"
		may_not "$1" delete "$kind.kafka.oso.sh" --namespace "$2"
	done
	may "$1" create jobs.batch --namespace "$2"
	may "$1" delete jobs.batch --namespace "$2"
	may "$1" list pods --namespace "$2"
	may "$1" create persistentvolumeclaims --namespace "$2"
	may "$1" create events --namespace "$2"
	may "$1" create events.events.k8s.io --namespace "$2"
}

# What nobody should find the operator able to do, wherever it watches.
has_no_more_rights() { # ACCOUNT NAMESPACE
	local verb
	for verb in get list watch create; do may_not "$1" $verb secrets --namespace "$2"; done
	may_not "$1" create pods --namespace "$2"
	may_not "$1" create pods --subresource=exec --namespace "$2"
	may_not "$1" create serviceaccounts --subresource=token --namespace "$2"
	may_not "$1" create roles.rbac.authorization.k8s.io --namespace "$2"
	may_not "$1" delete persistentvolumeclaims --namespace "$2"
	may_not "$1" get leases.coordination.k8s.io --namespace "$2"
}

test_rights_of_the_operator() {
	local account=home:release-kafka-backup-operator
	helm install release "$chart" --namespace home
	has_the_operators_rights $account kafka
	has_no_more_rights $account kafka
	may $account create leases.coordination.k8s.io --namespace home
	may $account update leases.coordination.k8s.io/release-kafka-backup-operator-leader --namespace home
	may_not $account update leases.coordination.k8s.io/of-others --namespace home
	may $account get namespaces/kube-system
	may_not $account get namespaces/kafka
	helm upgrade release "$chart" --namespace home --set 'watchNamespaces={kafka}'
	has_the_operators_rights $account kafka
	has_no_more_rights $account kafka
	may_not $account get kafkabackups.kafka.oso.sh --namespace orders
	may_not $account create jobs.batch --namespace orders
	may_not $account list pods --namespace home
	may $account get namespaces/kube-system
	uninstall_with_crds helm "$chart"
}

test_rights_of_people() {
	local role
	helm install release "$chart" --namespace home
	for role in view edit admin; do kubectl --namespace kafka create rolebinding $role --clusterrole=$role --serviceaccount=kafka:$role; done
	wait_for 30 "the roles to be aggregated" may kafka:admin patch kafkabackups.kafka.oso.sh --subresource=status --namespace kafka
	may kafka:view get kafkarestores.kafka.oso.sh --namespace kafka
	may_not kafka:view create kafkarestores.kafka.oso.sh --namespace kafka
	may kafka:edit create kafkarestores.kafka.oso.sh --namespace kafka
	may kafka:edit get kafkarestores.kafka.oso.sh --namespace kafka
	may_not kafka:edit patch kafkarestores.kafka.oso.sh --subresource=status --namespace kafka
	may kafka:admin delete kafkarestores.kafka.oso.sh --namespace kafka
	may_not kafka:admin get kafkarestores.kafka.oso.sh --namespace orders
	uninstall_with_crds helm "$chart"
}

test_plain_manifests() {
	local account=kafka-backup-system:kafka-backup-operator
	kubectl apply --server-side -f "$repo/deploy/crds/all.yaml"
	kubectl apply --validate=strict -f "$repo/deploy/operator" 2>warnings.log
	[ ! -s warnings.log ] || fail "$(cat warnings.log)"
	has_the_operators_rights $account orders
	has_no_more_rights $account orders
	wait_for 30 "a pod" kubectl --namespace kafka-backup-system wait pod -l app.kubernetes.io/component=controller --for=create --timeout=1s
	kubectl delete -f "$repo/deploy/operator" --wait=false
	kubectl delete -f "$repo/deploy/crds/all.yaml" --wait=false
}

run_tests "$@"
