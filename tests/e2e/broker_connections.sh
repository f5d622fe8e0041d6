#!/bin/bash
# Connections, metadata and retries against a cluster of two real brokers, of which one is killed and paused.
source "$(dirname "$0")/../lib.sh"
broker_test=${KAFKA_BROKER_TEST:-$repo/build/release/kafka_broker_test}

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

# A broker that advertises the address of a proxy in front of a listener of its own.
start_proxied_broker() {
	local port
	for port in $(shuf -i 10000-15000 -n 5); do
		port=$((2 * port))
		background "$work/proxy.ports" "$support/fault_proxy.py" run --broker "127.0.0.1:$((port + 2))"
		wait_for 30 "the proxy" test -s "$work/proxy.ports"
		read -r proxy control <"$work/proxy.ports"
		start_broker proxied --port "$port" \
			--set "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1)),PROXIED://127.0.0.1:$((port + 2))" \
			--set "advertised.listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$proxy" \
			--set listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT && break
		rm -rf "$broker"
	done
	export KAFKA_PROXY_BOOTSTRAP=127.0.0.1:$proxy KAFKA_PROXY_TELL="$support/fault_proxy.py tell $control"
}

test_two_brokers() { "$broker_test" --source-file='*kafka_broker_test.cc'; }
test_behind_a_proxy() { "$broker_test" --source-file='*kafka_fault_test.cc'; }

start_two_brokers
start_proxied_broker
run_tests "$@"
