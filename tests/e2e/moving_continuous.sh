#!/bin/bash
# Continuous backups of three brokers: leaders that move, die and fall silent, retention that is faster, and a log
# that an unclean election changes. One process lives through it all, and what it leaves is what an independent
# reader sees. The numbers are small here; MOVES, KILLS, ROLLS and SILENCES set others.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../cluster_lib.sh"
MOVES=${MOVES:-2} KILLS=${KILLS:-1} ROLLS=${ROLLS:-0} SILENCES=${SILENCES:-1}
cancelled=130

# With producers of transactions, so that their coordinators move, too.
start_cluster trio && admin fence nobody

# Begins to follow a topic through the proxies, which count from there on. Sets $running.
follow() { # ARCHIVE TOPIC
	backup_yaml "$1" "[$2]" "restorePointIntervalSecs: 2
metrics: {bindAddress: 127.0.0.1, port: 0, updateIntervalMs: 100}" |
		sed 's/stopAtCurrentOffsets: true/continuous: true/' >direct.yaml
	through_proxies direct.yaml "$1.yaml"
	nothing_seen
	background "$1.log" "$KAFKA_BACKUP" run -f "$1.yaml" --volumes "$volumes" --progress none
	running=$pid
}

# Ends it as Kubernetes would. That it answers shows that it is the process that was started.
end_follow() { # ARCHIVE
	local code=0
	kill -TERM "$running" || fail "it had ended before: $(tail -3 "$1.log")"
	wait "$running" || code=$?
	eq "$cancelled" "$code" "exit code after SIGTERM; $(tail -3 "$1.log")"
	contains "$(cat "$1.log")" "has everything that was read"
}

# Its restore points, the newest last; runs that nothing came of are none.
points() { # ARCHIVE
	"$KAFKA_BACKUP" list --archive "$volumes/kafka-backups/default/$1" --output json |
		python3 -c 'if True:
			import json, sys
			for backup in json.load(sys.stdin)["archives"][0]["backups"]: print(backup["backupId"])'
}
newest_point() { points "$1" | tail -1; } # ARCHIVE

# "partition end" of each, as the log has it and as the newest set does.
log_ends() { # TOPIC PARTITIONS
	local p
	for ((p = 0; p < $2; p++)); do echo "$p $(admin end "$1" "$p")"; done
}
set_ends() { # ARCHIVE TOPIC
	"$KAFKA_BACKUP" describe "$(newest_point "$1")" --volumes "$volumes" --output json | python3 -c 'if True:
		import json, sys
		for topic in json.load(sys.stdin)["capture"]["topics"]:
		    if topic["name"] == sys.argv[1]:
		        for p in topic["partitions"]: print(p["partition"], p["end"])' "$2"
}

# Waits until a restore point has all that the topic has now.
everything_held() { # ARCHIVE TOPIC PARTITIONS
	log_ends "$2" "$3" >log.ends
	wait_for 120 "a restore point with all of $2" held_or_over "$1" "$2"
	kill -0 "$running" || fail "it has ended: $(tail -3 "$1.log")"
}
held_or_over() { [ "$(set_ends "$1" "$2")" = "$(cat log.ends)" ] || ! kill -0 "$running"; } # ARCHIVE TOPIC

# What happened to the logs, as all sets tell it: a restore point says what is new since the one before.
histories() { # ARCHIVE
	local id
	for id in $(points "$1"); do describe "$id" | sed -n '/^History/,/^$/p'; done
}

metric() { # ARCHIVE NAME
	curl -sf "$(sed -nE 's/.*served at ([0-9.:]+\/metrics).*/\1/p' "$1.log")" |
		awk -v name="$2" 'index($1, name "{") == 1 { print $2 }'
}

test_a_storm() {
	local load acknowledged
	begin_load
	load=$pid
	follow stormy load
	wait_for 60 "the first restore point" eval '[ -n "$(newest_point stormy)" ]'
	begin_storm
	wait "$storm" || fail "the storm ended: $(tail -3 storm.log)"
	kill "$load"
	wait "$load" || fail "the producer: $(tail -3 "$work/load.log")"
	everything_held stormy load 6
	end_follow stormy
	dump load --offsets --output source.dump
	restored_equals stormy "$(newest_point stormy)" load source.dump >compared
	cat storm.log compared
	# Not less than the producer has acknowledged; what it was not answered may be in the log as well.
	acknowledged=$(sed -nE 's/^([0-9]+) records$/\1/p' "$work/load.log")
	[ "$(sed -nE 's/^([0-9]+) records compared$/\1/p' compared)" -ge "$acknowledged" ] ||
		fail "$acknowledged records were acknowledged"
	echo "$(points stormy | wc -l) restore points"
}

