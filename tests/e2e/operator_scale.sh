#!/bin/bash
# A thousand KafkaBackups: what the operator takes of memory and CPU, and what it asks of the API server. A control plane
# without a node is enough: Jobs get their pods, which nobody runs. The figures are printed; limits are asserted.
source "$(dirname "$0")/../lib.sh"
kube=$support/kube/cluster.sh
"$kube" start "$work/kube" >/dev/null
on_leave() { "$kube" stop "$work/kube"; }
export KUBECONFIG=$work/kube/kubeconfig
PATH=$("$support/kube/install.sh")/bin:$PATH
kubectl apply -f "$repo/deploy/crds/all.yaml" >/dev/null
kubectl wait --for=condition=Established crd --all --timeout=60s >/dev/null
backups=1000
rss_kib_max=$((30 * 1024))
many() { "$support/kube/many_backups.py" "$@"; }
many create $backups
figures=$repo/build/operator_scale.txt
: >"$figures"


start_operator() {
	port=$(shuf -i 20000-29999 -n 1)
	background "$work/operator.log" "$build/kafka-backup-operator" --worker-image kafka-backup-operator:test \
		--namespace default --metrics-address "127.0.0.1:$port" --log-format text
	operator=$pid
	trap 'kill -KILL $operator' EXIT
}
stop_operator() { # it gives its lease back, so the next one need not wait
	trap - EXIT
	kill -TERM "$operator"
	wait "$operator"
}

page() { # PATH
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
	cat <&3
	exec 3>&-
} 2>/dev/null
ready() { page /readyz | grep -q '200 OK'; }
# The sum of a counter's series whose labels match: api_requests_total PATCH.*kafkabackups
counted() { page /metrics | awk -v what="^kafka_backup_operator_$1\\\\{.*$2" '$0 ~ what {sum += $NF} END {print sum + 0}'; }
requests() { counted api_requests_total "${1:-}"; } # REGEX OF LABELS
reconciled() { counted reconciliations_total KafkaBackup; }
# What the API server says it was asked, by everybody but itself: 'PATCH kafkabackups/status'
answered() { many requests | awk -v what="^($1)\$" '$2 " " $3 ~ what {sum += $1} END {print sum + 0}'; }
at_least() { [ "$("${@:2}")" -ge "$1" ]; } # NUMBER COMMAND...
at_most() { [ "$2" -le "$1" ] || fail "$2 $3, expected at most $1"; }
cpu_ms() { awk -v hertz="$(getconf CLK_TCK)" '{print int(($14 + $15) * 1000 / hertz)}' "/proc/$operator/stat"; }
memory() { awk -v what="$1:" '$1 == what {print $2}' "/proc/$operator/status"; } # VmRSS|VmHWM
now_ms() { echo $(($(date +%s%N) / 1000000)); }
say() { echo "$*" | tee -a "$figures"; }
mib() { echo "$((10 * $1 / 1024))" | sed -E 's/(.)$/.\1 MiB/'; } # KIB

small() { # WHEN
	local rss
	rss=$(memory VmRSS)
	say "memory $1: RSS $(mib "$rss"), highest so far $(mib "$(memory VmHWM)")"
	at_most $rss_kib_max "$rss" "KiB of RSS $1"
}
started() {
	start_operator
	wait_for 120 "all reconciled" at_least $backups reconciled
}

of_all() { kubectl get kb -o jsonpath="{range .items[*]}{.metadata.name} $1{'\n'}{end}"; } # FIELD
# Whose status tells of a schedule with this piece.
seen() { of_all '{.status.observedSchedule}' | grep -cF "$1"; }
all_have_seen() { [ "$(seen "$1")" = $backups ]; }

