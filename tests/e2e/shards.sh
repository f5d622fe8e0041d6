#!/bin/bash
# Backups and restores that several workers divide: in any order, killed, repeated, finished too early and twice.
source "$(dirname "$0")/../lib.sh"
start_broker kafka

kb() { "$KAFKA_BACKUP" --log-level warn --progress none "$@"; }
# A worker or a finish: FILE OPTIONS...
run() { kb run -f "$1" --volumes "$volumes" "${@:2}"; }
# Prints a field of the one result in a JSON document on stdin: field records
field() { python3 -c "import json, sys; print(json.load(sys.stdin)['resources'][0]['$1'])"; }
objects() { compgen -G "$volumes/kafka-backups/default/$1"; } # GLOB
pause='rateLimiting: {bytesPerSec: 1000000}'

# The same, in the background, with output in FILE: sets $pid
worker() { # LOG FILE OPTIONS...
	background "$1" "$KAFKA_BACKUP" --progress none run -f "$2" --volumes "$volumes" "${@:3}"
}

finished() { # PID LOG
	wait "$1" || fail "exit code $? of a worker: $(tail -3 "$2")"
}

sharded_restore_yaml() { # NAME BACKUP-ID [MORE LINES OF spec]
	restore_yaml "$1" "${2%-*-*}" "${@:3}" | sed "s/backupRef: {/backupRef: {backupId: $2, /"
}

fill_some() { # PREFIX
	fill bulk --prefix "$1" --topic lz4 --bytes 24M --partitions 8 --codec lz4 --incompressible
	fill codecs transactions large log-append-time timestamps --prefix "$1" --scale 0.3
	dump --prefix "$1" --isolation read_committed --output source.dump
	topic_configs "$1" >source.configs
}

