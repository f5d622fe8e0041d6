#!/bin/bash
# A real Kafka broker for tests: one KRaft node (broker and controller) on loopback.
#
#   kafka.sh install [VERSION]        fetch the jars (Maven Central) into the cache; nothing to do when there
#   kafka.sh start DIR [options]      start, or start again with the state of DIR; waits until it answers
#       --version V                   4.3.1 (default) or 3.9.2
#       --port P                      listener; the controller takes P+1. Default: free ports, kept in DIR/ports
#       --heap SIZE                   default 512m
#       --cleaner                     compact logs within a second instead of within minutes
#       --tiered                      remote log storage (KIP-405) in DIR/remote, by the storage that Kafka tests with
#       --set KEY=VALUE               a broker setting, kept in DIR/settings; the last of two equal keys counts
#   kafka.sh stop DIR                 SIGTERM, then SIGKILL after 60 s; returns when the process is gone
#   kafka.sh kill DIR                 SIGKILL; `start DIR` brings the same broker back, after the 9 s of its session
#   kafka.sh pause DIR, resume DIR    SIGSTOP, SIGCONT
#   kafka.sh cli [--version V] CLASS ARGS...   a tool of Kafka, such as org.apache.kafka.tools.TopicCommand
#   kafka.sh java [--version V] FILE.java ARGS...   a program of one file, with Kafka's jars
#
# DIR gets: bootstrap (host:port), ports, version, pid, server.properties, server.log, data/.
# KAFKA_BACKUP_CACHE (default ~/.cache/kafka-backup-tests) holds what was downloaded.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${KAFKA_BACKUP_CACHE:-$HOME/.cache/kafka-backup-tests}
default_version=4.3.1
cluster_id=VGVzdHNPZkthZmthQmFja3

die() { echo "kafka.sh: $*" >&2; exit 1; }
usage() { sed -n '2,21s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }

# ---- jars --------------------------------------------------------------------------------------------------

dependency() { # GROUP ARTIFACT VERSION [CLASSIFIER]
	echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version>${4:+<classifier>$4</classifier>}</dependency>"
}

broker_jars() { # VERSION: the broker, its tools and a logger
	local artifact
	for artifact in kafka_2.13 kafka-tools kafka-clients; do dependency org.apache.kafka "$artifact" "$1"; done
	case $1 in
	3.*) dependency org.slf4j slf4j-reload4j 1.7.36 ;;
	*) for artifact in log4j-slf4j-impl log4j-core; do dependency org.apache.logging.log4j "$artifact" 2.25.3; done ;;
	esac
}

write_pom() { # DEPENDENCIES
	echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>tests</groupId>'
	echo '<artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>'
	echo "<dependencies>$1</dependencies></project>"
}

install_jars() { install_into "$cache/kafka/$1" "Kafka $1" "$(broker_jars "$1")"; } # VERSION

# LocalTieredStorage is in a jar of Kafka's own tests; the broker has what it needs.
install_tiered() { # VERSION
	install_into "$cache/kafka/$1/tiered" "the tests of Kafka $1" "$(dependency org.apache.kafka kafka-storage "$1" test)" \
		-DexcludeTransitive=true
}

# The folder appears complete or not at all; a second install waits for the first and finds it done.
install_into() { # FOLDER WHAT DEPENDENCIES OPTIONS-OF-MAVEN...
	local home=$1
	[ ! -d "$home/lib" ] || return 0
	mkdir -p "$home"
	(
		flock 9
		[ ! -d "$home/lib" ] || exit 0
		command -v mvn >/dev/null || die "needs Maven (tools/install-deps.sh test)"
		rm -rf "$home/lib.new"
		write_pom "$3" >"$home/pom.xml"
		echo "fetching $2 from Maven Central" >&2
		mvn -q -B -f "$home/pom.xml" -Dmaven.repo.local="$cache/m2" dependency:copy-dependencies \
			-DoutputDirectory="$home/lib.new" "${@:4}" >"$home/install.log" 2>&1 9>&- </dev/null ||
			{ tail -20 "$home/install.log" >&2; die "cannot fetch $2, see $home/install.log"; }
		mv "$home/lib.new" "$home/lib"
	) 9>"$home/lock"
}

