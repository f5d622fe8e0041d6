#!/bin/bash
# The operator killed, stopped, woken and upgraded, workers killed and evicted, the cluster's programs crashed, at random
# instants: no run is lost, doubled or lied about. KILLS (5) is how often each happens; `make torture` sets 30. Root.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../kube_lib.sh"
KILLS=${KILLS:-5}
start_kube
start_kube_broker
load_image
kubectl apply -f "$repo/deploy/crds/all.yaml" >/dev/null
kubectl create namespace home >/dev/null # of the Lease of operators outside of pods
quickly="backoffLimit: 100
podTemplate: {resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 256Mi}}}"
often='checkpoint: {intervalSecs: 1}
segmentMaxBytes: 1000000'
many_runs='successfulJobsHistoryLimit: 1000
failedJobsHistoryLimit: 1000'

# ---- operators outside of pods -----------------------------------------------------------------------------

operators=0
# Sets operator (its process) and operator_log. It leads within 3 seconds of the death of another one.
start_operator() {
	operators=$((operators + 1)) operator_log=$work/operator.$operators.log
	background "$operator_log" env PATH="$kube_tools:$PATH" "$support/kube/cluster.sh" exec "$kube_dir" \
		"$build/kafka-backup-operator" --worker-image kafka-backup-operator:test --namespace home \
		--identity "operator-$operators" --metrics-address "127.0.0.1:$((18000 + operators))" \
		--lease-duration 3s --renew-deadline 2s --retry-period 500ms --log-format text
	operator=$pid
	trap 'end_operators' EXIT
}
end_operators() {
	local process
	for process in $(jobs -p); do kill -KILL "$process" || true; done
} 2>/dev/null
leads() { grep -q ' leads$' "$operator_log"; }
holder() { kubectl -n home get lease kafka-backup-operator-leader -o 'jsonpath={.spec.holderIdentity}'; }
seconds_up_to() { printf '%d.%03d' $((RANDOM % $1)) $((RANDOM % 1000)); } # SECONDS

# ---- work --------------------------------------------------------------------------------------------------

# A namespace with a claim, topics that take some seconds to read, an archive of them, and a schedule of every 10 seconds.
make_work() { # NAMESPACE
	make_namespace "$1"
	make_claim "$1" kafka-backups
	folder=$(folder_of_claim "$1" kafka-backups)
	fill bulk --prefix "$1-" --topic bulk --bytes 12M --partitions 6 --incompressible
	fill codecs headers --prefix "$1-" --scale 0.1
	dump --prefix "$1-" --isolation read_committed --output source.dump
	watch_jobs "$1"
	backup_yaml base "[\"$1-*\"]" "$quickly" | apply "$1"
	backup_yaml ticks "[\"$1-codec*\"]" "$quickly
$many_runs
schedule: '*/10 * * * * *'" | apply "$1"
	backup_yaml late "[\"$1-bulk\"]" "$quickly
$many_runs
schedule: '*/10 * * * * *'
rateLimiting: {bytesPerSec: 1000000}" | apply "$1" # its first run takes more than one tick
}
watch_jobs() { # NAMESPACE
	background "$PWD/watched.json" bash -c 'cd "$1" && while :; do "${@:2}" || sleep 0.2; done' - / \
		env PATH="$kube_tools:$PATH" "$support/kube/cluster.sh" exec "$kube_dir" \
		kubectl -n "$1" get jobs --watch --output-watch-events -o json
}
slow='rateLimiting: {bytesPerSec: 3000000}'
one_shot() { backup_yaml "$2" "[\"$1-*\"]" "$quickly
$often
$slow" | apply "$1"; } # NAMESPACE NAME
sharded() { backup_yaml "$2" "[\"$1-*\"]" "$quickly
workers: 3
$often
$slow" | apply "$1"; }
# Into topics of its own, called NAME-...
restored() { # NAMESPACE NAME [MORE LINES OF spec]
	restore_yaml "$2" base "topicMapping: {$(topics_to "$1" "$2" ': ' ', ')}
${3:-$quickly}
$slow" | apply "$1"
}
# Each topic of a namespace and what it is called in NAME: "orders-bulk=NAME-bulk orders-codec=NAME-codec", for = and a blank.
topics_to() { # NAMESPACE NAME BETWEEN-NAMES BETWEEN-PAIRS
	topics list "$1-" | awk -v from="$1-" -v to="$2-" -v between="$3" -v and="$4" \
		'{printf "%s%s%s%s", separator, $1, between, to substr($1, length(from) + 1); separator = and}'
}

begin_something() { # NAMESPACE NUMBER
	case $(($2 % 3)) in
	0) restored "$1" "again-$1-$2" ;;
	1) sharded "$1" "sharded-$2" ;;
	2) one_shot "$1" "once-$2" ;;
	esac
}

