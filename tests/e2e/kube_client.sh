#!/bin/bash
# src/kube against a real API server: requests, watches through crashes and compaction, leader election among processes
# that are stopped and killed. A control plane without nodes is enough.
source "$(dirname "$0")/../lib.sh"
kube=$support/kube/cluster.sh
"$kube" start "$work/kube" >/dev/null
on_leave() { "$kube" stop "$work/kube"; }
export KUBECONFIG=$work/kube/kubeconfig
PATH=$("$support/kube/install.sh")/bin:$PATH
export KUBE_CRASH_SERVER="'$kube' crash '$work/kube' kube-apiserver"
export KUBE_CRASH_ETCD="'$kube' crash '$work/kube' etcd"
export KUBE_COMPACT="'$support/kube/compact.py' '$work/kube' >'$work/revision'"
# Where a list of configmaps went on when the cluster was new, as the server writes it.
KUBE_OLD_CONTINUE=$(base64 -w0 <<<'{"v":"meta.k8s.io/v1","rv":2,"start":"a\u0000"}' | tr '+/' '-_' | tr -d =)
export KUBE_OLD_CONTINUE
kubectl apply -f "$repo/deploy/crds/all.yaml" >/dev/null
kubectl apply -f - >/dev/null <<'Y'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: odds.test.kafka-backup}
spec:
  group: test.kafka-backup
  scope: Namespaced
  names: {plural: odds, singular: odd, kind: Odd, listKind: OddList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
Y
kubectl wait --for=condition=Established crd --all --timeout=60s >/dev/null

test_requests() { "$build/kube_client_test" --source-file='*kube_client_test.cc'; }

test_reflector() { "$build/kube_client_test" --source-file='*kube_reflector_test.cc'; }

test_election() { "$build/kube_client_test" --source-file='*kube_lease_test.cc'; }

# ---- leases among processes --------------------------------------------------------------------------------

# Starts one that wants to lead: its output is in NAME.out; what is written to NAME.in it answers. Sets $pid.
holder() { # NAME SECONDS
	mkfifo "$1.in"
	: >"$1.out"
	"$build/kube_lease_holder" default "${FUNCNAME[1]//_/-}" "$1" "$2" <"$1.in" >"$1.out" 2>"$1.log" &
	pid=$!
	echo "$pid $(process_start "$pid")" >>"$work/processes"
}

lease() { kubectl get lease "${FUNCNAME[1]//_/-}" -o "jsonpath={.spec.$1}"; } # FIELD

# That many seconds lie between two times as the server writes them.
apart() { # SECONDS FROM TO
	[ "$(($(date -d "$3" +%s%N) - $(date -d "$2" +%s%N)))" -ge "$(($1 * 1000000000))" ] || fail "$2 and $3 are too near"
}

test_a_leader_that_was_killed() {
	local first renewed
	holder one 3
	first=$pid
	exec 3>one.in
	wait_for 30 "one to lead" grep -qx leads one.out
	holder two 3
	exec 4>two.in
	kill -KILL "$first"
	renewed=$(lease renewTime)
	eq one "$(lease holderIdentity)"
	wait_for 30 "two to lead" grep -qx leads two.out
	eq two "$(lease holderIdentity)"
	apart 3 "$renewed" "$(lease acquireTime)"
}

test_a_leader_that_was_stopped() {
	local first renewed
	holder one 3
	first=$pid
	exec 3>one.in
	wait_for 30 "one to lead" grep -qx leads one.out
	echo >&3
	wait_for 30 "an answer" grep -qx "may write" one.out
	holder two 3
	exec 4>two.in
	kill -STOP "$first"
	renewed=$(lease renewTime)
	wait_for 30 "two to lead" grep -qx leads two.out
	apart 3 "$renewed" "$(lease acquireTime)"
	echo >&3 # answered before anything else is known to it
	kill -CONT "$first"
	wait_for 30 "an answer" grep -qx "may not write" one.out
	wait_for 30 "one to know" grep -qx lost one.out
	eq 1 "$(grep -cx "may write" one.out)"
	eq two "$(lease holderIdentity)"
	echo >&4
	wait_for 30 "an answer" grep -qx "may write" two.out
}

# It would be waited for an hour.
test_a_leader_that_leaves() {
	holder one 3600
	exec 3>one.in
	wait_for 30 "one to lead" grep -qx leads one.out
	holder two 3600
	exec 4>two.in
	echo end >&3
	wait_for 30 "two to lead" grep -qx leads two.out
	wait_for 30 "one to end" grep -qx cancelled one.out
}

run_tests "$@"
