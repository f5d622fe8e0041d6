#!/bin/bash
# Three brokers whose leaders move, die, fall silent and come back, and logs that retention, deletion and unclean elections
# change, while backups and restores run under load: every record once, as an independent reader sees it. The numbers are small here; `make torture` sets the full ones.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../cluster_lib.sh"
MOVES=${MOVES:-2} KILLS=${KILLS:-1} ROLLS=${ROLLS:-0} SILENCES=${SILENCES:-1}
RETENTIONS=${RETENTIONS:-1} RECREATIONS=${RECREATIONS:-2} ELECTIONS=${ELECTIONS:-1}

# What is written while everything goes on: one topic for the whole script.
begin_load() {
	admin create load 6 3
	background "$work/load.log" "$tools/kafka_load" "$bootstrap" load 6 --rate 200
}
start_cluster trio && begin_load

# ---- what happens ------------------------------------------------------------------------------------------

moved=0
move_leaders() { # TOPIC...
	admin in-sync load __ "$@"
	admin move load "$@"
	moved=$((moved + 1))
	[ $((moved % 3)) != 0 ] || admin move __transaction_state
}

kill_one() {
	local n=$((1 + RANDOM % 3))
	admin in-sync ""
	kill_member "$n"
	start_member_again "$n"
}

roll() {
	local n
	for n in 1 2 3; do
		admin in-sync ""
		restart_member "$n"
	done
}

# No answer and no end of connections, from one broker; to us only. Longer than a request may take.
fall_silent() {
	local n=$((1 + RANDOM % 3))
	tell "$n" black-hole
	sleep 35 # the length of the silence is what is tested
	tell "$n" clear
}

# Everything that is to happen, in a random order, as often as it should; ends with the file `storm.over`.
storm() { # TOPIC...
	local event
	{
		for _ in $(seq "$MOVES"); do echo move_leaders "$@"; done
		for _ in $(seq "$KILLS"); do echo kill_one; done
		for _ in $(seq "$ROLLS"); do echo roll; done
		for _ in $(seq "$SILENCES"); do echo fall_silent; done
	} | shuf >events
	while read -r event; do
		echo "$(date +%T) $event" >>storm.log
		$event >>storm.log 2>&1 || { echo "failed: $event" >>storm.log; return 1; }
	done <events
	admin in-sync "" >>storm.log
	touch storm.over
}

through_proxies() { # YAML NEW-YAML
	sed "s/bootstrapServers: \[[^]]*\]/bootstrapServers: [\"${proxied//,/\", \"}\"]/" "$1" >"$2"
}

# ---- during backups and restores ---------------------------------------------------------------------------

# Runs a backup again and again, each of an archive of its own, until the storm is over.
backups_in_storm() { # YAML
	local i=0
	until [ -e storm.over ]; do
		kill -0 "$storm" 2>/dev/null || fail "the storm ended: $(tail -3 storm.log)"
		i=$((i + 1))
		sed "s/name: stormy}/name: stormy-$i}/" "$1" >run.yaml
		kafka_backup_run run.yaml >run.log 2>&1 || fail "backup $i: $(tail -3 run.log)"
		echo "$(date +%T) backup $i is complete" >>storm.log
	done
	backups=$i
}

# Compares what a set holds, restored under names with PREFIX, with the source.
check_set() { # ID PREFIX SOURCE-DUMP OPTIONS...
	local prefix=$2 source=$3
	"$KAFKA_BACKUP" describe "$1" --volumes "$volumes" --output json >set.json
	dump --prefix "$prefix" --output target.dump
	"$support/kafka_captured.py" set.json "$source" target.dump "${@:4}" || fail "$1"
}

ids() { ls "$volumes/kafka-backups/default/$1/sets"; } # ARCHIVE

test_backups_in_a_storm() {
	admin create st-bulk 6 3
	"$tools/kafka_load" "$bootstrap" st-bulk 6 --count 24000 --record-bytes 1000
	backup_yaml stormy '["st-bulk", load]' 'rateLimiting: {bytesPerSec: 2000000}
segmentMaxBytes: 2000000
checkpoint: {intervalSecs: 1}' >direct.yaml
	through_proxies direct.yaml backup.yaml
	storm st-bulk &
	storm=$!
	backups_in_storm backup.yaml
	wait "$storm"
	dump load st-bulk --offsets --isolation read_committed --output source.dump
	for i in $(seq "$backups"); do
		restore_yaml "stormy-$i-again" "stormy-$i" "topicMapping: {st-bulk: sr$i-bulk, load: sr$i-load}" >restore.yaml
		kafka_backup_run restore.yaml
		check_set "$(ids "stormy-$i")" "sr$i-" source.dump --map "st-bulk=sr$i-bulk" --map "load=sr$i-load" --counting load --counting st-bulk
		topics delete "sr$i-"
	done
	cat storm.log
	echo "$backups backups"
}