# Four shards, of which one is killed, one comes last and one is run twice.
backup_in_four() { # FILE SLOW-FILE ID
	local id=$3 pids=() i
	expect_exit 69 run "$1" --backup-id "$id" --finish
	contains "$output" "no shard of it has begun"
	for i in 2 0; do
		worker "backup.$i.log" "$1" --backup-id "$id" --shard "$i/4"
		pids+=("$pid:backup.$i.log")
	done
	worker killed.log "$2" --backup-id "$id" --shard 1/4
	local killed=$pid
	wait_for 60 "a checkpoint of shard 1 behind its claim" objects "killed/runs/$id/1/00000002"
	kill -KILL "$killed"
	for i in "${pids[@]}"; do finished "${i%%:*}" "${i#*:}"; done
	run "$1" --backup-id "$id" --shard 3/4
	expect_exit 69 run "$1" --backup-id "$id" --finish
	contains "$output" "backup $id is not complete: shard 1/4 has not stored"
	eq "" "$(objects "killed/sets/*" || true)" "sets"
}

test_shards_in_any_order_killed_and_repeated() {
	fill_some sh-
	local id=killed-20250101-000000 json often='segmentMaxBytes: 500000
checkpoint: {intervalSecs: 1}'
	backup_yaml killed '["sh-*"]' "$often" >backup.yaml
	backup_yaml killed '["sh-*"]' "$often
$pause" >slow.yaml
	backup_in_four backup.yaml slow.yaml "$id"
	json=$(run backup.yaml --backup-id "$id" --shard 1/4 --output json)
	eq shardDone "$(field outcome <<<"$json")"
	eq True "$(field resumed <<<"$json")" "resumed"
	json=$(run backup.yaml --backup-id "$id" --shard 1/4 --output json) # once more
	eq shardDone "$(field outcome <<<"$json")"
	expect_exit 73 run backup.yaml --backup-id "$id" --shard 0/3
	contains "$output" "was begun with 4 shards, this call is for 3"
	expect_exit 73 run backup.yaml --backup-id "$id"
	contains "$output" "run its shards 0/4 to 3/4 and then --finish"
	eq committed "$(run backup.yaml --backup-id "$id" --finish --output json | field outcome)"
	eq committedBefore "$(run backup.yaml --backup-id "$id" --finish --output json | field outcome)"
	eq committedBefore "$(run backup.yaml --backup-id "$id" --shard 0/4 --output json | field outcome)"
	kb verify --deep --volumes "$volumes"
	topics delete sh-
	restore_in_three sh- "$id"
	dump --prefix sh- --output target.dump
	compare source.dump target.dump --ignore-timestamp-type sh-log-append-time
	topic_configs sh- >target.configs
	diff source.configs target.configs
}

restore_in_three() { # PREFIX ID
	local zero two json
	sharded_restore_yaml again "$2" >restore.yaml
	sharded_restore_yaml again "$2" "$pause" >slow.yaml
	expect_exit 69 run restore.yaml --finish
	contains "$output" "does not exist yet"
	worker restore.2.log restore.yaml --shard 2/3
	two=$pid
	worker restore.0.log restore.yaml --shard 0/3
	zero=$pid
	worker killed.log slow.yaml --shard 1/3
	local killed=$pid
	finished "$two" restore.2.log
	finished "$zero" restore.0.log
	wait_for 60 "records of shard 1" has_more_records "$1" restore.0.log restore.2.log
	kill -KILL "$killed"
	expect_exit 69 run restore.yaml --finish
	contains "$output" "the restore is not complete"
	contains "$(topic_configs "$1")" "retention.ms=-1"
	expect_exit 73 run restore.yaml --shard 0/2
	contains "$output" "holds records that this restore did not write"
	contains "$output" "in as many shards as before"
	json=$(run restore.yaml --shard 1/3 --output json)
	eq shardDone "$(field outcome <<<"$json")"
	eq True "$(field resumed <<<"$json")" "resumed"
	eq 0 "$(run restore.yaml --shard 1/3 --output json | field records)" "records of a repeated shard"
	json=$(run restore.yaml --finish --output json)
	eq restored "$(field outcome <<<"$json")"
	eq "$(count source.dump)" "$(field recordsThere <<<"$json")" "records in the report"
	eq restored "$(run restore.yaml --finish --output json | field outcome)"
	eq 0 "$(run restore.yaml --shard 0/3 --output json | field records)" "records of a shard behind the finish"
	expect_exit 73 run restore.yaml
	contains "$output" "holds records that this restore did not write"
}

count() { grep -c '^R' "$1"; }
# Whether the topics hold more than what the shards with these logs wrote.
has_more_records() { # PREFIX LOG LOG
	dump --prefix "$1" --output count.dump
	[ "$(count count.dump)" -gt "$(($(written "$2") + $(written "$3")))" ]
}
written() { grep -oE 'written now +[0-9,]+' "$1" | grep -oE '[0-9,]+$' | tr -d ,; }

# What equal partitions come to differs by less than a tenth.
test_shards_are_balanced() {
	fill bulk --prefix bal- --bytes 24M --partitions 12 --incompressible
	backup_yaml balanced '["bal-*"]' >backup.yaml
	local i bytes=() id=balanced-20250101-000000
	for i in 0 1 2 3; do
		json=$(run backup.yaml --backup-id "$id" --shard "$i/4" --output json)
		eq 3 "$(field partitions <<<"$json")" "partitions of shard $i"
		bytes+=("$(field rawBytes <<<"$json")")
	done
	balanced "${bytes[@]}" || fail "bytes of backup shards: ${bytes[*]}"
	run backup.yaml --backup-id "$id" --finish
	sharded_restore_yaml balanced-again "$id" 'topicMapping: {bal-bulk: bal-again}' >restore.yaml
	bytes=()
	for i in 0 1 2 3; do bytes+=("$(run restore.yaml --shard "$i/4" --output json | field rawBytes)"); done
	balanced "${bytes[@]}" || fail "bytes of restore shards: ${bytes[*]}"
}

# By what the logs hold, not by how many records or partitions that is.
test_unequal_partitions_are_balanced() {
	fill bulk --prefix une- --topic large --bytes 6M --partitions 1 --incompressible
	fill bulk --prefix une- --topic middle --bytes 12M --partitions 5 --incompressible
	fill bulk --prefix une- --topic tiny --bytes 2M --partitions 40 --record-bytes 40
	fill bulk --prefix une- --topic fat --bytes 6M --partitions 3 --record-bytes 100000 --incompressible
	backup_yaml unequal '["une-*"]' >backup.yaml
	local i bytes=() id=unequal-20250101-000000
	for i in 0 1 2 3; do bytes+=("$(run backup.yaml --backup-id "$id" --shard "$i/4" --output json | field rawBytes)"); done
	balanced "${bytes[@]}" || fail "bytes of backup shards: ${bytes[*]}"
	run backup.yaml --backup-id "$id" --finish
	sharded_restore_yaml unequal-again "$id" 'topicMapping: {une-large: again-large, une-middle: again-middle, une-tiny: again-tiny, une-fat: again-fat}' >restore.yaml
	bytes=()
	for i in 0 1 2 3; do bytes+=("$(run restore.yaml --shard "$i/4" --output json | field rawBytes)"); done
	balanced "${bytes[@]}" || fail "bytes of restore shards: ${bytes[*]}"
}

balanced() { printf '%s\n' "$@" | sort -n | awk 'NR == 1 { least = $1 } END { exit !(least > 0 && $1 <= least * 1.1) }'; }

# All shards begin at once and find the same topics missing.
test_shards_create_topics_at_once() {
	local i n id=many-20250101-000000 pids
	for i in {1..12}; do fill bulk --prefix "many-$i-" --bytes 100000 --partitions 6; done
	dump --prefix many- --isolation read_committed --output source.dump
	backup_yaml many '["many-*"]' >backup.yaml
	run backup.yaml --backup-id "$id"
	for n in 1 2 3; do
		topics delete many-
		sharded_restore_yaml "many-$n" "$id" >restore.yaml
		pids=()
		for i in 0 1 2 3; do
			worker "many.$i.log" restore.yaml --shard "$i/4"
			pids+=("$pid")
		done
		for i in 0 1 2 3; do finished "${pids[$i]}" "many.$i.log"; done
		run restore.yaml --finish
		cat many.*.log >>all.log
		dump --prefix many- --output target.dump
		compare source.dump target.dump
	done
	contains "$(cat all.log)" "another shard has created topics at the same time"
}

test_more_shards_than_partitions() {
	fill bulk --prefix few- --bytes 1M --partitions 2
	dump --prefix few- --isolation read_committed --output source.dump
	local i id=few-20250101-000000
	backup_yaml few '["few-*"]' >backup.yaml
	for i in 4 3 2 1 0; do run backup.yaml --backup-id "$id" --shard "$i/5"; done
	run backup.yaml --backup-id "$id" --finish
	topics delete few-
	sharded_restore_yaml few-again "$id" >restore.yaml
	for i in 0 1 2 3 4; do run restore.yaml --shard "$i/5"; done
	run restore.yaml --finish
	dump --prefix few- --output target.dump
	compare source.dump target.dump
}

# A topic with the name of one to restore, and records of its own, is left alone by every shard.
test_foreign_topic_is_refused() {
	fill bulk --prefix for- --bytes 1M --partitions 4
	backup_yaml foreign '["for-*"]' >backup.yaml
	run backup.yaml --backup-id foreign-20250101-000000
	sharded_restore_yaml foreign-again foreign-20250101-000000 >restore.yaml
	dump --prefix for- --output source.dump
	local i
	for i in 0 1; do
		expect_exit 73 run restore.yaml --shard "$i/2"
		contains "$output" "holds records that this restore did not write"
	done
	dump --prefix for- --output target.dump
	compare source.dump target.dump
	# Where only one partition has records, the shards that do not write it stay away, too.
	topics delete for-
	topics create for-bulk 4
	kafka_cli org.apache.kafka.tools.ProducerPerformance --topic for-bulk --num-records 1 --record-size 100 \
		--throughput -1 --producer-props "bootstrap.servers=$bootstrap" acks=all
	for i in 0 1 2 3; do
		expect_exit 73 run restore.yaml --shard "$i/4"
		contains "$output" "holds records that this restore did not write"
	done
	eq 1 "$(dump --prefix for- --output target.dump >/dev/null && count target.dump)" "records"
	# An empty topic is not foreign, whichever shard has been there before.
	topics delete for-
	topics create for-bulk 4
	for i in 2 0 3 1; do run restore.yaml --shard "$i/4"; done
	run restore.yaml --finish
	dump --prefix for- --output target.dump
	compare source.dump target.dump
}

test_shards_need_a_named_backup() {
	backup_yaml named '["none"]' >backup.yaml
	expect_exit 64 run backup.yaml --shard 0/2
	contains "$output" "--shard of a KafkaBackup needs --backup-id"
	expect_exit 64 run backup.yaml --finish
	contains "$output" "--finish of a KafkaBackup needs --backup-id"
	fill nulls --prefix nam-
	backup_yaml named '["nam-*"]' >backup.yaml
	run backup.yaml
	restore_yaml named-again named >restore.yaml
	expect_exit 64 run restore.yaml --shard 0/2
	contains "$output" "a shard of a restore needs spec.backupRef.backupId"
	expect_exit 64 run restore.yaml --finish
	sharded_restore_yaml named-again named-20250101-000000 'dryRun: true' >dry.yaml
	expect_exit 64 run dry.yaml --shard 0/2
	contains "$output" "a shard cannot be run with spec.dryRun: true"
}

# A shard that is stopped and wakes behind its successor's end stops; other shards go on.
test_woken_shard_writes_nothing() {
	fill bulk --prefix wok- --bytes 16M --partitions 4 --incompressible
	dump --prefix wok- --isolation read_committed --output source.dump
	local id=woken-20250101-000000 zombie sibling code=0
	backup_yaml woken '["wok-*"]' >backup.yaml
	run backup.yaml --backup-id "$id"
	topics delete wok-
	sharded_restore_yaml woken-again "$id" >restore.yaml
	sharded_restore_yaml woken-again "$id" "$pause" >slow.yaml
	worker zombie.log slow.yaml --shard 0/2
	zombie=$pid
	wait_for 30 "the first records" has_records wok-
	kill -STOP "$zombie"
	worker sibling.log slow.yaml --shard 1/2
	sibling=$pid
	run restore.yaml --shard 0/2
	kill -0 "$sibling" || fail "the other shard had ended before the finish came too early"
	expect_exit 69 run restore.yaml --finish
	kill -CONT "$zombie"
	wait "$zombie" || code=$?
	eq 73 "$code" "exit code of the woken shard ($(tail -2 zombie.log))"
	contains "$(cat zombie.log)" "took over"
	finished "$sibling" sibling.log
	run restore.yaml --finish
	dump --prefix wok- --output target.dump
	compare source.dump target.dump
}

has_records() { dump --prefix "$1" --output count.dump && [ "$(count count.dump)" -gt 0 ]; }

# An operator always names runs: a new one gives up those before it that were not finished.
test_newer_run_gives_up_older_ones() {
	fill nulls codecs --prefix new-
	backup_yaml newer '["new-*"]' >backup.yaml
	run backup.yaml --backup-id newer-20250101-000000 --shard 0/2
	run backup.yaml --backup-id newer-20250102-000000 --shard 1/2
	expect_exit 73 run backup.yaml --backup-id newer-20250101-000000 --shard 1/2
	contains "$output" "was abandoned: a later run took its place"
	run backup.yaml --backup-id newer-20250102-000000 --shard 0/2
	run backup.yaml --backup-id newer-20250102-000000 --finish
	kb verify --deep --volumes "$volumes"
}

sets() { ls "$volumes/kafka-backups/default/$1/sets"; }

# After each commit, by the worker or by the finish; a failure is a warning.
test_retention_after_a_commit() {
	fill bulk --prefix ret- --bytes 1M --incompressible
	local json i
	backup_yaml kept '["ret-*"]' 'retention: {enabled: true, keepLast: 2, dryRun: true}' >dry.yaml
	backup_yaml kept '["ret-*"]' 'retention: {enabled: true, keepLast: 2}' >backup.yaml
	for i in 1 2 3; do json=$(run dry.yaml --backup-id "kept-2025010$i-000000" --output json); done
	eq "3 1 0 True" "$(retention '{inspected} {eligible} {#deleted} {dryRun}' <<<"$json")" "of a dry run"
	eq 3 "$(sets kept | wc -l)" "sets behind a dry run"
	fill bulk --prefix ret- --topic more --bytes 1M --incompressible
	for i in 0 1; do
		json=$(run backup.yaml --backup-id kept-20250104-000000 --shard "$i/2" --output json)
		eq False "$(has_retention <<<"$json")" "retention of a shard"
	done
	json=$(run backup.yaml --backup-id kept-20250104-000000 --finish --output json)
	eq "4 2 2 False" "$(retention '{inspected} {eligible} {#deleted} {dryRun}' <<<"$json")" "of the finish"
	eq "kept-20250103-000000 kept-20250104-000000" "$(sets kept | xargs)" "sets"
	eq 0 "$(objects "kept/runs/*/*" | wc -l)" "objects of runs in progress"
	kb verify --deep --volumes "$volumes"
	json=$(run backup.yaml --backup-id kept-20250104-000000 --finish --output json)
	eq "2 0 0 False" "$(retention '{inspected} {eligible} {#deleted} {dryRun}' <<<"$json")" "of a repeated finish"
	truncate -s -1 "$volumes/kafka-backups/default/kept/sets/kept-20250103-000000"
	backup_yaml kept '["ret-*"]' 'retention: {enabled: true, keepLast: 1}' >backup.yaml
	json=$(run backup.yaml --backup-id kept-20250105-000000 --output json)
	eq committed "$(field outcome <<<"$json")"
	contains "$(field warnings <<<"$json")" "retention was not completed: "
	contains "$(retention '{error}' <<<"$json")" "sets/kept-20250103-000000"
}

has_retention() { python3 -c "import json, sys; print('retention' in json.load(sys.stdin)['resources'][0])"; }
# Fields of the retention of the one result: retention '{inspected} {#deleted}', with # for how many there are.
retention() {
	python3 -c '
import json, re, sys
fields = json.load(sys.stdin)["resources"][0]["retention"]
print(re.sub(r"{(#?)(\w+)}", lambda m: str(len(fields[m[2]]) if m[1] else fields[m[2]]), sys.argv[1]))' "$1"
}

run_tests "$@"
