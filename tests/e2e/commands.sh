#!/bin/bash
# The commands of kafka-backup on archives of a real broker, and what they print.
source "$(dirname "$0")/../lib.sh"
start_broker kafka
fill codecs nulls --prefix cmd-

kb() { "$KAFKA_BACKUP" --log-level warn --progress none "$@"; }
# Prints a field of a JSON document on stdin: field '["resources"][0]["records"]'
field() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }
archive() { echo "$volumes/kafka-backups/default/$1"; }
newest_set() { basename "$(find "$(archive "$1")/sets" -type f | sort | tail -1)"; }

test_results_as_text_and_json() {
	backup_yaml one '["cmd-*"]' >backup.yaml
	local text json
	text=$(kb run -f backup.yaml --volumes "$volumes")
	contains "$text" "KafkaBackup default/one: complete"
	contains "$text" "$(newest_set one)"
	json=$(kb run -f - --volumes "$volumes" --output json <backup.yaml)
	eq committed "$(field '["resources"][0]["outcome"]' <<<"$json")"
	eq 0 "$(field '["resources"][0]["records"]' <<<"$json")" "records of a second run"
	eq "$(newest_set one)" "$(field '["resources"][0]["backupId"]' <<<"$json")"
}

test_named_run_is_done_once() {
	backup_yaml one '["cmd-*"]' >backup.yaml
	kb run -f backup.yaml --volumes "$volumes" --backup-id one-20250101-000000
	local again
	again=$(kb run -f backup.yaml --volumes "$volumes" --backup-id one-20250101-000000 --output json)
	eq committedBefore "$(field '["resources"][0]["outcome"]' <<<"$again")"
	eq one-20250101-000000 "$(newest_set one)"
}

# The archive is found through the KafkaBackup in the same file, in another file, and by looking for it.
test_restore_finds_its_archive() {
	backup_yaml one '["cmd-*"]' >backup.yaml
	restore() { restore_yaml "$1" one "topicMapping: {cmd-codec-zstd: $1}"$'\ntopics: [cmd-codec-zstd]' |
		sed 's/, storage: .*}}}/}/'; }
	{ cat backup.yaml; echo ---; restore same-file; } >both.yaml
	restore other-file >other.yaml
	restore by-looking >looking.yaml
	local json
	json=$(kb run -f both.yaml --volumes "$volumes" --output json)
	eq KafkaRestore "$(field '["resources"][1]["kind"]' <<<"$json")"
	eq restored "$(field '["resources"][1]["outcome"]' <<<"$json")"
	kb run -f other.yaml --backup-file backup.yaml --volumes "$volumes"
	kb run -f looking.yaml --volumes "$volumes"
	eq 3 "$(topics list "" | grep -cE '^(same-file|other-file|by-looking) ')" "restored topics"
}

test_dry_run_changes_nothing() {
	backup_yaml one '["cmd-*"]' >backup.yaml
	kb run -f backup.yaml --volumes "$volumes"
	restore_yaml plan one 'topicMapping: {cmd-nulls: planned}'$'\n''dryRun: true' >plan.yaml
	local before text
	before=$(topics list "")
	text=$(kb run -f plan.yaml --volumes "$volumes")
	contains "$text" "this is the plan, nothing was changed"
	contains "$text" "while it is written: cleanup.policy=delete"
	contains "$text" "topic cmd-codec-zstd has records: unless this restore wrote them"
	eq "$before" "$(topics list "")"
}

test_look_at_an_archive() {
	backup_yaml one '["cmd-*"]' 'sourceClusterId: from-here' >backup.yaml
	kb run -f backup.yaml --volumes "$volumes"
	local id segment
	id=$(newest_set one)
	eq "$id" "$(kb list --volumes "$volumes" --output json | field '["archives"][0]["backups"][0]["backupId"]')"
	contains "$(kb describe "$id" --volumes "$volumes")" "Topic cmd-nulls"
	contains "$(kb describe "$id" --volumes "$volumes")" "(from-here)"
	eq 0 "$(kb verify --deep --volumes "$volumes" --output json | field '["archives"][0]["problemsTotal"]')"
	segment=$(find "$(archive one)/segments" -type f | head -1)
	mv "$segment" segment
	expect_exit 65 kb verify --volumes "$volumes"
	contains "$output" "is missing"
	expect_exit 65 kb verify "$id" --volumes "$volumes"
	mv segment "$segment"
	printf x | dd of="$segment" bs=1 seek=100 conv=notrunc status=none
	kb verify --volumes "$volumes"
	expect_exit 65 kb verify --deep --volumes "$volumes"
	contains "$output" "CRC-32C does not match"
}