test_restores_in_a_storm() {
	admin create so-bulk 6 3
	"$tools/kafka_load" "$bootstrap" so-bulk 6 --count 24000 --record-bytes 1000
	backup_yaml calm '["so-bulk", load]' >backup.yaml
	kafka_backup_run backup.yaml
	dump load so-bulk --offsets --isolation read_committed --output source.dump
	storm so-bulk &
	storm=$!
	local i=0
	until [ -e storm.over ]; do
		kill -0 "$storm" 2>/dev/null || fail "the storm ended: $(tail -3 storm.log)"
		i=$((i + 1))
		restore_yaml "calm-$i" calm "topicMapping: {so-bulk: ss$i-bulk, load: ss$i-load}
rateLimiting: {bytesPerSec: 2000000}" >direct.yaml
		through_proxies direct.yaml restore.yaml
		kafka_backup_run restore.yaml >run.log 2>&1 || fail "restore $i: $(tail -3 run.log)"
		echo "$(date +%T) restore $i is complete" >>storm.log
	done
	wait "$storm"
	for n in $(seq "$i"); do
		check_set "$(ids calm)" "ss$n-" source.dump --map "so-bulk=ss$n-bulk" --map "load=ss$n-load"
		topics delete "ss$n-"
	done
	cat storm.log
	echo "$i restores"
}

# More partitions than there is memory for: what those of the dead broker hold must not be what all others wait for. The restore ends
# while the broker is still down.
test_a_broker_dies_while_memory_is_short() {
	admin create sm-bulk 90 3
	"$tools/kafka_load" "$bootstrap" sm-bulk 90 --count 30000 --record-bytes 3000
	backup_yaml short '["sm-bulk"]' 'compression: none' >backup.yaml
	kafka_backup_run backup.yaml
	dump sm-bulk --offsets --output source.dump
	restore_yaml short-again short "topicMapping: {sm-bulk: sm-copy}
rateLimiting: {bytesPerSec: 8000000}" >restore.yaml
	background restore.log timeout 90 "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes" --memory 16Mi
	local restore=$pid
	wait_for 60 "a third of the records" has_records sm-copy 30
	kill_member 2
	wait "$restore" || fail "restore: exit code $?: $(tail -3 restore.log)"
	check_set "$(ids short)" sm-copy source.dump --map sm-bulk=sm-copy
	start_member_again 2
	admin in-sync ""
	topics delete sm-
}

has_records() { [ "$(admin end "$1" "$2")" -gt 0 ]; } # TOPIC PARTITION

# ---- logs that change --------------------------------------------------------------------------------------

# So slow that there is time for something to happen; `more` is more of the spec.
slow='compression: none
rateLimiting: {bytesPerSec: 1000000}
segmentMaxBytes: 1000000
checkpoint: {intervalSecs: 1}'

write() { # TOPIC PARTITIONS COUNT FIRST-KEY
	"$tools/kafka_load" "$bootstrap" "$1" "$2" --count "$3" --first-key "$4" --record-bytes 1000
}

describe() { "$KAFKA_BACKUP" describe "$1" --volumes "$volumes"; } # ID
newest() { ids "$1" | tail -1; }                                    # ARCHIVE

segments() { find "$volumes/kafka-backups" -path "*/default/$1/segments/*" -type f | wc -l; } # ARCHIVE
has_segments() { [ "$(segments "$1")" -ge "$2" ]; }                                          # ARCHIVE COUNT

# Restores a set under names with PREFIX and compares it with a dump of the source as it was.
restored_equals() { # ARCHIVE ID TOPIC SOURCE-DUMP
	restore_yaml "$1-$2" "$1" "topicMapping: {$3: again-$3}" | sed "s/backupRef: {/backupRef: {backupId: $2, /" >restore.yaml
	kafka_backup_run restore.yaml
	check_set "$2" "again-$3" "$4" --map "$3=again-$3"
	topics delete "again-$3"
}

# Begins a slow backup; goes on when so many segments of it are stored. Sets $running.
begin_backup() { # ARCHIVE TOPIC SEGMENTS
	backup_yaml "$1" "[$2]" "$slow" >"$1.yaml"
	background "$1.log" "$KAFKA_BACKUP" run -f "$1.yaml" --volumes "$volumes"
	running=$pid
	local before
	before=$(segments "$1")
	wait_for 120 "segments of $1" has_segments "$1" $((before + $3))
}

end_backup() { # ARCHIVE
	wait "$running" || fail "backup: $(tail -3 "$1.log")"
}

