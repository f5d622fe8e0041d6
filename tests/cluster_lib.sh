# Sourced behind lib.sh: three brokers with a controller of their own, each behind a fault proxy, and what moves them.
#
# start_cluster sets cluster (the folder), bootstrap (all three, without the proxies) and proxied (the same through them).
# Broker N is the broker of kafka.sh in $cluster/N, in the rack "rack-N"; topics have three replicas, of which two must be in sync.
# The node ids are 1 to 3 and 100. Clients that come through `proxied` are led through the proxies everywhere.
# A storm needs MOVES, KILLS, ROLLS and SILENCES, how often each happens in it, and the topic of begin_load.

cluster_ports() { # prints the first of ten free ports in a row
	local base port free
	for _ in $(seq 200); do
		base=$((20000 + RANDOM % 1190 * 10)) free=1
		for port in $(seq "$base" $((base + 9))); do
			! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || free=0
		done
		[ $free = 0 ] || { echo "$base"; return; }
	done
	fail "no free ports"
}

# Settings of every node of the cluster.
cluster_settings() { # BASE-PORT
	printf '%s\n' "controller.quorum.voters=100@127.0.0.1:$1" \
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT \
		default.replication.factor=3 min.insync.replicas=2 offsets.topic.replication.factor=3 \
		transaction.state.log.replication.factor=3 transaction.state.log.min.isr=2 \
		share.coordinator.state.topic.replication.factor=3 connections.max.idle.ms=8000 \
		broker.session.timeout.ms=6000 replica.lag.time.max.ms=8000 auto.leader.rebalance.enable=false unclean.leader.election.interval.ms=2000 \
		replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector
}

start_controller() { # BASE-PORT SETTING...
	local base=$1
	shift
	start_broker "${cluster##*/}/controller" --port "$base" --heap 192m "$@" --set node.id=100 \
		--set process.roles=controller --set "listeners=CONTROLLER://127.0.0.1:$base" \
		--set "advertised.listeners=CONTROLLER://127.0.0.1:$base"
}

start_member() { # N BASE-PORT PROXY-PORT SETTING...
	local n=$1 port=$(($2 + 2 * $1)) proxy=$3
	shift 3
	start_broker "${cluster##*/}/$n" --port "$port" --heap 400m "$@" --set "node.id=$n" --set process.roles=broker \
		--set "broker.rack=rack-$n" \
		--set "listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$((port + 1))" \
		--set "advertised.listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$proxy"
}

start_cluster() { # NAME BROKER-SETTING...
	local name=$1 base n settings=() each proxy control pids=()
	shift
	cluster=$work/$name base=$(cluster_ports)
	mkdir -p "$cluster"
	while read -r each; do settings+=(--set "$each"); done < <(cluster_settings "$base"; [ $# = 0 ] || printf '%s\n' "$@")
	start_controller "$base" "${settings[@]}"
	bootstrap='' proxied=''
	for n in 1 2 3; do
		background "$cluster/proxy.$n" "$support/fault_proxy.py" run --broker "127.0.0.1:$((base + 2 * n + 1))"
		wait_for 60 "the proxy" test -s "$cluster/proxy.$n"
		read -r proxy control <"$cluster/proxy.$n"
		echo "$control" >"$cluster/control.$n"
		(start_member "$n" "$base" "$proxy" "${settings[@]}") &
		pids+=($!)
		direct_bootstrap+=${direct_bootstrap:+,}127.0.0.1:$((base + 2 * n))
		proxied+=${proxied:+,}127.0.0.1:$proxy
	done
	for each in "${pids[@]}"; do wait "$each"; done
	bootstrap=$direct_bootstrap
	start_admin
}

# One JVM that obeys lines (tests/support/java/ClusterAdmin.java), because starting one for each command takes seconds.
start_admin() {
	coproc ADMIN { kafka_java ClusterAdmin 2>"$cluster/admin.log"; }
	echo "$ADMIN_PID $(process_start "$ADMIN_PID")" >>"$work/processes"
	exec {admin_in}>&"${ADMIN[1]}" {admin_out}<&"${ADMIN[0]}"
	admin ping
}

admin() { # COMMAND...  prints what it answers; fails with its error
	local line
	(
		flock 8
		echo "$*" >&"$admin_in"
		while read -r -t 300 -u "$admin_out" line; do
			case $line in
			ok) exit 0 ;;
			error*) echo "admin $*: $line" >&2; exit 1 ;;
			*) echo "$line" ;;
			esac
		done
		echo "admin $*: no answer: $(tail -3 "$cluster/admin.log")" >&2
		exit 1
	) 8>>"$cluster/admin.lock"
}

tell() { # N RULE
	"$support/fault_proxy.py" tell "$(cat "$cluster/control.$1")" "$2"
}

