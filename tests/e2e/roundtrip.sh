#!/bin/bash
# Back up, delete, restore: an independent reader finds every record again, and nothing else.
source "$(dirname "$0")/../lib.sh"
start_broker kafka --cleaner

# What a read_committed consumer of the source sees, the topics' partitions and configs: before.
capture() { # PREFIX
	dump --prefix "$1" --isolation read_committed --output source.dump
	topics list "$1" >source.topics
	topic_configs "$1" >source.configs
}

expect_same_records() { # PREFIX OPTIONS-OF-COMPARE...
	dump --prefix "$1" --output target.dump
	compare source.dump target.dump "${@:2}"
}

# The same of the target; it is read uncommitted, so that nothing hides behind a marker or an open transaction.
expect_same() { # PREFIX OPTIONS-OF-COMPARE...
	expect_same_records "$@"
	topics list "$1" >target.topics
	topic_configs "$1" >target.configs
	diff source.topics target.topics
	diff source.configs target.configs
}

backup() { backup_yaml "$@" >backup.yaml && kafka_backup_run backup.yaml; }     # as backup_yaml
restore() { restore_yaml "$@" >restore.yaml && kafka_backup_run restore.yaml; } # as restore_yaml

stored_bytes() { du -sb "$volumes/kafka-backups" | cut -f1; }

test_awkward_topics() {
	fill all --prefix awk-
	capture awk-
	backup awkward '["awk-*"]'
	topics delete awk-
	restore awkward-again awkward
	expect_same awk- --ignore-timestamp-type awk-log-append-time
}

test_topics_of_a_java_producer() {
	kafka_java Fill --prefix jav-
	capture jav-
	kafka_java Dump --prefix jav- --isolation read_committed --output source.java
	backup java '["jav-*"]'
	topics delete jav-
	restore java-again java
	expect_same jav-
	kafka_java Dump --prefix jav- --output target.java
	compare source.java target.java
}

test_renamed_topics() {
	fill codecs headers --prefix ren- --scale 0.2
	capture ren-
	backup renamed '["ren-*"]'
	restore renamed-again renamed 'topics: [ren-headers, ren-codec-zstd]
topicMapping: {ren-headers: new-headers, ren-codec-zstd: new-zstd}'
	dump --prefix new- --output target.dump
	dump ren-headers ren-codec-zstd --output chosen.dump
	compare chosen.dump target.dump --map ren-headers=new-headers --map ren-codec-zstd=new-zstd
	dump --prefix ren- --isolation read_committed --output untouched.dump
	compare source.dump untouched.dump
}

test_second_run_stores_only_what_is_new() {
	fill bulk --prefix inc- --bytes 40M --incompressible
	backup incremental '["inc-*"]'
	local first second
	first=$(stored_bytes)
	[ "$first" -gt 40000000 ] || fail "the first run stored $first bytes of 41943040"
	fill bulk --prefix inc- --topic more --bytes 2M --incompressible
	capture inc-
	backup incremental '["inc-*"]'
	second=$(($(stored_bytes) - first))
	[ "$second" -gt 2000000 ] && [ "$second" -lt 2400000 ] || fail "the second run stored $second bytes of 2097152"
	topics delete inc-
	restore incremental-again incremental
	expect_same inc-
}

# A tombstone that came and went between two runs: the key must not come back.
test_a_deleted_key_stays_deleted() {
	fill vanishing --prefix del-
	backup deleted '["del-*"]'
	fill vanish --prefix del-
	capture del-
	backup deleted '["del-*"]'
	topics delete del-
	restore deleted-again deleted
	dump --prefix del- --output target.dump
	eq "$(keys_of source.dump)" "$(keys_of target.dump)" "keys"
	eq 10 "$(keys_of target.dump | wc -l)" "number of keys"
}

