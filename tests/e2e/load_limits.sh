#!/bin/bash
# What a broker sees of spec.rateLimiting and spec.circuitBreaker, counted by a proxy in front of it.
source "$(dirname "$0")/../lib.sh"
start_proxied_broker
direct=$bootstrap proxied=$KAFKA_PROXY_BOOTSTRAP
megabytes=${LOAD_MEGABYTES:-8} rate=${LOAD_RATE:-2000000}

tell() { $KAFKA_PROXY_TELL "$@"; }
seen() { tell status | sed -n "s/^$1: //p" | grep . || echo 0; } # WHAT
kb() { "$KAFKA_BACKUP" --log-level warn --progress none "$@"; }
through_proxy() { sed "s/$direct/$proxied/"; }

# BYTES have passed since a moment, NANOSECONDS ago at least: no more than RATE allows and BURST at the beginning.
allowed() { # WHAT BYTES NANOSECONDS RATE BURST
	local most=$(($3 / 1000 * $4 / 1000000 + $5))
	echo "$1: $2 bytes in $(($3 / 1000000)) ms, at most $most allowed"
	[ "$2" -le "$most" ] || fail "$1: $2 bytes passed, $most were allowed"
	[ "$2" -ge $((megabytes * 1000000)) ] || fail "$1: only $2 bytes passed the proxy"
}

since() { echo $(($(date +%s%N) - $1)); } # NANOSECONDS

# Three fetchers may each have an answer of a quarter of a second before the limit is felt.
test_bytes_of_a_backup() {
	fill bulk --prefix rab- --bytes "${megabytes}M" --partitions 4 --incompressible
	backup_yaml bytes '["rab-*"]' "rateLimiting: {bytesPerSec: $rate, maxConcurrentPartitions: 4}" | through_proxy >backup.yaml
	local before started
	before=$(seen 'bytes of responses Fetch') started=$(date +%s%N)
	kb run -f backup.yaml --volumes "$volumes"
	allowed backup $(($(seen 'bytes of responses Fetch') - before)) "$(since "$started")" "$rate" "$rate"
}

# The limit is the run's, not that of each worker.
test_bytes_of_shards() {
	fill bulk --prefix ras- --bytes "${megabytes}M" --partitions 4 --incompressible
	backup_yaml shards '["ras-*"]' "rateLimiting: {bytesPerSec: $rate}" | through_proxy >backup.yaml
	local before started shard pids=()
	before=$(seen 'bytes of responses Fetch') started=$(date +%s%N)
	for shard in 0 1; do
		background "shard.$shard.log" "$KAFKA_BACKUP" run -f backup.yaml --volumes "$volumes" --backup-id shards-20250101-000000 --shard "$shard/2"
		pids+=("$pid")
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	allowed shards $(($(seen 'bytes of responses Fetch') - before)) "$(since "$started")" "$rate" "$rate"
	kb run -f backup.yaml --volumes "$volumes" --backup-id shards-20250101-000000 --finish
	sharded_restore
}

# Every request is paid for before it is sent.
sharded_restore() {
	restore_yaml shards-again shards "rateLimiting: {bytesPerSec: $rate}
topicMapping: {ras-bulk: ras-again}" | sed 's/backupRef: {/backupRef: {backupId: shards-20250101-000000, /' | through_proxy >restore.yaml
	local before started shard pids=()
	before=$(seen 'bytes of requests Produce') started=$(date +%s%N)
	for shard in 0 1; do
		background "restore.$shard.log" "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes" --shard "$shard/2"
		pids+=("$pid")
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	allowed "sharded restore" $(($(seen 'bytes of requests Produce') - before)) "$(since "$started")" "$rate" $((rate / 2))
	kb run -f restore.yaml --volumes "$volumes" --finish
}

# It has no end at which all is paid for: two fetchers may each have an answer of a quarter of a second.
test_bytes_of_a_continuous_backup() {
	fill bulk --prefix rac- --bytes "$((2 * megabytes))M" --partitions 4 --incompressible
	backup_yaml followed '["rac-*"]' "rateLimiting: {bytesPerSec: $rate}" |
		sed 's/stopAtCurrentOffsets: true/continuous: true/' | through_proxy >backup.yaml
	local before passed started code=0
	before=$(seen 'bytes of responses Fetch') started=$(date +%s%N)
	background followed.log "$KAFKA_BACKUP" run -f backup.yaml --volumes "$volumes" --progress none
	wait_for 120 "all to be read" read_since "$before" $((2 * megabytes * 1000000))
	passed=$(($(seen 'bytes of responses Fetch') - before))
	allowed "continuous backup" "$passed" "$(since "$started")" "$rate" "$rate"
	kill -TERM "$pid"
	wait "$pid" || code=$?
	eq 130 "$code" "exit code after SIGTERM; $(tail -3 followed.log)"
}
read_since() { [ $(($(seen 'bytes of responses Fetch') - $1)) -ge "$2" ]; } # BEFORE BYTES

