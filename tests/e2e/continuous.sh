#!/bin/bash
# A continuous backup of a real broker: killed, stopped, topics that come while it runs, and what it costs when nothing comes.
# CONTINUOUS_KILLS (3) is how often it is killed; `make torture` sets 30.
source "$(dirname "$0")/../lib.sh"
start_broker kafka
KILLS=${CONTINUOUS_KILLS:-3}
cancelled=130

continuous_yaml() { # NAME TOPICS
	backup_yaml "$1" "$2" "restorePointIntervalSecs: 2
metrics: {bindAddress: 127.0.0.1, port: $metrics_port, updateIntervalMs: 100}" | sed 's/stopAtCurrentOffsets: true/continuous: true/'
}

free_port() { shuf -i 20000-29999 -n 1; }

follow() { background "$1" "$KAFKA_BACKUP" run -f backup.yaml --volumes "$volumes" --progress none; }
metric() { curl -sf "http://127.0.0.1:$metrics_port/metrics" | awk -v name="$1" 'index($1, name) == 1 {print $2}' | head -1; }
archive() { echo "$volumes/kafka-backups/default/$1"; }
checkpoints_of() { { find "$(archive "$1")/runs" -type f -name "[0-9]*" 2>/dev/null || true; } | wc -l; }
points_of() { { "$KAFKA_BACKUP" list --archive "$(archive "$1")" --output json 2>/dev/null || true; } | grep -o "\"backupId\"" | wc -l; }

# All that the topics have is read and checkpointed: the worker knows the partitions and lags behind none.
has_all() { # PARTITIONS
	[ "$(metric kafka_backup_lag_records_sum)" = 0 ] &&
		[ "$(curl -sf "http://127.0.0.1:$metrics_port/metrics" | grep -c '^kafka_backup_lag_records{')" = "$1" ]
}

# Ends it as Kubernetes would, and looks at how it went.
end_follow() { # LOG
	kill -TERM "$pid" 2>/dev/null || true
	local code=0
	wait "$pid" || code=$?
	eq "$cancelled" "$code" "exit code after SIGTERM; $(tail -3 "$1")"
	contains "$(cat "$1")" "has everything that was read"
}

restored_is_source() { # NAME PREFIX
	dump --prefix "$2" --isolation read_committed --output source.dump
	"$KAFKA_BACKUP" verify --deep --archive "$(archive "$1")" >verify.log 2>&1 || fail "verify: $(tail -3 verify.log)"
	restore_yaml "$1-again" "$1" >restore.yaml
	topics delete "$2"
	kafka_backup_run restore.yaml
	dump --prefix "$2" --output target.dump
	compare source.dump target.dump
}

test_killed_at_random_instants_with_topics_that_come() {
	metrics_port=$(free_port)
	continuous_yaml following '["c-*"]' >backup.yaml
	topics create c-compacted 2 cleanup.policy=compact
	background steady.log "$tools/kafka_fill" "$bootstrap" bulk --prefix c- --topic steady --bytes 100G --rate 2M --codec lz4
	local steady=$pid i before
	for ((i = 0; i < KILLS; i++)); do
		before=$(checkpoints_of following)
		follow "run$i.log"
		wait_for 60 "checkpoints of run $i" eval "[ \$(checkpoints_of following) -gt $((before + RANDOM % 4)) ]"
		sleep "0.$((RANDOM % 10))" # anywhere between two writes
		kill -KILL "$pid"
		wait "$pid" || true
	done
	follow last.log
	fill transactions codecs --prefix c- --scale 0.1 # topics that nobody had seen before
	kafka_cli org.apache.kafka.tools.TopicCommand --bootstrap-server "$bootstrap" --alter --topic c-compacted --partitions 3
	kill "$steady"
	wait "$steady" || true
	fill bulk --prefix c- --topic late --bytes 1M --partitions 2
	wait_for 60 "everything that is there" has_all "$(topics list c- | awk '{n += $2} END {print n}')"
	end_follow last.log
	[ "$(points_of following)" -ge "$((KILLS + 1))" ] || fail "$(points_of following) restore points"
	restored_is_source following c-
}

# It has written what it writes before anything comes, and is no restore point yet. Times would not tell:
# files may be of the same instant.
has_open_run() { # NAME
	local run
	for run in "$(archive "$1")"/runs/*/0/00000001; do
		run=${run%/0/00000001}
		[ ! -e "$run/opening" ] || [ -e "$(archive "$1")/sets/${run##*/}" ] || return 0
	done
	return 1
}

test_idle_it_writes_nothing() {
	metrics_port=$(free_port)
	topics create i-many "${CONTINUOUS_PARTITIONS:-200}"
	fill bulk --prefix i- --topic some --bytes 1M
	continuous_yaml idle '["i-*"]' >backup.yaml
	follow idle.log
	wait_for 60 "the first restore point" eval '[ "$(points_of idle)" -ge 1 ]'
	wait_for 60 "a run that is open" has_open_run idle
	local objects cpu
	objects=$(find "$(archive idle)" -type f | wc -l)
	cpu=$(awk '{print $14 + $15}' "/proc/$pid/stat")
	sleep 7 # three times as long as restore points are apart
	eq "$objects" "$(find "$(archive idle)" -type f | wc -l)" "objects after 7 idle seconds"
	echo "idle: $(($(awk '{print $14 + $15}' "/proc/$pid/stat") - cpu)) ticks of CPU in 7 s"
	end_follow idle.log
}

# Deleted and made again under its name: the archive has both, and the run goes on.
test_a_topic_made_anew_begins_a_lineage() {
	metrics_port=$(free_port)
	fill bulk --prefix n- --topic anew --bytes 1M --partitions 1
	fill bulk --prefix n- --topic other --bytes 1M --partitions 1
	continuous_yaml anew '["n-*"]' >backup.yaml
	follow anew.log
	wait_for 60 "the first restore point" eval '[ "$(points_of anew)" -ge 1 ]'
	topics delete n-anew
	fill bulk --prefix n- --topic anew --bytes 2M --partitions 1
	wait_for 60 "the new topic" grep -q "a new lineage begins" anew.log
	wait_for 60 "everything that is there" has_all 2
	end_follow anew.log
	restored_is_source anew n-
}

# A pod is killed soon after SIGTERM: what was read gets its restore point without a word of the broker.
test_it_ends_in_time_while_the_broker_is_silent() {
	metrics_port=$(free_port)
	fill bulk --prefix s- --topic first --bytes 1M --partitions 2
	continuous_yaml silent '["s-*"]' >backup.yaml
	follow silent.log
	wait_for 60 "the first restore point" eval '[ "$(points_of silent)" -ge 1 ]'
	fill bulk --prefix s- --topic late --bytes 1M --partitions 2
	wait_for 60 "everything that is there" has_all 4
	"$support/kafka.sh" pause "$broker"
	kill -TERM "$pid"
	wait_for 60 "the end" eval '! kill -0 "$pid"'
	"$support/kafka.sh" resume "$broker"
	end_follow silent.log
	restored_is_source silent s-
}

run_tests "$@"