# ---- what happens to workers and programs ------------------------------------------------------------------

worker_pods() { kubectl -n "$1" get pods --field-selector=status.phase=Running -o name; } # NAMESPACE
# The processes of the workers of this cluster, by its control group.
worker_processes() {
	local pid
	for pid in $(pgrep -f '^/usr/local/bin/kafka-backup worker'); do
		! grep -q "kube-test-$(stat -c %i "$kube_dir")/" "/proc/$pid/cgroup" || echo "$pid"
	done
}
evict() { # NAMESPACE pod/NAME
	kubectl create --raw "/api/v1/namespaces/$1/pods/${2#pod/}/eviction" -f - \
		<<<"{\"apiVersion\": \"policy/v1\", \"kind\": \"Eviction\", \"metadata\": {\"name\": \"${2#pod/}\", \"namespace\": \"$1\"}}"
}
# Whom it hits may have ended meanwhile.
disturb() { # NAMESPACE NUMBER
	local pod
	pod=$(worker_pods "$1" | shuf -n 1) || true
	case $(($2 % 7)) in
	0) [ -z "$pod" ] || kubectl -n "$1" delete "$pod" --grace-period=0 --force || true ;;
	1) worker_processes | shuf -n 1 | xargs -r kill -KILL || true ;;
	2) [ -z "$pod" ] || evict "$1" "$pod" || true ;;
	3) crash kube-apiserver ;;
	4) crash kubelet ;;
	5) crash etcd ;;
	6) crash containerd ;;
	esac
}
crash() { # PROGRAM
	echo "crash of $1"
	wait_for 60 "$1 to be there" "$support/kube/cluster.sh" crash "$kube_dir" "$1" # it may just be starting again
	wait_for 60 "the API server" kubectl get --raw /readyz
}

# ---- what has to hold --------------------------------------------------------------------------------------

all_ended() { # NAMESPACE
	local phases ends
	phases=$(kubectl -n "$1" get kb,kr -o 'jsonpath={range .items[*]}{.status.phase}{.status.currentRun.job}{"\n"}{end}') || return 1
	ends=$(kubectl -n "$1" get jobs \
		-o 'jsonpath={range .items[*]}{.status.conditions[?(@.status=="True")].type}{"\n"}{end}') || return 1
	! grep -qvxE 'Completed|Failed' <<<"$phases" && ! grep -qvE 'Complete|Failed' <<<"$ends"
}

nothing_lost_doubled_or_lied_about() { # NAMESPACE
	local restore maps
	kubectl -n "$1" patch kb ticks late --type=merge -p '{"spec": {"suspend": true}}'
	kubectl -n "$1" wait kb/ticks kb/late --for=condition=Suspended --timeout=120s # from now on nothing begins
	wait_for 300 "the end of everything" all_ended "$1"
	in_kube "$support/kube/check_runs.py" watched.json "$1" "$folder" | tee -a "$work/numbers"
	"$KAFKA_BACKUP" verify --deep --volumes "$(dirname "$folder")" >verify.log 2>&1 || fail "verify: $(tail -5 verify.log)"
	for restore in $(kubectl -n "$1" get kr -o 'jsonpath={.items[*].metadata.name}'); do
		dump --prefix "$restore-" --isolation read_committed --output "$restore.dump"
		read -ra maps <<<"$(topics_to "$1" "$restore" = ' ')"
		compare source.dump "$restore.dump" --quiet "${maps[@]/#/--map=}"
	done
}

