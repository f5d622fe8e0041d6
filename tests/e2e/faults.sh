#!/bin/bash
# A network that loses answers and cuts connections between us and a real broker: every record once, all the same.
source "$(dirname "$0")/../lib.sh"
start_proxied_broker
direct=$bootstrap proxied=$KAFKA_PROXY_BOOTSTRAP proxy_pid=$pid

tell() { $KAFKA_PROXY_TELL "$@"; }
through_proxy() { sed "s/$direct/$proxied/" "$1" >"$2"; } # YAML NEW-YAML

# Every tenth produce answer is lost and its connection cut: the broker has the records, we do not know.
test_restore_with_lost_answers() {
	fill bulk --prefix la- --topic plain --bytes 30M
	fill codecs one-record-batches transactions --prefix la-
	dump --prefix la- --isolation read_committed --output source.dump
	backup_yaml lost '["la-*"]' >backup.yaml
	restore_yaml lost-again lost >direct.yaml
	kafka_backup_run backup.yaml
	topics delete la-
	through_proxy direct.yaml restore.yaml
	tell clear
	for then in reset close reset close reset; do tell "drop-response api=Produce count=1 then=$then"; done
	kafka_backup_run restore.yaml
	timeout 5 $KAFKA_PROXY_TELL wait-idle # every fault has happened
	dump --prefix la- --output target.dump
	compare source.dump target.dump
}

# Fills a topic, backs it up, deletes it and begins to restore it for ten seconds. Leaves source.dump; sets $restore.
begin_slow_restore() { # NAME PREFIX OPTIONS-OF-FILL...
	fill bulk --prefix "$2" --bytes 20M --batch-bytes 100000 --incompressible "${@:3}"
	dump --prefix "$2" --output source.dump
	backup_yaml "$1" "[\"$2*\"]" >backup.yaml
	restore_yaml "$1-again" "$1" 'rateLimiting: {bytesPerSec: 2000000}' >direct.yaml
	kafka_backup_run backup.yaml
	topics delete "$2"
	through_proxy direct.yaml restore.yaml
	tell clear
	tell forget
	background restore.log "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes" --progress none
	restore=$pid
}

# The answers to several batches of each partition are lost, and then the broker is killed: afterwards it remembers no producer
# whose records have timestamps of the past, and would take all of them once more.
test_a_killed_broker_forgets_what_it_has() {
	begin_slow_restore forgets kf-
	wait_for 60 "answers to what was written" has_answered 2
	tell forget
	tell "drop-response api=Produce then=silence count=1"
	wait_for 60 "answers that are lost" has_answered 4
	"$support/kafka.sh" kill "$broker"
	tell clear
	"$support/kafka.sh" start "$broker" >/dev/null
	wait "$restore" || fail "restore: exit code $?: $(tail -3 restore.log)"
	dump --prefix kf- --output target.dump
	compare source.dump target.dump
}
has_answered() { [ "$(tell status | sed -n 's/^responses Produce: //p')" -ge "$1" ]; } # COUNT

# Nothing that was meant for the old topic gets into the new one (KIP-516), which is then filled from its beginning.
test_a_topic_is_made_anew_while_it_is_restored() {
	begin_slow_restore anew an- --partitions 2
	wait_for 60 "answers to what was written" has_answered 4
	topics delete an-
	topics create an-bulk 2
	local code=0
	wait "$restore" || code=$?
	contains "$(cat restore.log)" "topic an-bulk was deleted and created again while it was written"
	# Brokers before 4.1 are told names: what was on its way may have got in, and is another's then.
	case $KAFKA_VERSION in 3.* | 4.0.*) [ $code = 0 ] || { eq 73 $code "exit code" && return 0; } ;; esac
	eq 0 $code "exit code of the restore; $(tail -3 restore.log)"
	dump --prefix an- --output target.dump
	compare source.dump target.dump
}

test_backup_with_cut_connections() {
	fill bulk --prefix cc- --topic plain --bytes 60M --incompressible
	fill codecs transactions --prefix cc-
	dump --prefix cc- --isolation read_committed --output source.dump
	backup_yaml cut '["cc-*"]' >direct.yaml
	through_proxy direct.yaml backup.yaml
	tell clear
	for after in 0 10 1000 500000 2000000; do tell "reset api=Fetch after=$after count=1"; done
	tell "half-close api=Fetch count=1"
	kafka_backup_run backup.yaml
	timeout 5 $KAFKA_PROXY_TELL wait-idle # every fault has happened
	"$KAFKA_BACKUP" verify --deep --volumes "$volumes"
	topics delete cc-
	restore_yaml cut-again cut >restore.yaml
	kafka_backup_run restore.yaml
	dump --prefix cc- --output target.dump
	compare source.dump target.dump
}

# What is asked first may be an address that no broker calls itself by: its listener behind the proxy.
hidden=127.0.0.1:$((${direct##*:} + 2))
through_hidden() { sed "s/$direct/$hidden/"; }

test_brokers_are_reached_where_they_say() {
	fill bulk --prefix ad- --bytes 4M --incompressible
	dump --prefix ad- --output source.dump
	tell clear
	tell forget
	backup_yaml hidden '["ad-*"]' | through_hidden >backup.yaml
	kafka_backup_run backup.yaml
	[ "$(seen 'bytes of responses Fetch')" -gt 4000000 ] || fail "Fetch answers passed the proxy by"
	restore_yaml hidden-again hidden 'topicMapping: {ad-bulk: ad-again}' | through_hidden >restore.yaml
	kafka_backup_run restore.yaml
	[ "$(seen 'bytes of requests Produce')" -gt 4000000 ] || fail "Produce requests passed the proxy by"
	dump ad-again --output target.dump
	compare source.dump target.dump --map ad-bulk=ad-again
}
seen() { tell status | sed -n "s/^$1: //p" | grep . || echo 0; } # WHAT

# What is asked first answers, and where it sends us nobody listens. The last test, as it ends the proxy.
test_an_advertised_address_that_refuses_is_told() {
	local log code pids=()
	fill bulk --prefix ar- --bytes 1M
	backup_yaml advised '["ar-*"]' | tee direct.yaml | through_hidden >backup.yaml
	kafka_backup_run direct.yaml
	restore_yaml advised-again advised 'topicMapping: {ar-bulk: ar-again}' | through_hidden >restore.yaml
	kill "$proxy_pid"
	for log in backup restore; do
		background "$log.log" "$KAFKA_BACKUP" run -f "$log.yaml" --volumes "$volumes" --progress none
		pids+=("$pid")
	done
	for log in backup restore; do
		code=0
		wait "${pids[0]}" || code=$?
		pids=("${pids[@]:1}")
		tail -2 "$log.log"
		eq 69 "$code" "exit code of the $log"
		contains "$(cat "$log.log")" "hint: $proxied is what the broker advertises (advertised.listeners)"
	done
}

run_tests "$@"