test_retention_overtakes_a_backup() {
	local i
	admin create re 1 3
	write re 1 2000 0
	backup_yaml between '[re]' >between.yaml
	kafka_backup_run between.yaml
	write re 1 4000 2000
	admin delete-records re 0 3000
	dump re --offsets --output source.dump
	contains "$(kafka_backup_run between.yaml)" "re/0: offsets 2000 to 2999 lost: deleted by retention between two backups"
	contains "$(describe "$(newest between)")" "re/0: offsets 2000 to 2999 lost"
	restored_equals between "$(newest between)" re source.dump
	for i in $(seq "$RETENTIONS"); do
		write re 1 9000 $((10000 * i))
		dump re --offsets --output source.dump
		begin_backup "overtaken-$i" re 2
		admin delete-records re 0 $(($(admin end re 0) - 1000))
		end_backup "overtaken-$i"
		contains "$(cat "overtaken-$i.log")" "lost"
		contains "$(describe "$(newest "overtaken-$i")")" "lost: gone before they were read"
		restored_equals "overtaken-$i" "$(newest "overtaken-$i")" re source.dump
	done
}

test_recreated_topics() {
	local i id
	for i in $(seq "$RECREATIONS"); do
		admin create rc 2 3
		write rc 2 8000 0
		dump rc --offsets --output old.dump
		begin_backup "recreated-$i" rc 2
		admin delete rc
		if [ $((i % 2)) = 1 ]; then # at once
			admin create rc 2 3
			write rc 2 8000 100000
			end_backup "recreated-$i"
			contains "$(describe "$(newest "recreated-$i")")" "rc: the topic was deleted and created again during the backup"
		else # not before the backup has given up waiting for it
			end_backup "recreated-$i"
			contains "$(describe "$(newest "recreated-$i")")" "rc: the topic was deleted during the backup"
			admin create rc 2 3
			write rc 2 8000 100000
		fi
		id=$(newest "recreated-$i")
		dump rc --offsets --output new.dump
		kafka_backup_run "recreated-$i.yaml"
		contains "$(describe "$(newest "recreated-$i")")" "rc: read afresh: the topic was deleted and created again"
		restored_equals "recreated-$i" "$id" rc old.dump
		restored_equals "recreated-$i" "$(newest "recreated-$i")" rc new.dump
		admin delete rc
	done
}

# The follower, which lacks the last records, becomes the leader; then the new log grows beyond where the old one was.
unclean_election() { # TOPIC OLD-LEADER FOLLOWER
	kill_member "$2"
	"$support/kafka.sh" resume "$cluster/$3"
	admin leader "$1" 0 "$3"
	write "$1" 1 8000 100000
	start_member_again "$2"
	admin in-sync ""
}

test_unclean_elections() {
	local i id leader follower topic
	for i in $(seq "$ELECTIONS"); do
		topic=un-$i leader=$((1 + i % 3)) follower=$((1 + (i + 1) % 3))
		admin in-sync ""
		admin create "$topic" 1 "$leader:$follower" min.insync.replicas=1 unclean.leader.election.enable=true
		write "$topic" 1 1000 0
		admin in-sync "$topic"
		"$support/kafka.sh" pause "$cluster/$follower"
		admin in-sync-count "$topic" 0 1
		write "$topic" 1 7000 1000
		dump "$topic" --offsets --output old.dump
		if [ $((i % 2)) = 1 ]; then # while it is read
			begin_backup "unclean-$i" "$topic" 3
			unclean_election "$topic" "$leader" "$follower"
			end_backup "unclean-$i"
			contains "$(describe "$(newest "unclean-$i")")" "the log was truncated during the backup"
		else
			backup_yaml "unclean-$i" "[$topic]" >"unclean-$i.yaml"
			kafka_backup_run "unclean-$i.yaml"
			unclean_election "$topic" "$leader" "$follower"
		fi
		id=$(newest "unclean-$i")
		dump "$topic" --offsets --output new.dump
		kafka_backup_run "unclean-$i.yaml"
		contains "$(describe "$(newest "unclean-$i")")" "$topic: read afresh: the log was truncated to offset 1000: an unclean leader election"
		restored_equals "unclean-$i" "$id" "$topic" old.dump
		restored_equals "unclean-$i" "$(newest "unclean-$i")" "$topic" new.dump
		admin delete "$topic"
	done
}

test_topics_and_partitions_come_and_go() {
	local told first
	admin create go-grows 3 3
	admin create go-vanishes 2 3
	write go-grows 3 300 0
	write go-vanishes 2 300 0
	dump go-vanishes --offsets --output vanished.dump
	backup_yaml going '["go-*"]' >going.yaml
	kafka_backup_run going.yaml
	first=$(newest going)
	admin add-partitions go-grows 5
	admin delete go-vanishes
	admin create go-appears 1 3
	write go-grows 5 500 1000
	write go-appears 1 100 0
	kafka_backup_run going.yaml
	told=$(describe "$(newest going)")
	contains "$told" "go-vanishes: not there any more"
	contains "$told" "go-appears: new topic"
	contains "$told" "go-grows: partitions 3 to 4 added"
	restore_yaml old going "topics: [go-vanishes]" | sed "s/backupRef: {/backupRef: {backupId: $first, /" >restore.yaml
	kafka_backup_run restore.yaml
	check_set "$first" go-vanishes vanished.dump --only go-vanishes
}

run_tests "$@"
