#!/bin/bash
# Topics of which the broker has only the end itself, the rest is in remote storage (KIP-405).
source "$(dirname "$0")/../lib.sh"
start_broker kafka --tiered --set log.segment.bytes=1048576

# From now on: what has the timestamps of the past goes, what is written with those of now stays.
tier() { # PREFIX
	local topic
	for topic in $(topics list "$1" | cut -d' ' -f1); do
		kafka_cli kafka.admin.ConfigCommand --bootstrap-server "$bootstrap" --alter --entity-type topics \
			--entity-name "$topic" --add-config remote.storage.enable=true,local.retention.ms=3600000
	done
	wait_remote "$1"
}

wait_remote() { # PREFIX
	wait_for 120 "the broker to give the logs away" given_away "$1"
	expect_remote "$1"
}
given_away() { ! compgen -G "$broker/data/$1*-[0-9]/00000000000000000000.log"; } # PREFIX

# The broker's word for it: the logs begin at 0, and what it has itself begins later.
expect_remote() { # PREFIX
	eq "$(offsets "$1" earliest | sed 's/:[0-9]*$/:0/')" "$(offsets "$1" earliest)" "log starts"
	offsets "$1" earliest-local | tee local.starts
	! grep ':0$' local.starts || fail "a log whose beginning the broker has itself"
}
offsets() { # PREFIX TIME
	kafka_cli org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$bootstrap" \
		--topic "$1.*" --time "$2" | grep .
}

# With the timestamps of now, so it stays where it is.
append() { # TOPIC
	kafka_cli org.apache.kafka.tools.ProducerPerformance --topic "$1" --num-records 500 --record-size 1000 \
		--throughput -1 --producer-props "bootstrap.servers=$bootstrap" acks=all
}

# Two topics with several partitions, and one with aborted transactions, whose index is remote as well.
test_what_only_the_remote_storage_has() {
	fill bulk --prefix tie- --topic orders --bytes 16M --partitions 4 --incompressible
	fill bulk --prefix tie- --topic text --bytes 16M --partitions 3 --codec lz4 --batch-bytes 20000
	fill transactions-large --prefix tie-
	tier tie-
	append tie-orders
	dump --prefix tie- --isolation read_committed --output source.dump
	topic_configs tie- >source.configs
	there_and_back tiered
	topic_configs tie- | diff source.configs -
	# What was restored is given away again. One request asks for all partitions, and a broker may give one a time.
	wait_remote tie-
	there_and_back together 'rateLimiting: {bytesPerSec: 1000000000}'
}

there_and_back() { # NAME [MORE LINES OF spec]
	backup_yaml "$1" '["tie-*"]' "${@:2}" |
		sed 's/bootstrapServers:/connection: {connectionsPerBroker: 2}, &/' >backup.yaml
	kafka_backup_run backup.yaml
	"$KAFKA_BACKUP" verify --deep --volumes "$volumes" >verify.log || fail "verify: $(tail -3 verify.log)"
	topics delete tie-
	wait_for 30 "the folders to go" no_folder tie-
	restore_yaml "$1-again" "$1" >restore.yaml
	kafka_backup_run restore.yaml
	dump --prefix tie- --output target.dump
	compare source.dump target.dump
}
no_folder() { ! compgen -G "$broker/data/$1*-[0-9]"; } # PREFIX

# Where a restore goes on is read from the target's log, which has gone to the remote storage meanwhile.
test_a_restore_goes_on_behind_what_is_remote() {
	fill bulk --prefix tig- --bytes 16M --partitions 2 --incompressible
	dump tig-bulk --output source.dump
	backup_yaml interrupted '[tig-bulk]' >backup.yaml
	kafka_backup_run backup.yaml
	topics create tir-bulk 2 remote.storage.enable=true local.retention.ms=1 retention.ms=-1
	restore_yaml interrupted-again interrupted 'topicMapping: {tig-bulk: tir-bulk}
rateLimiting: {bytesPerSec: 1000000}' >restore.yaml
	background restore.log "$KAFKA_BACKUP" run -f restore.yaml --volumes "$volumes" --progress none
	wait_for 120 "the broker to give records away" given_records_away tir-bulk
	kill -KILL "$pid"
	wait "$pid" || eq 137 $? "exit code of a restore that had to be cut short"
	expect_remote tir-bulk
	sed -i '/rateLimiting/d' restore.yaml
	kafka_backup_run restore.yaml >restored.log
	! grep -q 'written now *16,777 records' restored.log || fail "the restore began anew"
	dump tir-bulk --output target.dump
	compare source.dump target.dump --map tig-bulk=tir-bulk
}
# The offsets before are those of the restore's first marker.
given_records_away() { # TOPIC
	compgen -G "$broker/data/$1-[0-9]/*.log" && ! compgen -G "$broker/data/$1-[0-9]/000000000000000000??.log"
}

run_tests "$@"