# JVM arguments common to the broker and the tools; LEVEL is the log level.
set_java() { # VERSION LEVEL
	install_jars "$1"
	export CLASSPATH="$cache/kafka/$1/lib/*"
	java=(java -Dkafka.log.level="$2")
	case $1 in
	3.*) java+=(-Dlog4j.configuration="file:$here/log4j.properties") ;;
	*) java+=(-Dlog4j2.configurationFile="$here/log4j2.properties") ;;
	esac
}

# ---- one broker --------------------------------------------------------------------------------------------

# Below the range of ephemeral ports, so that no outgoing connection takes one while a killed broker is away.
free_port() {
	local port
	for _ in $(seq 200); do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 6000 * 2))
		listening "$port" || listening $((port + 1)) || { echo "$port"; return; }
	done
	die "no free port"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The pid of DIR's broker if it runs: a pid file may be stale, and the number taken by another process.
broker_pid() { # DIR
	local pid
	pid=$(cat "$1/pid" 2>/dev/null) || return 1
	tr "\\0" "\\n" 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF "$1/server.properties" || return 1
	# A zombie that init has not reaped yet is gone for us.
	! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null || return 1
	echo "$pid"
}

write_properties() { # DIR PORT
	cat <<-P
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$(($2 + 1))
		listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$(($2 + 1))
		advertised.listeners=PLAINTEXT://127.0.0.1:$2
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
		inter.broker.listener.name=PLAINTEXT
		controller.listener.names=CONTROLLER
		log.dirs=$1/data
		auto.create.topics.enable=false
		log.retention.ms=-1
		log.segment.delete.delay.ms=1000
		offsets.topic.replication.factor=1
		offsets.topic.num.partitions=4
		group.initial.rebalance.delay.ms=0
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		transaction.state.log.num.partitions=4
		transaction.max.timeout.ms=86400000
		share.coordinator.state.topic.replication.factor=1
		share.coordinator.state.topic.min.isr=1
		log.cleaner.dedupe.buffer.size=33554432
	P
}

cleaner_properties() {
	printf '%s\n' log.cleaner.backoff.ms=200 log.initial.task.delay.ms=100 log.retention.check.interval.ms=500
}

tiered_properties() { # DIR VERSION
	cat <<-P
		remote.log.storage.system.enable=true
		remote.log.storage.manager.class.name=org.apache.kafka.server.log.remote.storage.LocalTieredStorage
		remote.log.storage.manager.class.path=$cache/kafka/$2/tiered/lib/*
		remote.log.storage.manager.impl.prefix=rsm.config.
		rsm.config.dir=$1/remote
		remote.log.metadata.manager.listener.name=PLAINTEXT
		rlmm.config.remote.log.metadata.topic.replication.factor=1
		rlmm.config.remote.log.metadata.topic.num.partitions=4
		remote.log.manager.task.interval.ms=500
		log.initial.task.delay.ms=100
		log.retention.check.interval.ms=500
	P
}

# One ApiVersions v0 request: a broker that is not ready to serve does not answer it.
answers() { # PORT
	local answer
	answer=$(
		exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
		printf '\0\0\0\012\0\022\0\0\0\0\0\052\0\0' >&3
		timeout 2 head -c 10 <&3 | od -An -tx1 | tr -d ' \n'
	) 2>/dev/null
	[ "${answer:8}" = 0000002a0000 ] # the correlation id, then error code 0
}

format_storage() { # DIR
	[ ! -f "$1/data/meta.properties" ] || return 0
	"${java[@]}" -Xmx128m -XX:TieredStopAtLevel=1 kafka.tools.StorageTool format -t "$cluster_id" \
		-c "$1/server.properties" >"$1/format.log" 2>&1 || { cat "$1/format.log" >&2; die "cannot format $1/data"; }
}

# In a session of its own, with no file descriptor of the caller but /dev/null and the log.
launch() { # DIR HEAP
	(
		cd "$1"
		for fd in /proc/"$BASHPID"/fd/*; do
			fd=${fd##*/}
			[ "$fd" -le 2 ] || [ "$fd" = 255 ] || eval "exec $fd>&-"
		done
		exec setsid "${java[@]}" -Xms128m -Xmx"$2" -XX:+UseSerialGC -Djava.awt.headless=true kafka.Kafka \
			"$1/server.properties"
	) </dev/null >"$1/server.log" 2>&1 &
	echo $! >"$1/pid"
	disown
}

