#!/bin/bash
# What is asked of a cluster besides data, against a real broker, also when the broker acts and its answer is lost; and
# our declarations of Kafka's messages against Apache's own.
source "$(dirname "$0")/../lib.sh"
admin_test=$build/kafka_admin_test
layouts=$build/kafka_layouts
newest=4.3.1 # the version whose definitions have every message version that we speak

# A broker that advertises the address of a proxy in front of a listener of its own; $bootstrap is the proxy.
start_proxied_broker() { # RULE...
	local port rules=()
	for rule; do rules+=(--rule "$rule"); done
	for port in $(shuf -i 7500-9900 -n 5); do
		port=$((2 * port))
		background "$work/proxy.ports" "$support/fault_proxy.py" run --broker "127.0.0.1:$((port + 2))" "${rules[@]}"
		wait_for 30 "the proxy" test -s "$work/proxy.ports"
		read -r proxy control <"$work/proxy.ports"
		start_broker proxied --port "$port" \
			--set "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1)),PROXIED://127.0.0.1:$((port + 2))" \
			--set "advertised.listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$proxy" \
			--set listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT && break
		rm -rf "$broker"
	done
	bootstrap=127.0.0.1:$proxy
}

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
	KAFKA_BOOTSTRAP=$bootstrap "$admin_test"
	contains "$("$support/fault_proxy.py" tell "$control" status)" "drop-response: $((3 * ${#rules[@]}))"
}

start_broker direct
direct=$bootstrap
run_tests "$@"