# It stands still while retention takes what it has not read. What it had asked for by then may still be
# answered with the first of it.
test_retention_overtakes_it() {
	local first lost
	admin in-sync ""
	admin create ov 1 3
	write ov 1 2000 0
	follow overtaken ov
	everything_held overtaken ov 1
	kill -STOP "$running"
	write ov 1 5000 2000
	dump ov --offsets --output before.dump
	admin delete-records ov 0 6000
	kill -CONT "$running"
	write ov 1 1000 7000
	everything_held overtaken ov 1
	lost=$(metric overtaken kafka_backup_offsets_lost_total)
	end_follow overtaken
	first=$((6000 - lost))
	[ "$first" -ge 2000 ] && [ "$lost" -gt 1000 ] || fail "kafka_backup_offsets_lost_total is $lost"
	contains "$(histories overtaken)" "ov/0: offsets $first to 5999 lost: gone before they were read"
	contains "$(cat overtaken.log)" "ov/0 at offset $first: offsets up to 5999 are gone before they were read"
	grep -Eq "^ *lost +$(thousands "$lost") offsets" overtaken.log || fail "the report does not tell"
	dump ov --offsets --output after.dump
	awk -F'\t' '$1 == "R" && $4 >= 7000' after.dump | cat before.dump - >source.dump
	restored_equals overtaken "$(newest_point overtaken)" ov source.dump >compared
	contains "$(cat compared)" "$((8000 - lost)) records compared"
}
thousands() { sed -E 's/([0-9])([0-9]{3})$/\1,\2/' <<<"$1"; } # NUMBER

# What it had read is not in the log any more: the old lineage stays in the restore points there are, and a new
# one begins.
test_an_unclean_election() {
	local old
	begin_lagging un 1 2
	write un 1 7000 1000
	dump un --offsets --output old.dump
	follow unclean un
	everything_held unclean un 1
	old=$(newest_point unclean)
	unclean_election un 1 2
	everything_held unclean un 1
	end_follow unclean
	# Which of the two depends on how far the new log was when it was planned for.
	histories unclean | grep -E "un: read afresh: the log (was truncated to offset 1000|ends at offset [0-9]+)"
	dump un --offsets --output new.dump
	restored_equals unclean "$old" un old.dump
	restored_equals unclean "$(newest_point unclean)" un new.dump >compared
	contains "$(cat compared)" "9000 records compared"
}

# The same of a compacted topic that was idle, and by the time of the next fetch the new log is longer: nothing but
# the leader's epochs tells that it is another one.
test_an_unclean_election_of_a_compacted_topic() {
	local old
	begin_lagging uc 1 2 cleanup.policy=compact
	write uc 1 7000 1000
	dump uc --offsets --output old.dump
	follow compacted uc
	everything_held compacted uc 1
	old=$(newest_point compacted)
	wait_for 30 "a run that is open and has nothing" has_open_run compacted
	kill -STOP "$running"
	unclean_election uc 1 2
	kill -CONT "$running"
	everything_held compacted uc 1
	end_follow compacted
	contains "$(histories compacted)" "uc: read afresh: the log was truncated to offset 1000"
	dump uc --offsets --output new.dump
	restored_equals compacted "$old" uc old.dump
	restored_equals compacted "$(newest_point compacted)" uc new.dump >compared
	contains "$(cat compared)" "9000 records compared"
}
# A run is open that is no restore point yet. Times would not tell: files may be of the same instant.
has_open_run() { # ARCHIVE
	local run archive=$volumes/kafka-backups/default/$1
	for run in "$archive"/runs/*/opening; do
		run=$(basename "${run%/opening}")
		[ -e "$archive/sets/$run" ] || return 0
	done
	return 1
}

run_tests "$@"