# Records of a kilobyte, so that bytes count them. At its end a run has waited for all that it read. Partitions
# enough that fetchers divide them about evenly, and bytes enough to show if each had a limiter of its own.
test_records_of_a_backup_and_a_restore() {
	fill bulk --prefix rar- --bytes "$((2 * megabytes))M" --partitions 8 --record-bytes 1000 --incompressible
	local limit="rateLimiting: {recordsPerSec: $((rate / 1000))}" before started
	backup_yaml records '["rar-*"]' "$limit" | sed 's/bootstrapServers:/connection: {connectionsPerBroker: 3}, &/' | through_proxy >backup.yaml
	before=$(seen 'bytes of responses Fetch') started=$(date +%s%N)
	kb run -f backup.yaml --volumes "$volumes"
	allowed "backup by records" $(($(seen 'bytes of responses Fetch') - before)) "$(since "$started")" $((rate * 11 / 10)) $((rate / 4))
	restore_yaml records-again records "$limit
topicMapping: {rar-bulk: rar-again}" | through_proxy >restore.yaml
	before=$(seen 'bytes of requests Produce') started=$(date +%s%N)
	kb run -f restore.yaml --volumes "$volumes"
	allowed "restore by records" $(($(seen 'bytes of requests Produce') - before)) "$(since "$started")" $((rate * 11 / 10)) $((rate / 2))
}

# ---- circuit breaker

break_network() { tell refuse && tell reset count=0; }
refused_locally() { [ "$(grep -c 'is left alone for another' "$1")" -ge "$2" ]; } # LOG TIMES
slow="rateLimiting: {bytesPerSec: 500000}"
two_connections() { sed 's/bootstrapServers:/connection: {connectionsPerBroker: 2}, &/'; }

# Starts a run in the background and breaks the network once it moves data: API is the request that moves it.
start_and_break() { # LOG YAML API
	local before
	tell clear
	before=$(seen "responses $3")
	background "$1" "$KAFKA_BACKUP" --log-level debug --progress none run -f "$2" --volumes "$volumes"
	wait_for 60 "$3" eval "[ \$(seen 'responses $3') -gt $before ]"
	connections=$(seen connections)
	break_network
	wait_for 60 "the breaker to open" grep -q 'keeps failing and is left alone' "$1"
}

# An hour is longer than this test: what the run still tries 6 times, it must keep to itself.
nothing_is_sent() { # LOG
	wait_for 120 "6 attempts" refused_locally "$1" 6
	local tried=$(($(seen connections) - connections))
	echo "$tried connections, $(grep -c 'is left alone for another' "$1") attempts that were kept back"
	# Three failures open it; one that reset the connection in use was no new connection, a second thread may have been under way.
	[ "$tried" -le 4 ] || fail "$tried connections were made, though 3 failures open the breaker"
}

recovers() { # LOG PID
	tell clear
	wait "$2" || fail "the run ended with $?: $(tail -3 "$1")"
	contains "$(cat "$1")" "answers again: its circuit breaker is closed"
	contains "$(cat "$1")" "$proxied kept failing and was left alone"
}

test_an_open_breaker_sends_nothing() {
	local block='circuitBreaker: {failureThreshold: 3, resetTimeoutSecs: 3600, successThreshold: 2, operationTimeoutMs: 5000}'
	fill bulk --prefix brk- --bytes 4M --batch-bytes 60000 --incompressible
	dump --prefix brk- --output source.dump
	# The metrics page says so meanwhile.
	backup_yaml broken '["brk-*"]' "$block
$slow
metrics: {port: 0, bindAddress: 127.0.0.1, updateIntervalMs: 1}" | two_connections | through_proxy >backup.yaml
	start_and_break backup.log backup.yaml Fetch
	nothing_is_sent backup.log
	local page run=$pid
	page=$(sed -nE 's/.*served at ([0-9.:]+\/metrics).*/\1/p' backup.log)
	contains "$(curl -sf "$page")" "kafka_backup_circuit_breaker_state{backup_id=\"broken\",peer=\"$proxied\"} 2"
	kill -TERM "$run"
	wait "$run" || eq 130 $? "exit code"
	# The same run goes on, is interrupted for shorter, and ends well.
	backup_yaml broken '["brk-*"]' "${block/3600/1}
$slow" | two_connections | through_proxy >backup.yaml
	start_and_break backup2.log backup.yaml Fetch
	recovers backup2.log "$pid"
	restore_breaks
}

restore_breaks() {
	restore_yaml broken-again broken "$block
$slow
topicMapping: {brk-bulk: brk-again}" | two_connections | through_proxy >restore.yaml
	start_and_break restore.log restore.yaml Produce
	nothing_is_sent restore.log
	kill -TERM "$pid"
	wait "$pid" || eq 130 $? "exit code"
	sed -i 's/resetTimeoutSecs: 3600/resetTimeoutSecs: 1/' restore.yaml
	start_and_break restore2.log restore.yaml Produce
	recovers restore2.log "$pid"
	dump brk-again --output target.dump
	compare source.dump target.dump --map brk-bulk=brk-again
}

# A partition that waits for its turn, because others bring all that the limit allows, is not one that stalls.
test_partitions_that_wait_for_their_turn() {
	fill bulk --prefix wait- --bytes 14M --partitions 120 --batch-bytes 30000 --incompressible
	dump --prefix wait- --output source.dump
	backup_yaml waiting '["wait-*"]' 'rateLimiting: {bytesPerSec: 100000}' >backup.yaml
	kafka_backup_run backup.yaml # 140 s, longer than a partition may be without an answer (FetchSettings::stall_max)
	restore_yaml waiting-again waiting 'topicMapping: {wait-bulk: wait-again}' >restore.yaml
	kafka_backup_run restore.yaml
	dump wait-again --output target.dump
	compare source.dump target.dump --map wait-bulk=wait-again
}

run_tests "$@"