test_missing_topics() {
	backup_yaml one '[cmd-nulls, cmd-none]' >fail.yaml
	backup_yaml one '[cmd-nulls, cmd-none]' 'onMissingTopic: warn' >warn.yaml
	expect_exit 66 kb run -f fail.yaml --volumes "$volumes"
	contains "$output" "cmd-none"
	contains "$(kb run -f warn.yaml --volumes "$volumes")" "topic cmd-none does not exist"
}

test_committed_offsets_are_recorded() {
	"$tools/kafka_commit" "$bootstrap" cmd-group cmd-codec-zstd 1 10:note cmd-nulls 0 3
	backup_yaml one '["cmd-*"]' 'consumerGroupSnapshot: true' >backup.yaml
	kb run -f backup.yaml --volumes "$volumes"
	local described
	described=$(kb describe "$(newest_set one)" --volumes "$volumes" --output json)
	contains "$described" '"cmd-group"'
	contains "$described" '"metadata":"note"'
	backup_yaml two '["cmd-*"]' 'consumerGroupSnapshot: false' >backup.yaml
	kb run -f backup.yaml --volumes "$volumes"
	case $(kb describe "$(newest_set two)" --volumes "$volumes" --output json) in *cmd-group*) fail "captured all the same" ;; esac
}

test_prune() {
	backup_yaml one '["cmd-*"]' >backup.yaml
	for id in one-20250101-000000 one-20250102-000000 one-20250103-000000; do
		kb run -f backup.yaml --volumes "$volumes" --backup-id $id
	done
	contains "$(kb prune --volumes "$volumes" --keep-last 1 --dry-run)" "would delete  one-20250101-000000, one-20250102-000000"
	eq 3 "$(kb list --volumes "$volumes" --output json | field '["archives"][0]["backups"].__len__()')"
	kb prune --volumes "$volumes" --keep-last 1
	eq 1 "$(kb list --volumes "$volumes" --output json | field '["archives"][0]["backups"].__len__()')"
	kb verify --deep --volumes "$volumes"
	expect_exit 73 kb run -f backup.yaml --volumes "$volumes" --backup-id one-20250101-000000
	contains "$output" "was deleted"
}

test_signal_stops_and_the_next_run_resumes() {
	backup_yaml one '["cmd-*"]' 'rateLimiting: {bytesPerSec: 65536}'$'\ncheckpoint: {intervalSecs: 1}' >slow.yaml
	backup_yaml one '["cmd-*"]' >fast.yaml
	local code=0
	background slow.log "$KAFKA_BACKUP" run -f slow.yaml --volumes "$volumes"
	wait_for 60 "the plan" compgen -G "$(archive one)/runs/*/plan"
	kill -TERM "$pid"
	wait "$pid" || code=$?
	eq 130 "$code" "exit code"
	contains "$(cat slow.log)" "SIGTERM: stopping"
	contains "$(tail -1 slow.log)" "hint: give the same command again to go on"
	backup_yaml one '[cmd-nulls]' >other.yaml
	expect_exit 73 kb run -f other.yaml --volumes "$volumes" --backup-id "$(ls "$(archive one)/runs")"
	contains "$output" "was begun with other spec.topics"
	eq True "$(kb run -f fast.yaml --volumes "$volumes" --output json | field '["resources"][0]["resumed"]')"
	kb verify --deep --volumes "$volumes"
}

test_full_disk_behind_stdout() {
	backup_yaml one '["cmd-*"]' >backup.yaml
	expect_exit 77 bash -c '"$0" run -f backup.yaml --volumes "$1" --progress none >/dev/full' "$KAFKA_BACKUP" "$volumes"
	contains "$output" "cannot write to standard output"
}

run_tests "$@"
