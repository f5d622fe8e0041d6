#!/bin/bash
# Killed at random instants, stopped and woken, out of disk: every run ends whole or can be run again. KILLS (5) is how
# often each of backup and restore is killed; `make torture` sets 50.
source "$(dirname "$0")/../lib.sh"
start_broker kafka
KILLS=${KILLS:-5}

# Runs COMMAND until it ends by itself, killing it with SIGKILL at random instants of its usual duration, a tenth longer after
# each kill, as a machine may be slower by then; the number of kills goes to the file `kills`.
run_and_kill() { # USUAL-MILLISECONDS COMMAND...
	local usual=$1 code after
	shift
	while :; do
		after=$((1 + (RANDOM * 32768 + RANDOM) % (usual + usual * $(wc -l <kills) / 10)))
		code=0
		timeout -s KILL "$((after / 1000)).$(printf %03d $((after % 1000)))" "$@" >>run.log 2>&1 || code=$?
		case $code in
		0) return 0 ;;
		137) echo "killed after $after ms" >>kills ;;
		*) tail -3 run.log >&2; fail "exit code $code after $(wc -l <kills) kills" ;;
		esac
		[ "$(wc -l <kills)" -lt $((KILLS * 20)) ] || fail "never ends between $KILLS x 20 kills"
	done
}

kills() { wc -l <kills; }

# Prints how many milliseconds COMMAND takes.
duration_of() { # COMMAND...
	local started
	started=$(date +%s%N)
	"$@" >run.log 2>&1
	echo $((($(date +%s%N) - started) / 1000000 + 50))
}

fill_some() { # PREFIX
	fill bulk --prefix "$1" --topic lz4 --bytes 60M --codec lz4 --incompressible
	fill bulk --prefix "$1" --topic small --bytes 4M --record-bytes 100
	fill codecs one-record-batches transactions large log-append-time timestamps --prefix "$1" --scale 0.3
	dump --prefix "$1" --isolation read_committed --output source.dump
}

killed_backups() { # PREFIX MORE-OF-SPEC
	local usual rounds=0
	backup_yaml killed "[\"$1*\"]" "segmentMaxBytes: 3000000
checkpoint: {intervalSecs: 1}
$2" >backup.yaml
	usual=$(duration_of kafka_backup_run backup.yaml)
	: >kills
	until [ "$(kills)" -ge "$KILLS" ]; do
		rm -rf "$volumes/kafka-backups/default"
		run_and_kill "$usual" "$KAFKA_BACKUP" run -f backup.yaml --volumes "$volumes"
		"$KAFKA_BACKUP" verify --deep --volumes "$volumes" >verify.log 2>&1 || fail "verify: $(tail -3 verify.log)"
		rounds=$((rounds + 1))
	done
	echo "$(kills) kills in $rounds rounds"
	restore_yaml killed-again killed >restore.yaml
}

test_backup_killed_at_random_instants() {
	fill_some kb-
	killed_backups kb- ""
	topics delete kb-
	kafka_backup_run restore.yaml
	dump --prefix kb- --output target.dump
	compare source.dump target.dump --ignore-timestamp-type kb-log-append-time
}

test_restore_killed_at_random_instants() {
	fill_some kr-
	backup_yaml source '["kr-*"]' >backup.yaml
	restore_yaml source-again source >restore.yaml
	kafka_backup_run backup.yaml
	topics delete kr-
	local usual rounds=0
	usual=$(duration_of kafka_backup_run restore.yaml)
	: >kills
	until [ "$(kills)" -ge "$KILLS" ]; do
		topics delete kr-
		run_and_kill "$usual" "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes"
		dump --prefix kr- --output target.dump
		compare source.dump target.dump --ignore-timestamp-type kr-log-append-time
		contains "$(kafka_backup_run restore.yaml)" "written now   0 records" # once more: there is nothing left to do
		rounds=$((rounds + 1))
	done
	echo "$(kills) kills in $rounds rounds"
}

# What the operator asks for at the tick after one that failed.
test_run_under_a_new_id_finishes_the_one_before() {
	fill bulk --prefix kn- --bytes 20M --incompressible
	backup_yaml next '["kn-*"]' "segmentMaxBytes: 1000000
checkpoint: {intervalSecs: 1}" >backup.yaml
	{ cat backup.yaml; echo "  rateLimiting: {bytesPerSec: 4000000}"; } >slow.yaml
	background slow.log "$KAFKA_BACKUP" run -f slow.yaml --volumes "$volumes" --backup-id next-20250101-000000
	wait_for 60 "a checkpoint with segments" compgen -G "$volumes/kafka-backups/default/next/runs/next-20250101-000000/*/*2"
	kill -KILL "$pid"
	kafka_backup_run backup.yaml --backup-id next-20250102-000000 >next.log 2>&1
	contains "$(cat next.log)" "next-20250101-000000 was not finished: it is finished first"
	eq "next-20250101-000000 next-20250102-000000" "$("$KAFKA_BACKUP" list --volumes "$volumes" --output json | python3 -c '
import json, sys
print(*[b["backupId"] for a in json.load(sys.stdin)["archives"] for b in a["backups"] if "next" in b["backupId"]])')" "backups"
}

