#!/bin/bash
# What is asked of a cluster besides data, against a real broker, also when the broker acts and its answer is lost; and
# our declarations of Kafka's messages against Apache's own.
source "$(dirname "$0")/../lib.sh"
admin_test=$build/kafka_admin_test
layouts=$build/kafka_layouts
newest=4.3.1 # the version whose definitions have every message version that we speak

test_layouts() {
	"$support/kafka.sh" install $newest
	"$repo/tests/kafka_layouts.py" "$layouts" \
		"${KAFKA_BACKUP_CACHE:-$HOME/.cache/kafka-backup-tests}/kafka/$newest/lib/kafka-clients-$newest.jar"
}

test_admin() { KAFKA_BOOTSTRAP=$direct "$admin_test"; }

test_lost_answers() {
	local api rules=()
	for api in CreateTopics DeleteTopics DeleteRecords IncrementalAlterConfigs DescribeConfigs DescribeLogDirs ListOffsets \
		OffsetForLeaderEpoch ListGroups OffsetFetch OffsetCommit FindCoordinator InitProducerId AddPartitionsToTxn EndTxn; do
		rules+=("drop-response api=$api count=3")
	done
	start_proxied_broker "${rules[@]}"
	KAFKA_BOOTSTRAP=$KAFKA_PROXY_BOOTSTRAP "$admin_test"
	contains "$($KAFKA_PROXY_TELL status)" "drop-response: $((3 * ${#rules[@]}))"
}

start_broker direct
direct=$bootstrap
run_tests "$@"