# 0: it answers; 1: its port was taken; anything else ends here.
wait_ready() { # DIR PORT
	for _ in $(seq 3000); do
		if ! kill -0 "$(cat "$1/pid")" 2>/dev/null; then
			! grep -q 'Address already in use' "$1/server.log" || return 1
			tail -20 "$1/server.log" >&2
			die "the broker ended, see $1/server.log"
		fi
		if grep -q 'Kafka Server started' "$1/server.log" && answers "$2"; then return 0; fi
		sleep 0.1
	done
	tail -5 "$1/server.log" >&2
	stop_broker "$1"
	die "the broker was not ready after 300 s, see $1/server.log"
}

start_broker() { # DIR options
	[ $# -gt 0 ] || usage
	mkdir -p "$1"
	local dir port='' version='' heap=512m settings=() tries=1 tiered=0
	dir=$(cd "$1" && pwd)
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--version) version=$2; shift ;;
		--port) port=$2; shift ;;
		--heap) heap=$2; shift ;;
		--set) settings+=("$2"); shift ;;
		--cleaner) mapfile -t -O "${#settings[@]}" settings < <(cleaner_properties) ;;
		--tiered) tiered=1 ;;
		*) usage ;;
		esac
		shift
	done
	! broker_pid "$dir" >/dev/null || die "a broker already runs in $dir"
	[ -n "$version" ] || version=$(cat "$dir/version" 2>/dev/null || echo "$default_version")
	[ -n "$port" ] || port=$(cat "$dir/ports" 2>/dev/null || true)
	[ -n "$port" ] || { tries=5; port=$(free_port); }
	set_java "$version" INFO
	if [ $tiered = 1 ]; then
		install_tiered "$version"
		mapfile -t -O "${#settings[@]}" settings < <(tiered_properties "$dir" "$version")
	fi
	echo "$version" >"$dir/version"
	until try_start "$dir" "$port" "$heap" "${settings[@]}"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || die "port $port or $((port + 1)) is taken"
		settings=() # they are in DIR/settings now
		port=$(free_port)
	done
	echo "$port" >"$dir/ports"
	echo "127.0.0.1:$port" | tee "$dir/bootstrap"
}

try_start() { # DIR PORT HEAP SETTINGS...
	local dir=$1 port=$2 heap=$3
	shift 3
	[ $# = 0 ] || printf '%s\n' "$@" >>"$dir/settings"
	{ write_properties "$dir" "$port"; cat "$dir/settings" 2>/dev/null || true; } >"$dir/server.properties"
	format_storage "$dir"
	launch "$dir" "$heap"
	wait_ready "$dir" "$port"
}

wait_gone() { # DIR TENTHS
	for _ in $(seq "$2"); do
		broker_pid "$1" >/dev/null || { rm -f "$1/pid"; return 0; }
		sleep 0.1
	done
	return 1
}

stop_broker() { # DIR
	local pid
	pid=$(broker_pid "$1") || return 0
	kill -TERM "$pid" 2>/dev/null || true
	kill -CONT "$pid" 2>/dev/null || true # a paused one would never end
	wait_gone "$1" 600 || kill_broker "$1"
}

kill_broker() { # DIR
	local pid
	pid=$(broker_pid "$1") || return 0
	kill -KILL "$pid" 2>/dev/null || true
	wait_gone "$1" 100 || die "process $pid does not die"
}

signal_broker() { # SIGNAL DIR
	local pid
	pid=$(broker_pid "$2") || die "no broker runs in $2"
	kill "-$1" "$pid"
}

command=${1:-}
[ -n "$command" ] || usage
shift
case $command in
install) install_jars "${1:-$default_version}" ;;
start) start_broker "$@" ;;
stop) stop_broker "$(realpath -m "${1:?DIR}")" ;;
kill) kill_broker "$(realpath -m "${1:?DIR}")" ;;
pause) signal_broker STOP "$(realpath -m "${1:?DIR}")" ;;
resume) signal_broker CONT "$(realpath -m "${1:?DIR}")" ;;
cli | java)
	version=$default_version
	[ "${1:-}" != --version ] || { version=$2; shift 2; }
	[ "$command" = cli ] && level=WARN || level=ERROR
	set_java "$version" "$level"
	exec "${java[@]}" -Xmx512m -XX:TieredStopAtLevel=1 "$@"
	;;
*) usage ;;
esac