# A topic that lived under its broker's retention would lose its old records to that of the target's.
test_inherited_retention_is_held() {
	fill timestamps --prefix ret-
	kafka_cli kafka.admin.ConfigCommand --bootstrap-server "$bootstrap" --alter --entity-type topics \
		--entity-name ret-timestamps --delete-config retention.ms
	capture ret-
	backup retention '["ret-*"]'
	topics delete ret-
	broker_retention --add-config log.retention.ms=604800000
	restore retention-again retention >restore.log
	contains "$(cat restore.log)" "the retention of topic ret-timestamps is held, since retention.ms=604800000 would delete"
	contains "$(cat restore.log)" "--delete-config retention.ms,retention.bytes"
	expect_same_records ret-
	broker_retention --delete-config log.retention.ms
}

# Records in a target topic keep a restore away, until its resource says that they may stay in front of what it writes.
test_existing_data_is_refused_or_appended_to() {
	fill nulls --prefix app-
	dump app-nulls --output source.dump
	backup appended '["app-*"]'
	topics create copy-app 1
	kafka_cli org.apache.kafka.tools.ProducerPerformance --topic copy-app --num-records 7 --record-size 100 \
		--throughput -1 --producer-props "bootstrap.servers=$bootstrap" acks=all
	local map='topicMapping: {app-nulls: copy-app}'
	restore_yaml appended-again appended "$map" >refused.yaml
	expect_exit 73 kafka_backup_run refused.yaml
	contains "$output" "holds records that this restore did not write"
	restore appended-again appended "$map
existingData: append"
	dump copy-app --output both.dump
	eq $((7 + $(grep -c '^R' source.dump))) "$(grep -c '^R' both.dump)" "records"
}

# The end is captured at the start: what is produced while a backup runs waits for the next one.
test_nothing_beyond_the_captured_end() {
	fill bulk --prefix end- --bytes 20M --incompressible
	dump --prefix end- --isolation read_committed --output source.dump
	backup_yaml ends '["end-*"]' 'rateLimiting: {bytesPerSec: 2000000}' >backup.yaml
	background backup.log "$KAFKA_BACKUP" run -f backup.yaml --volumes "$volumes"
	local run=$pid
	wait_for 30 "the plan" compgen -G "$volumes/kafka-backups/default/ends/runs/*/plan"
	kafka_cli org.apache.kafka.tools.ProducerPerformance --topic end-bulk --num-records 5000 --record-size 1000 \
		--throughput -1 --producer-props "bootstrap.servers=$bootstrap" acks=all >producer.log
	kill -0 "$run" || fail "the backup had ended before anything was produced"
	wait "$run"
	topics delete end-
	restore ends-again ends
	expect_same_records end-
}

# 10,240 records of 1 kB under a limit of a quarter of that per second cannot take less than three seconds.
test_rate_limits_act() {
	fill bulk --prefix rat- --bytes 10M --incompressible
	dump --prefix rat- --isolation read_committed --output source.dump
	local limit started n=0
	for limit in recordsPerSec:2560 bytesPerSec:2621440; do
		n=$((n + 1)) started=$(date +%s%N)
		backup "rates-$n" '["rat-*"]' "rateLimiting: {${limit/:/: }}"
		[ "$(milliseconds_since "$started")" -gt 3000 ] || fail "the backup under $limit took less"
		started=$(date +%s%N)
		restore "rates-$n-again" "rates-$n" "rateLimiting: {${limit/:/: }}
topicMapping: {rat-bulk: rat$n-again}"
		[ "$(milliseconds_since "$started")" -gt 3000 ] || fail "the restore under $limit took less"
		dump "rat$n-again" --output target.dump
		compare source.dump target.dump --map "rat-bulk=rat$n-again"
	done
}

milliseconds_since() { echo $((($(date +%s%N) - $1) / 1000000)); } # NANOSECONDS

broker_retention() { # --add-config KEY=VALUE | --delete-config KEY
	kafka_cli kafka.admin.ConfigCommand --bootstrap-server "$bootstrap" --alter --entity-type brokers --entity-default "$@"
}

keys_of() { awk -F'\t' '$1 == "R" && $7 != "4:7469636b" { print $7 }' "$1" | sort; } # without `tick`

run_tests "$@"