# Three shards at once, each killed until it ends by itself, then what ends the run.
killed_shards() { # USUAL-MILLISECONDS FILE OPTIONS...
	local usual=$1 i pids=()
	shift
	for i in 0 1 2; do
		(cd "$(mktemp -d shard.XXXXXX)" && : >kills && run_and_kill "$usual" "$KAFKA_BACKUP" run -f "../$1" \
			--volumes "$volumes" "${@:2}" --shard "$i/3" && cat kills >>../kills) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	kafka_backup_run "$@" --finish
}

test_shards_killed_at_random_instants() {
	fill_some ks-
	local usual id rounds=0
	backup_yaml shards '["ks-*"]' "segmentMaxBytes: 1000000
checkpoint: {intervalSecs: 1}" >backup.yaml
	usual=$(duration_of kafka_backup_run backup.yaml)
	: >kills
	until [ "$(kills)" -ge "$KILLS" ]; do
		rm -rf "$volumes/kafka-backups/default"
		rounds=$((rounds + 1)) id=shards-20250101-$(printf %06d "$rounds")
		killed_shards "$usual" backup.yaml --backup-id "$id"
		"$KAFKA_BACKUP" verify --deep --volumes "$volumes" >verify.log 2>&1 || fail "verify: $(tail -3 verify.log)"
	done
	echo "$(kills) kills of backup shards in $rounds rounds"
	: >kills
	until [ "$(kills)" -ge "$KILLS" ]; do
		topics delete ks-
		restore_yaml shards-again shards | sed "s/backupRef: {/backupRef: {backupId: $id, /" >restore.yaml
		killed_shards "$usual" restore.yaml
		dump --prefix ks- --output target.dump
		compare source.dump target.dump --ignore-timestamp-type ks-log-append-time
	done
	echo "$(kills) kills of restore shards"
}

records_in() { dump --prefix "$1" --output count.dump | grep -oE '[0-9]+ records' | cut -d' ' -f1; }
has_records() { [ "$(records_in "$1")" -gt 0 ]; }

# A restore that is stopped in the middle and wakes when its successor is done must not add a record.
test_woken_restore_writes_nothing() {
	fill bulk --prefix zo- --bytes 20M --incompressible
	dump --prefix zo- --isolation read_committed --output source.dump
	backup_yaml zombie '["zo-*"]' >backup.yaml
	kafka_backup_run backup.yaml
	topics delete zo-
	restore_yaml zombie-again zombie 'rateLimiting: {bytesPerSec: 2000000}' >slow.yaml
	restore_yaml zombie-again zombie >restore.yaml
	background slow.log "$KAFKA_BACKUP" run -f slow.yaml --volumes "$volumes"
	local zombie=$pid code=0
	wait_for 30 "the first records" has_records zo-
	kill -STOP "$zombie"
	kafka_backup_run restore.yaml
	kill -CONT "$zombie"
	wait "$zombie" || code=$?
	eq 73 "$code" "exit code of the woken restore ($(tail -2 slow.log))"
	contains "$(cat slow.log)" "took over"
	dump --prefix zo- --output target.dump
	compare source.dump target.dump
}

# The same of a backup: it is fenced at its next checkpoint, and one set is committed.
test_woken_backup_commits_nothing() {
	fill bulk --prefix zb- --bytes 20M --incompressible
	dump --prefix zb- --isolation read_committed --output source.dump
	local common='segmentMaxBytes: 1000000
checkpoint: {intervalSecs: 1}'
	backup_yaml zombie '["zb-*"]' "$common
rateLimiting: {bytesPerSec: 2000000}" >slow.yaml
	backup_yaml zombie '["zb-*"]' "$common" >backup.yaml
	background slow.log "$KAFKA_BACKUP" run -f slow.yaml --volumes "$volumes"
	local zombie=$pid code=0
	wait_for 30 "the first segment" compgen -G "$volumes/kafka-backups/default/zombie/segments/*/*"
	kill -STOP "$zombie"
	kafka_backup_run backup.yaml
	kill -CONT "$zombie"
	wait "$zombie" || code=$?
	eq 73 "$code" "exit code of the woken backup ($(tail -2 slow.log))"
	eq 1 "$(ls "$volumes/kafka-backups/default/zombie/sets" | wc -l)" "sets"
	"$KAFKA_BACKUP" verify --deep --volumes "$volumes"
	topics delete zb-
	restore_yaml zombie-again zombie >restore.yaml
	kafka_backup_run restore.yaml
	dump --prefix zb- --output target.dump
	compare source.dump target.dump
}

