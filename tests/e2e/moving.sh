#!/bin/bash
# Three brokers whose leaders move, die, fall silent and come back, and logs that retention, deletion and unclean elections
# change, while backups and restores run under load: every record once, as an independent reader sees it. The numbers are small here; `make torture` sets the full ones.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../cluster_lib.sh"
MOVES=${MOVES:-2} KILLS=${KILLS:-1} ROLLS=${ROLLS:-0} SILENCES=${SILENCES:-1}
RETENTIONS=${RETENTIONS:-1} RECREATIONS=${RECREATIONS:-2} ELECTIONS=${ELECTIONS:-1}

# With producers of transactions, so that their coordinators move, too.
start_cluster trio && begin_load && admin fence nobody

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

test_backups_in_a_storm() {
	admin create st-bulk 6 3
	"$tools/kafka_load" "$bootstrap" st-bulk 6 --count 24000 --record-bytes 1000
	backup_yaml stormy '["st-bulk", load]' 'rateLimiting: {bytesPerSec: 2000000}
segmentMaxBytes: 2000000
checkpoint: {intervalSecs: 1}' >direct.yaml
	through_proxies direct.yaml backup.yaml
	begin_storm st-bulk
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
	begin_storm so-bulk
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

# Topics that need three replicas cannot be created while one of three brokers takes none, as for a moment when it starts; here it is told
# to take none (KIP-1066). That is waited for.
test_a_restore_waits_for_brokers_that_its_topics_need() {
	admin in-sync ""
	admin create wb 2 3
	write wb 2 100 0
	backup_yaml waits '[wb]' >backup.yaml
	kafka_backup_run backup.yaml
	dump wb --offsets --output source.dump
	cordon --add-config 'cordoned.log.dirs=*'
	trap 'cordon --delete-config cordoned.log.dirs' EXIT
	restore_yaml waits-again waits "topicMapping: {wb: wb-copy}" >restore.yaml
	background restore.log "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes" --progress none
	local restore=$pid
	wait_for 60 "a word about it" grep -q "topic wb-copy needs 3 brokers, and some are down" restore.log
	cordon --delete-config cordoned.log.dirs
	trap - EXIT
	wait "$restore" || fail "restore: exit code $?: $(tail -3 restore.log)"
	check_set "$(ids waits)" wb-copy source.dump --map wb=wb-copy
}
cordon() { kafka_cli kafka.admin.ConfigCommand --bootstrap-server "$bootstrap" --entity-type brokers --entity-name 3 --alter "$@"; }

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
	background restore.log timeout 600 "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes" --memory 16Mi
	local restore=$pid
	wait_for 240 "a third of the records" has_records sm-copy 30
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

segments() { find "$volumes/kafka-backups" -path "*/default/$1/segments/*" -type f | wc -l; } # ARCHIVE
has_segments() { [ "$(segments "$1")" -ge "$2" ]; }                                          # ARCHIVE COUNT

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
	admin in-sync ""
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

test_unclean_elections() {
	local i id leader follower topic
	for i in $(seq "$ELECTIONS"); do
		topic=un-$i leader=$((1 + i % 3)) follower=$((1 + (i + 1) % 3))
		begin_lagging "$topic" "$leader" "$follower"
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

# Of a compacted topic, too, the leader tells by the epoch that the log is another one: the fetches are held back
# until it ends before what is archived.
test_a_log_that_ends_before_what_is_archived() {
	local told
	begin_lagging sh 2 3 cleanup.policy=compact
	write sh 1 1000 1000
	backup_yaml shorter '[sh]' >direct.yaml
	through_proxies direct.yaml shorter.yaml
	kafka_backup_run shorter.yaml
	write sh 1 2000 2000
	dump sh --offsets --output old.dump
	nothing_seen
	tell_all "black-hole api=Fetch"
	background shorter.log "$KAFKA_BACKUP" run -f shorter.yaml --volumes "$volumes"
	running=$pid
	wait_for 60 "a fetch" eval '[ "$(seen_by_all "requests Fetch")" -gt 0 ]'
	elect_unclean sh 2 3
	eq 1000 "$(admin end sh 0)" "the end of the new log"
	nothing_seen
	tell_all clear
	end_backup shorter
	start_member_again 2
	admin in-sync ""
	told=$(describe "$(newest shorter)")
	contains "$told" "sh/0: offsets 1000 to 1999 the log was truncated during the backup"
	contains "$told" "sh/0: offsets 2000 to 3999 lost"
	restored_equals shorter "$(newest shorter)" sh old.dump
	dump sh --offsets --output new.dump
	kafka_backup_run shorter.yaml
	told=$(describe "$(newest shorter)")
	contains "$told" "sh: read afresh: the log ends at offset 1000, before the 4000 archived"
	restored_equals shorter "$(newest shorter)" sh new.dump
}

ends_behind() { [ "$(admin end "$1" "$2")" -ge "$3" ]; } # TOPIC PARTITION OFFSET

# The target loses, in the middle of a restore, what it had acknowledged: that is written again. The restore stands still while brokers are
# moved about, however long that takes.
test_a_restore_survives_an_unclean_election() {
	local restore
	admin in-sync ""
	admin create ur 1 3
	write ur 1 12000 0
	backup_yaml lossy '[ur]' >backup.yaml
	kafka_backup_run backup.yaml
	dump ur --offsets --output source.dump
	admin create ur-copy 1 1:2 min.insync.replicas=1 unclean.leader.election.enable=true
	restore_yaml lossy-again lossy "topicMapping: {ur: ur-copy}
rateLimiting: {bytesPerSec: 500000}" >restore.yaml
	background restore.log "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes" --progress none
	restore=$pid
	wait_for 120 "records that both replicas have" ends_behind ur-copy 0 500
	kill -STOP "$restore"
	"$support/kafka.sh" pause "$cluster/2"
	admin in-sync-count ur-copy 0 1
	local both
	both=$(admin end ur-copy 0)
	kill -CONT "$restore"
	wait_for 120 "records that one replica has" ends_behind ur-copy 0 $((both + 3000))
	kill -STOP "$restore"
	kill_member 1
	"$support/kafka.sh" resume "$cluster/2"
	admin leader ur-copy 0 2
	kill -CONT "$restore"
	start_member_again 1
	wait "$restore" || fail "restore: exit code $?: $(tail -3 restore.log)"
	contains "$(cat restore.log)" "reading the ends of the target's logs, to go on there"
	check_set "$(newest lossy)" ur-copy source.dump --map ur=ur-copy
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

# ---- who is asked, as the proxies in front of the brokers see it --------------------------------------------

# Runs a backup through the proxies, which count from there on.
seen_backup() { # ARCHIVE TOPIC [MORE LINES OF spec]
	backup_yaml "$@" >direct.yaml
	through_proxies direct.yaml "$1.yaml"
	nothing_seen
	kafka_backup_run "$1.yaml"
}

test_reads_from_the_nearest_replica() {
	local n least
	admin create nr 6 3
	write nr 6 12000 0
	admin in-sync nr
	dump nr --offsets --output source.dump
	seen_backup leaders '[nr]'
	for n in 1 2 3; do # each leads two of the six partitions
		least=$(seen "$n" 'bytes of responses Fetch')
		[ "$least" -gt 3000000 ] || fail "broker $n sent $least bytes, though it leads a third"
	done
	sed 's/kafkaCluster: {/&clientRack: rack-2, /; s/name: leaders/name: nearest/' direct.yaml >racked.yaml
	through_proxies racked.yaml nearest.yaml
	nothing_seen
	kafka_backup_run nearest.yaml
	echo "without clientRack, then with rack-2: $least of broker 3; $(seen 1 'bytes of responses Fetch') $(seen 2 'bytes of responses Fetch') $(seen 3 'bytes of responses Fetch')"
	[ "$(seen 2 'bytes of responses Fetch')" -gt 12000000 ] || fail "broker 2 did not send everything"
	for n in 1 3; do [ "$(seen "$n" 'bytes of responses Fetch')" -lt 100000 ] || fail "broker $n sent records"; done
	restored_equals nearest "$(newest nearest)" nr source.dump
}

# The replica that was read is killed in mid-run, and the leader of the rest moves: nothing is lost or twice.
test_a_replica_that_dies_is_left_for_the_leader() {
	admin create rd 3 3
	write rd 3 6000 0
	admin in-sync rd
	dump rd --offsets --output source.dump
	backup_yaml replica '[rd]' "$slow" | sed 's/kafkaCluster: {/&clientRack: rack-2, /' >direct.yaml
	through_proxies direct.yaml replica.yaml
	nothing_seen
	background replica.log "$KAFKA_BACKUP" run -f replica.yaml --volumes "$volumes"
	running=$pid
	wait_for 60 "segments" has_segments replica 2
	[ "$(seen 2 'bytes of responses Fetch')" -gt 1000000 ] || fail "broker 2 was not read"
	kill_member 2
	end_backup replica
	start_member_again 2
	admin in-sync ""
	contains "$(cat replica.log)" " 0 lost"
	restored_equals replica "$(newest replica)" rd source.dump
}

# The connections by which broker 3 is read fall silent in both directions, and no timeout ends that. (A broker that says nothing
# at all: fall_silent.)
test_a_silent_broker_holds_up_its_own_partitions_only() {
	local led
	admin create si 24 3
	write si 24 6000 0
	led=$(admin leaders si | awk '$2 == 3' | wc -l)
	dump si --offsets --output source.dump
	backup_yaml silent '[si]' 'circuitBreaker: {operationTimeoutMs: 600000}' >direct.yaml
	through_proxies direct.yaml silent.yaml
	nothing_seen
	tell 3 "black-hole api=Fetch"
	background silent.log "$KAFKA_BACKUP" --progress json run -f silent.yaml --volumes "$volumes"
	running=$pid
	wait_for 60 "a fetch of broker 3" eval '[ "$(seen 3 "requests Fetch")" -gt 0 ]'
	wait_for 60 "the partitions of the others" grep -q "\"partitionsDone\":$((24 - led))," silent.log
	eq 0 "$(seen 3 'responses Fetch')" "answers of broker 3"
	kill -0 "$running" || fail "the backup is over: $(tail -3 silent.log)"
	tell 3 clear
	end_backup silent
	restored_equals silent "$(newest silent)" si source.dump
}

# Two batches of 300 kB at 30 kB a second: between two fetches lies more than connections.max.idle.ms, 8 s.
test_idle_connections_are_closed_and_nobody_notices() {
	admin create idle-topic 1 3
	fill bulk --prefix idle- --bytes 600000 --batch-bytes 300000 --partitions 1 --incompressible
	dump idle-bulk --offsets --output source.dump
	backup_yaml idle '[idle-bulk]' 'rateLimiting: {bytesPerSec: 30000}' >direct.yaml
	through_proxies direct.yaml idle.yaml
	nothing_seen
	"$KAFKA_BACKUP" --log-level debug run -f idle.yaml --volumes "$volumes" >idle.log 2>&1
	echo "$(seen_by_all 'closed by the broker') connections were closed by brokers"
	[ "$(seen_by_all 'closed by the broker')" -gt 0 ] || fail "no connection was idle for long enough"
	! grep -E 'warning|error|trying again|failed' idle.log || fail "a failure shows"
	restored_equals idle "$(newest idle)" idle-bulk source.dump
}

# As Kafka finds it: by the hash that Java has for the name, and the partitions of the offsets topic.
coordinator_of() { # GROUP
	admin leaders __consumer_offsets >offsets.leaders
	python3 - "$1" offsets.leaders <<-'P'
		import sys
		leaders = [int(line.split()[1]) for line in sorted(open(sys.argv[2]), key=lambda line: int(line.split()[0]))]
		value = 0
		for character in sys.argv[1]:
		    value = (31 * value + ord(character)) & 0xFFFFFFFF
		print(leaders[(value & 0x7FFFFFFF) % len(leaders)])
	P
}

# All partitions are led by broker 2; groups are asked of their coordinators.
test_requests_go_where_they_belong() {
	local coordinator n each
	admin create wh-many 200 2:3
	admin create wh-few 2 2:3
	write wh-many 200 2000 0
	"$tools/kafka_commit" "$bootstrap" wh-group wh-many 0 3
	coordinator=$(coordinator_of wh-group)
	seen_backup where '["wh-*"]'
	for n in 1 2 3; do echo "broker $n: $(tell "$n" status | grep requests | paste -sd' ')"; done
	for n in 1 3; do for each in Fetch ListOffsets; do eq 0 "$(seen "$n" "requests $each")" "$each of broker $n"; done; done
	[ "$(seen 2 'requests ListOffsets')" -le 4 ] || fail "$(seen 2 'requests ListOffsets') requests list the offsets of 200 partitions"
	eq "$(seen_by_all 'requests OffsetFetch')" "$(seen "$coordinator" 'requests OffsetFetch')" "requests for the offsets of groups"
	[ "$(seen "$coordinator" 'requests OffsetFetch')" -gt 0 ] || fail "the coordinator was not asked"
	restore_yaml where-again where 'topics: [wh-few]
topicMapping: {wh-few: wh-again}' >direct.yaml
	through_proxies direct.yaml restore.yaml
	nothing_seen
	kafka_backup_run restore.yaml
	eq 1 "$(seen_by_all 'requests CreateTopics')" "requests that create the topic"
	nothing_seen
	KAFKA_BOOTSTRAP=$proxied "$build/kafka_admin_test" --test-case='offsets*deleted records*' --duration=true
	eq 2 "$(seen_by_all 'requests DeleteRecords')" "requests that delete records, one of them beyond the end"
}

# A commit of a group never lies beyond the end that a set has of the log: while the ends cannot be asked for,
# the offsets of groups are known already, and what is committed from then on is not among them.
test_groups_are_asked_before_ends() {
	admin create ge 1 3
	write ge 1 100 0
	"$tools/kafka_commit" "$bootstrap" ge-group ge 0 100
	backup_yaml order '[ge]' >direct.yaml
	through_proxies direct.yaml order.yaml
	nothing_seen
	tell_all "black-hole api=ListOffsets"
	background order.log "$KAFKA_BACKUP" run -f order.yaml --volumes "$volumes"
	running=$pid
	wait_for 60 "a question for offsets of the log" eval '[ "$(seen_by_all "requests ListOffsets")" -gt 0 ]'
	[ "$(seen_by_all 'responses OffsetFetch')" -gt 0 ] || fail "the offsets of groups were not asked before"
	eq 0 "$(seen_by_all 'responses ListOffsets')" "answers about the log"
	write ge 1 100 100
	"$tools/kafka_commit" "$bootstrap" ge-group ge 0 200
	tell_all clear
	end_backup order
	eq "[('ge-group', 100)] 200" "$(captured_of order)" "commits and the end"
}
captured_of() { # ARCHIVE  prints the commits of the newest set and the end of its first partition
	"$KAFKA_BACKUP" describe "$(newest "$1")" --volumes "$volumes" --output json | python3 -c 'if True:
		import json, sys
		capture = json.load(sys.stdin)["capture"]
		groups = capture["consumerGroups"]["groups"]
		print([(g["groupId"], o["offset"]) for g in groups for o in g["offsets"]],
		      capture["topics"][0]["partitions"][0]["end"])'
}

# A broker that does not lead any more says who does (KIP-951): nobody has to be asked.
test_a_leader_that_moves_costs_no_metadata() {
	local asked leader before
	admin create ml 1 3
	write ml 1 25000 0
	admin in-sync ml
	dump ml --offsets --output source.dump
	backup_yaml told '[ml]' "$slow" >direct.yaml
	through_proxies direct.yaml told.yaml
	nothing_seen
	background told.log "$KAFKA_BACKUP" run -f told.yaml --volumes "$volumes"
	running=$pid
	wait_for 60 "segments" has_segments told 1
	asked=$(seen_by_all 'requests Metadata')
	for _ in 1 2; do
		admin move ml
		leader=$(admin leaders ml | awk '{ print $2 }')
		before=$(seen "$leader" 'responses Fetch')
		wait_for 30 "answers of broker $leader" eval '(($(seen "$leader" "responses Fetch") > before + 1))'
	done
	eq "$asked" "$(seen_by_all 'requests Metadata')" "requests for metadata"
	end_backup told
	contains "$(cat told.log)" " 0 lost"
	restored_equals told "$(newest told)" ml source.dump
}

run_tests "$@"
