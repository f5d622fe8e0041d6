#!/bin/bash
# `make demo`: a real Kafka broker is filled with awkward topics, backed up, emptied, restored, and every record
# compared by an independent reader. Takes two minutes; ends the broker; the archive stays in build/e2e.
KEEP=1
export KAFKA_VERSION=${KAFKA_VERSION:-4.3.1}
source "$(dirname "$0")/lib.sh"
volumes=$work/volumes
mkdir -p "$volumes/kafka-backups"
cd "$repo"

step() { # TEXT
	steps+=("$1")
	step_started=$(date +%s%N)
	printf '\n\033[1m%d. %s\033[0m\n' ${#steps[@]} "$1"
}
took() { # NOTE
	local seconds
	seconds=$(seconds_since "$step_started")
	rows+=("$(printf '%-54s %6s s  %s' "${steps[-1]}" "$seconds" "$1")")
}
steps=() rows=()
[ -t 1 ] || printf() { builtin printf "$(sed 's/\\033\[[0-9]*m//g' <<<"$1")" "${@:2}"; }

# A step whose output matters only when it fails.
quietly() { # COMMAND...
	"$@" >"$work/step.log" 2>&1 || { tail -20 "$work/step.log" >&2; exit 1; }
}

# The examples say port 19092; another one only where that is taken.
start() {
	local port=(--port 19092)
	! (exec 3<>/dev/tcp/127.0.0.1/19092) 2>/dev/null || port=()
	start_broker kafka --cleaner --heap 768m "${port[@]}"
	for file in backup restore; do sed "s/127.0.0.1:19092/$bootstrap/" "examples/$file.yaml" >"$work/$file.yaml"; done
}

fill_topics() {
	fill all --prefix demo-
	kafka_java Fill --prefix demo-
	fill bulk --prefix demo- --topic bulk-lz4 --bytes 200M --codec lz4
	fill bulk --prefix demo- --topic bulk-plain --bytes 150M
	fill bulk --prefix demo- --topic bulk-100-bytes --bytes 20M --record-bytes 100 --codec zstd
	"$tools/kafka_commit" "$bootstrap" demo-group demo-bulk-lz4 0 1000 demo-codec-zstd 1 10
}

step "start Kafka $KAFKA_VERSION"
start
took "$bootstrap"

step "fill awkward topics with librdkafka and Java"
quietly fill_topics
topics=$("$tools/kafka_topics" "$bootstrap" list demo-)
took "$(wc -l <<<"$topics") topics, $(du -sh "$broker/data" | cut -f1) on the broker's disk"

step "read what a read_committed consumer sees"
quietly dump --prefix demo- --isolation read_committed --output "$work/before"
took "$(sed 's/.*partitions, //' "$work/step.log")"

step "back up: kafka-backup run -f examples/backup.yaml"
kafka_backup_run "$work/backup.yaml"
took "$(du -sh --apparent-size "$volumes" | cut -f1) stored"

step "back up again: only what is new is stored"
stored=$(du -sb "$volumes" | cut -f1)
kafka_backup_run "$work/backup.yaml"
took "$(($(du -sb "$volumes" | cut -f1) - stored)) bytes more"

step "delete the topics"
quietly "$tools/kafka_topics" "$bootstrap" delete demo-
took "$("$tools/kafka_topics" "$bootstrap" list demo- | wc -l) topics left"

step "restore: kafka-backup run -f examples/restore.yaml"
kafka_backup_run "$work/restore.yaml" | tee "$work/restore.txt" | sed '/^  TOPIC /,$d' # without the line per topic
took "$(sed -n 's/^ *written now *//p' "$work/restore.txt")"

step "compare every record"
quietly dump --prefix demo- --output "$work/after"
# A client cannot write append times: their type reads CreateTime afterwards, the timestamps are the same.
verdict=0
compare "$work/before" "$work/after" --ignore-timestamp-type demo-log-append-time || verdict=$?
took "$(sed 's/.*partitions, //' "$work/step.log")"

printf '\n'
printf '%s\n' "${rows[@]}"
if [ $verdict = 0 ]; then
	printf '\n\033[1mEvery record is there again: key, value, headers, timestamp and order are equal.\033[0m\n'
else
	printf '\n\033[1mThere are differences, see above.\033[0m\n'
fi
printf 'The archive: %s (kafka-backup list --help)\n' "${volumes#"$repo"/}"
exit $verdict