# The oldest set is restored slowly, while retention and prunes want to delete it.
test_set_stays_while_it_is_restored() {
	local oldest=kept-20250101-000000 archive=$volumes/kafka-backups/default/kept
	fill bulk --prefix st- --bytes 12M --incompressible
	dump --prefix st- --isolation read_committed --output source.dump
	backup_yaml kept '["st-*"]' 'retention: {enabled: true, keepLast: 1}' >backup.yaml
	kafka_backup_run backup.yaml --backup-id $oldest
	topics delete st-
	fill codecs --prefix st-other- # the newer sets need nothing of the oldest one
	restore_yaml kept-again kept 'rateLimiting: {bytesPerSec: 700000}' | sed "s/backupRef: {/backupRef: {backupId: $oldest, /" >restore.yaml
	background restore.log "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes"
	local restore=$pid
	wait_for 30 "the first records" has_records st-bulk
	contains "$(kafka_backup_run backup.yaml --backup-id kept-20250102-000000)" "retention left backup $oldest (being restored by default/kept-again)"
	contains "$("$KAFKA_BACKUP" prune --keep-last 1 --volumes "$volumes")" "$oldest (being restored by default/kept-again)"
	expect_exit 73 "$KAFKA_BACKUP" prune --delete $oldest --volumes "$volumes"
	contains "$output" "backup $oldest is being restored by default/kept-again; nothing was deleted"
	contains "$output" "hint: let the restore end"
	kill -0 "$restore" || fail "the restore was too fast for this test"
	[ ! -e "$archive/tombstones/$oldest" ] || fail "a tombstone was written"
	wait "$restore" || fail "the restore: $(tail -3 restore.log)"
	dump --prefix st-bulk --output target.dump
	compare source.dump target.dump
	[ -z "$(find "$archive/pins" -type f 2>/dev/null)" ] || fail "left: $(find "$archive/pins")"
	contains "$("$KAFKA_BACKUP" prune --keep-last 1 --volumes "$volumes")" "$oldest"
	[ ! -e "$archive/sets/$oldest" ] && [ ! -e "$archive/segments/$oldest" ] || fail "the set is still there"
	"$KAFKA_BACKUP" verify --deep --volumes "$volumes"
}

test_full_disk() {
	fill bulk --prefix fd- --bytes 30M --incompressible
	dump --prefix fd- --isolation read_committed --output source.dump
	mkdir small && mount -t tmpfs -o size=12M tmpfs small
	trap 'umount -l small' EXIT
	mkdir small/kafka-backups
	backup_yaml full '["fd-*"]' 'segmentMaxBytes: 2000000' >backup.yaml
	expect_exit 77 "$KAFKA_BACKUP" run -f backup.yaml --volumes small
	contains "$output" "No space left on device"
	eq 0 "$(ls small/kafka-backups/default/full/sets 2>/dev/null | wc -l)" "sets"
	mount -o remount,size=80M small
	"$KAFKA_BACKUP" run -f backup.yaml --volumes small
	"$KAFKA_BACKUP" verify --deep --volumes small
	topics delete fd-
	restore_yaml full-again full >restore.yaml
	mount -o remount,ro small # nothing can be pinned there, which keeps no restore from its work
	expect_exit 0 "$KAFKA_BACKUP" run -f restore.yaml --volumes small
	contains "$output" "is not protected from being deleted while it is restored"
	dump --prefix fd- --output target.dump
	compare source.dump target.dump
}

test_failing_fsync() {
	fill codecs --prefix ff-
	dump --prefix ff- --isolation read_committed --output source.dump
	backup_yaml fsync '["ff-*"]' 'segmentMaxBytes: 100000' >backup.yaml
	local n library
	library=$(find "$(dirname "$KAFKA_BACKUP")" -name libfailing_fsync.so)
	for n in 1 3 5 9; do
		expect_exit 65 env LD_PRELOAD="$library" FAILING_FSYNC="fsync:$n:EIO" FAILING_FSYNC_PATH=/kafka-backups/ \
			"$KAFKA_BACKUP" run -f backup.yaml --volumes "$volumes"
		contains "$output" "Input/output error"
	done
	kafka_backup_run backup.yaml
	"$KAFKA_BACKUP" verify --deep --volumes "$volumes"
	topics delete ff-
	restore_yaml fsync-again fsync >restore.yaml
	kafka_backup_run restore.yaml
	dump --prefix ff- --output target.dump
	compare source.dump target.dump
}

run_tests "$@"
