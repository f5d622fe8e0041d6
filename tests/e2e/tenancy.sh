#!/bin/bash
# What a tenant may try against others: tests/tenancy_test.py, against a real control plane and the operator with the rights
# that the chart gives it. There is no node: what a worker does with links on a volume is in tests/cli_test.py.
source "$(dirname "$0")/../lib.sh"
kube=$support/kube/cluster.sh
"$kube" start "$work/kube" >/dev/null
on_leave() { "$kube" stop "$work/kube"; }
export KUBECONFIG=$work/kube/kubeconfig
PATH=$("$support/kube/install.sh")/bin:$PATH
export HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm
system=kafka-backup-system operator=kafka-backup-operator
helm install $operator "$repo/deploy/helm/kafka-backup-operator" --namespace $system --create-namespace >"$work/helm.log" 2>&1
kubectl wait --for=condition=Established crd --all --timeout=60s >/dev/null

# As in a pod: the account's token, and nothing else.
sed "s/token: [0-9a-f]*/token: $(kubectl create token $operator -n $system --duration=4h)/" "$KUBECONFIG" >"$work/operator.kubeconfig"
port=$(shuf -i 20000-30000 -n 1)
KUBECONFIG=$work/operator.kubeconfig background "$work/operator.log" "$build/kafka-backup-operator" --worker-image worker:test \
	--namespace $system --metrics-address "127.0.0.1:$port" --log-format text
ready() { curl -sf "http://127.0.0.1:$port/readyz" | grep -q leader; }
wait_for 60 "the operator" ready
all_passed=0
code=0
"$repo/tests/tenancy_test.py" --operator "$pid" \
	--operator-kubeconfig "$work/operator.kubeconfig" "$@" || code=$?
[ $code != 0 ] || all_passed=1
exit $code