tell_all() { local n; for n in 1 2 3; do tell "$n" "$1"; done; } # RULE

# What the proxies have seen of what `proxied` leads to; 0 when that has not happened. Begins anew with `nothing_seen`.
seen() { tell "$1" status | sed -n "s/^$2: //p" | grep . || echo 0; } # N WHAT
seen_by_all() { echo $(($(seen 1 "$1") + $(seen 2 "$1") + $(seen 3 "$1"))); } # WHAT
nothing_seen() { tell_all forget; }

kill_member() { "$support/kafka.sh" kill "$cluster/$1"; }
start_member_again() { "$support/kafka.sh" start "$cluster/$1" --heap 400m >/dev/null; }
restart_member() {
	"$support/kafka.sh" stop "$cluster/$1"
	start_member_again "$1"
}

# Brokers that are down or paused come back, and the proxies let everything through.
after_failure() {
	local n
	for n in 1 2 3; do
		tell "$n" clear
		"$support/kafka.sh" resume "$cluster/$n" || start_member_again "$n"
	done
	admin in-sync ""
}

# Every partition of the topics has all its replicas in sync.
all_in_sync() { admin in-sync "$@"; } # TOPIC-PREFIX...

proxied_brokers_yaml() { # prints the list for spec.kafkaCluster.bootstrapServers
	sed 's/,/", "/g; s/^/["/; s/$/"]/' <<<"$1"
}

# ---- what happens, one by one and in a storm ---------------------------------------------------------------

# What is written while everything goes on: one topic for the whole script; sets pid.
begin_load() {
	admin create load 6 3
	background "$work/load.log" "$tools/kafka_load" "$bootstrap" load 6 --rate 200
}

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
		[ ! -e storm.end ] || return 0
		echo "$(date +%T) $event" >>storm.log
		$event >>storm.log 2>&1 || { echo "failed: $event" >>storm.log; return 1; }
	done <events
	admin in-sync "" >>storm.log
	touch storm.over
}

# Sets $storm. When the test fails the storm ends, too, with all brokers there for the next test.
begin_storm() { # TOPIC...
	storm "$@" &
	storm=$!
	trap 'touch storm.end; wait "$storm"' EXIT
}

through_proxies() { # YAML NEW-YAML
	sed "s/bootstrapServers: \[[^]]*\]/bootstrapServers: [\"${proxied//,/\", \"}\"]/" "$1" >"$2"
}

# ---- what is written, and compared -------------------------------------------------------------------------

write() { # TOPIC PARTITIONS COUNT FIRST-KEY
	"$tools/kafka_load" "$bootstrap" "$1" "$2" --count "$3" --first-key "$4" --record-bytes 1000
}

describe() { "$KAFKA_BACKUP" describe "$1" --volumes "$volumes"; } # ID
newest() { ids "$1" | tail -1; }                                    # ARCHIVE

# Compares what a set holds, restored under names with PREFIX, with the source.
check_set() { # ID PREFIX SOURCE-DUMP OPTIONS...
	local prefix=$2 source=$3
	"$KAFKA_BACKUP" describe "$1" --volumes "$volumes" --output json >set.json
	dump --prefix "$prefix" --output target.dump
	"$support/kafka_captured.py" set.json "$source" target.dump "${@:4}" || fail "$1"
}

ids() { ls "$volumes/kafka-backups/default/$1/sets"; } # ARCHIVE

# Restores a set under names with PREFIX and compares it with a dump of the source as it was.
restored_equals() { # ARCHIVE ID TOPIC SOURCE-DUMP
	restore_yaml "$1-$2" "$1" "topicMapping: {$3: again-$3}" | sed "s/backupRef: {/backupRef: {backupId: $2, /" >restore.yaml
	kafka_backup_run restore.yaml
	check_set "$2" "again-$3" "$4" --map "$3=again-$3"
	topics delete "again-$3"
}

# A topic whose follower has the first 1000 records only, and is not in sync.
begin_lagging() { # TOPIC LEADER FOLLOWER SETTING...
	admin in-sync ""
	admin create "$1" 1 "$2:$3" min.insync.replicas=1 unclean.leader.election.enable=true "${@:4}"
	write "$1" 1 1000 0
	admin in-sync "$1"
	"$support/kafka.sh" pause "$cluster/$3"
	admin in-sync-count "$1" 0 1
}

# The follower, which lacks the last records, becomes the leader.
elect_unclean() { # TOPIC OLD-LEADER FOLLOWER
	kill_member "$2"
	"$support/kafka.sh" resume "$cluster/$3"
	admin leader "$1" 0 "$3"
}

# Then the new log grows beyond where the old one was.
unclean_election() { # TOPIC OLD-LEADER FOLLOWER
	elect_unclean "$@"
	write "$1" 1 8000 100000
	start_member_again "$2"
	admin in-sync ""
}