# ---- tests -------------------------------------------------------------------------------------------------

test_operator_killed_and_workers_and_cluster_disturbed() {
	local kill
	start_operator
	make_work killed
	wait_phase killed kb/base Completed
	for ((kill = 1; kill <= KILLS; kill++)); do
		wait_for 60 "a leader" leads
		begin_something killed "$kill"
		sleep "$(seconds_up_to 6)"
		kill -KILL "$operator"
		[ $((kill % 4)) != 3 ] || disturb killed $((kill / 4)) # while nobody looks
		start_operator
		disturb killed "$kill"
	done
	deleted_and_applied_again killed
	nothing_lost_doubled_or_lied_about killed
}
# In the middle of its run, which goes with it; the new one goes on with its archive.
deleted_and_applied_again() { # NAMESPACE
	one_shot "$1" renewed
	wait_for 60 "a segment of it" compgen -G "$folder/$1/renewed/segments/*/*"
	kubectl -n "$1" delete kb renewed --wait
	one_shot "$1" renewed
}

# Of two operators the leader is stopped for longer than its lease, at any instant, and woken when the
# other one leads.
test_leader_stopped_and_woken() {
	local round log pids=() logs=()
	for round in 0 1; do
		start_operator
		pids+=("$operator") logs+=("$operator_log")
	done
	make_work stopped
	wait_phase stopped kb/base Completed
	for ((round = 1; round <= KILLS; round++)); do
		begin_something stopped "$round"
		sleep "$(seconds_up_to 5)"
		stop_and_wake
	done
	nothing_lost_doubled_or_lied_about stopped
	contains "$(cat "${logs[@]}")" "leadership is lost"
}
stop_and_wake() {
	local before leader=0
	before=$(holder)
	grep -q "$before leads" "${logs[0]}" || leader=1
	kill -STOP "${pids[leader]}"
	wait_for 60 "another leader" another_holds "$before"
	sleep "$(seconds_up_to 2)"
	kill -CONT "${pids[leader]}"
}
another_holds() { case $(holder) in "$1" | "") return 1 ;; esac; }

test_evicted_restore_goes_on() {
	local pod
	start_operator
	make_work evicted
	wait_phase evicted kb/base Completed
	restored evicted moved 'podTemplate: {}' # no attempt may fail: backoffLimit is 0
	wait_for 60 "the first records" has_records moved-
	pod=$(pods_of evicted kr/moved)
	evict evicted "$pod"
	wait_phase evicted kr/moved Completed
	[ "$(pods_of evicted kr/moved)" != "$pod" ] || fail "$pod was not evicted"
	contains "$(kubectl -n evicted logs "$(pods_of evicted kr/moved)")" "complete, resumed"
	nothing_lost_doubled_or_lied_about evicted
}
has_records() { [ "$(dump --prefix "$1" --output count.dump | grep -oE '[0-9]+ records' | cut -d' ' -f1)" -gt 0 ]; }

# The Deployment's pod is replaced by one of another template, and by two of them, while runs are in progress.
test_operator_upgraded() {
	local round
	helm_install --set crds.install=false
	make_work upgraded
	wait_phase upgraded kb/base Completed
	for ((round = 1; round <= (KILLS + 1) / 2; round++)); do
		begin_something upgraded "$round"
		sleep "$(seconds_up_to 6)"
		helm upgrade kafka-backup-operator "$chart" --namespace "$operator_namespace" --reuse-values \
			--set "podLabels.round=r$round" --set replicaCount=$((1 + round % 2))
		kubectl -n "$operator_namespace" rollout status deployment/kafka-backup-operator --timeout=120s
	done
	kubectl -n "$operator_namespace" delete pods -l app.kubernetes.io/component=controller --grace-period=0 --force
	begin_something upgraded "$round"
	nothing_lost_doubled_or_lied_about upgraded
	helm uninstall kafka-backup-operator --namespace "$operator_namespace" --wait
}

run_tests "$@"
