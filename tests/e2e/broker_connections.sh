#!/bin/bash
# Connections, metadata and retries against a cluster of two real brokers, of which one is killed and paused.
source "$(dirname "$0")/../lib.sh"
broker_test=$build/kafka_broker_test

# Broker 1 is the controller too; broker 2 only a broker, so that its death leaves a cluster that answers.
start_two_brokers() {
	start_broker one
	one=$broker first=$bootstrap
	local port=${first##*:} second
	for second in $((port + 2)) $((port + 102)) $((port + 202)); do
		start_broker two --port "$second" --set node.id=2 --set process.roles=broker \
			--set "controller.quorum.voters=1@127.0.0.1:$((port + 1))" --set "listeners=PLAINTEXT://127.0.0.1:$second" \
			--set "advertised.listeners=PLAINTEXT://127.0.0.1:$second" && break
		rm -rf "$broker"
	done
	two=$broker second=$bootstrap
	export KAFKA_BOOTSTRAP=$first,$second KAFKA_BROKER_DIRS="$one $two" KAFKA_SH=$support/kafka.sh
}

# The test cases of one file; none at all would be no success.
run_cases() { # FILE
	"$broker_test" --source-file="*$1" --duration=true | tee cases
	! grep -q 'test cases: *0 ' cases || fail "no test case is in $1"
}

test_two_brokers() { run_cases kafka_broker_test.cc; }
test_behind_a_proxy() { run_cases kafka_fault_test.cc; }

start_two_brokers
start_proxied_broker
run_tests "$@"