test_first_start_writes_each_status_once() {
	local begun before cpu
	before=$(answered 'PATCH kafkabackups/status')
	begun=$(now_ms)
	start_operator
	wait_for 60 "readiness" ready
	say "start: ready after $(($(now_ms) - begun)) ms"
	small "when ready"
	wait_for 120 "all reconciled" at_least $((before + backups)) answered 'PATCH kafkabackups/status'
	say "start: $backups statuses written after $(($(now_ms) - begun)) ms, $(cpu_ms) ms of CPU"
	eq $backups "$(seen '*')" "statuses that tell of their schedule"
	small "when all are reconciled"
	cpu=$(cpu_ms)
	page /metrics >metrics.txt
	say "scrape: $(wc -c <metrics.txt) bytes, $(($(cpu_ms) - cpu)) ms of CPU"
	small "after a scrape"
	eq $backups "$(requests PATCH)" "patches"
	at_most $((backups + 60)) "$(requests)" "requests at the first start"
	eq $((before + backups)) "$(answered 'PATCH kafkabackups/status')" "patches by the API server's count"
	stop_operator
}

# When this test runs alone, the first start is still to come.
written_before() {
	! all_have_seen '*' || return 0
	start_operator
	wait_for 120 "all statuses" all_have_seen '*'
	stop_operator
}

test_restart_writes_nothing() {
	local begun
	written_before
	of_all '{.metadata.resourceVersion}' >before
	begun=$(now_ms)
	started
	say "restart: $backups reconciled after $(($(now_ms) - begun)) ms, $(cpu_ms) ms of CPU with the scrapes that tell"
	small "after a restart"
	of_all '{.metadata.resourceVersion}' | diff before -
	eq 0 "$(requests PATCH)" "patches"
	at_most 60 "$(requests)" "requests at a restart"
	stop_operator
}

test_idle_minute() {
	local asked cpu by_all watched='[A-Z]+ (kafka.*|jobs|pods|events)'
	written_before
	started
	asked=$(requests) by_all=$(answered "$watched") cpu=$(cpu_ms)
	sleep 60 # the minute is what is measured
	cpu=$(($(cpu_ms) - cpu)) by_all=$(($(answered "$watched") - by_all)) asked=$(($(requests) - asked))
	say "idle: $asked requests and $cpu ms of CPU in a minute; everybody together asked $by_all times for what it watches"
	at_most 60 "$asked" "requests in an idle minute"
	at_most 60 "$by_all" "requests in an idle minute, by the API server's count"
	small "after an idle minute"
	stop_operator
}

test_reaction() {
	started
	say "reaction: $(many react) ms from applying a KafkaBackup to its Job"
	stop_operator
	kubectl delete kb at-once
}

# Gives all the same tick, that many seconds from now; false when the operator knew of it too late: an edited schedule
# counts from when it was seen.
share_tick() { # SECONDS
	tick=$(($(date +%s) + $1))
	local schedule
	schedule=$(date -u -d "@$tick" '+%-S %-M %-H %-d %-m ? %Y')
	many patch "{\"spec\": {\"schedule\": \"$schedule\"}}"
	wait_for 300 "the schedule is seen" all_have_seen "$schedule"
	! past "$tick"
}
past() { [ "$(date +%s)" -ge "$1" ]; } # SECONDS SINCE 1970
jobs_made() { answered 'POST jobs'; }

test_a_thousand_ticks_at_once() {
	local cpu before last
	started
	before=$(jobs_made)
	share_tick 45 || share_tick 120 || share_tick 300
	wait_for 300 "the tick" past "$tick"
	cpu=$(cpu_ms)
	wait_for 300 "the Jobs" at_least $((before + backups)) jobs_made
	cpu=$(($(cpu_ms) - cpu))
	kubectl get jobs -o jsonpath='{range .items[*]}{.metadata.ownerReferences[0].name} {.metadata.creationTimestamp}{"\n"}{end}' >jobs
	eq $backups "$(wc -l <jobs)" "Jobs"
	eq $backups "$(cut -d' ' -f1 jobs | sort -u | wc -l)" "KafkaBackups with a Job"
	last=$(cut -d' ' -f2 jobs | sort | tail -1)
	say "$backups ticks at once: the last Job $(($(date -d "$last" +%s) - tick)) s after the tick, $cpu ms of CPU"
	small "with $backups runs in progress"
	stop_operator
}

run_tests "$@"
