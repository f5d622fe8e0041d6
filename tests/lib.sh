# Sourced by tests/e2e/*.sh: a script defines functions test_..., and ends with the line: run_tests "$@"
#
# Each test runs in a subshell with `set -e`; its output is shown only when it fails. Everything a test writes
# is under $work (build/e2e/SCRIPT.PID), and every broker and every process started by `background` ends with
# the script.
# Environment: KB_BUILD (the build under test; build/release), KAFKA_VERSION, KEEP=1 (leave $work as it is).
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
support=$repo/tests/support
tools=$repo/build/support
work=$repo/build/e2e/$(basename "$0" .sh).$$
build=$(realpath "${KB_BUILD:-$repo/build/release}")
KAFKA_BACKUP=$build/kafka-backup
KAFKA_VERSION=${KAFKA_VERSION:-4.3.1}

# ---- what tests say ----------------------------------------------------------------------------------------

fail() { # MESSAGE
	echo "failed: $1 (${FUNCNAME[1]} at ${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]})" >&2
	exit 1
}

eq() { # EXPECTED ACTUAL WHAT
	[ "$1" = "$2" ] || fail "${3:-value}: expected '$1', found '$2'"
}

contains() { # TEXT PIECE
	case $1 in *"$2"*) ;; *) fail "'$2' is not in '${1:0:1000}'" ;; esac
}

# Runs a command; its output is in $output afterwards, whatever its exit code, which must be CODE.
expect_exit() { # CODE COMMAND...
	local expected=$1 code=0
	shift
	output=$("$@" 2>&1) || code=$?
	[ "$code" = "$expected" ] || fail "exit code $code instead of $expected of: $* -- ${output:0:2000}"
}

# Asks every 0.1 s until COMMAND succeeds.
wait_for() { # SECONDS WHAT COMMAND...
	local seconds=$1 what=$2 deadline=$((SECONDS + $1))
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || fail "waited $seconds s for $what"
		sleep 0.1
	done
}

# ---- brokers and processes ---------------------------------------------------------------------------------

# One build at a time: scripts may start together.
build_tools() {
	exec 9>"$tools/lock"
	flock 9
	[ -f "$tools/build.ninja" ] || cmake -S "$support" -B "$tools" -G Ninja >/dev/null
	ninja -C "$tools" >"$tools/build.log" 2>&1 || { tail -20 "$tools/build.log" >&2; exit 1; }
	exec 9>&-
}

# Starts (or starts again) $work/NAME; sets broker (its folder) and bootstrap. Options as for kafka.sh start.
start_broker() { # NAME OPTIONS...
	broker=$work/$1
	shift
	mkdir -p "$broker"
	grep -qxF "$broker" "$work/brokers" 2>/dev/null || echo "$broker" >>"$work/brokers"
	bootstrap=$("$support/kafka.sh" start "$broker" --version "$KAFKA_VERSION" "$@")
}

# A broker that advertises the address of a fault proxy in front of a listener of its own. Sets KAFKA_PROXY_BOOTSTRAP and
# KAFKA_PROXY_TELL (the command that tells the proxy its rules).
start_proxied_broker() { # [--heap SIZE] RULE...
	local port rule rules=() heap=512m
	[ "${1:-}" != --heap ] || { heap=$2 && shift 2; }
	for rule; do rules+=(--rule "$rule"); done
	for port in $(shuf -i 10000-15000 -n 5); do
		port=$((2 * port))
		background "$work/proxy.ports" "$support/fault_proxy.py" run --broker "127.0.0.1:$((port + 2))" "${rules[@]}"
		wait_for 30 "the proxy" test -s "$work/proxy.ports"
		read -r proxy control <"$work/proxy.ports"
		start_broker proxied --port "$port" --heap "$heap" \
			--set "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1)),PROXIED://127.0.0.1:$((port + 2))" \
			--set "advertised.listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$proxy" \
			--set listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT && break
		rm -rf "$broker"
	done
	export KAFKA_PROXY_BOOTSTRAP=127.0.0.1:$proxy KAFKA_PROXY_TELL="$support/fault_proxy.py tell $control"
}

stop_broker() { "$support/kafka.sh" stop "$broker"; }

# Starts COMMAND with its output in FILE; sets $pid.
background() { # FILE COMMAND...
	local file=$1
	shift
	"$@" >"$file" 2>&1 </dev/null &
	pid=$!
	echo "$pid $(process_start "$pid")" >>"$work/processes"
}

# When a process was started: with its number, that names it for ever.
process_start() { cut -d')' -f2- "/proc/$1/stat" 2>/dev/null | cut -d' ' -f21; } # PID

end_processes() { # WORK
	local pid start broker
	while read -r pid start; do
		[ "$(process_start "$pid")" = "$start" ] && kill -KILL "$pid" 2>/dev/null || true
	done < <(cat "$1/processes" 2>/dev/null)
	# Killed, as nobody needs what they have: brokers whose controller is gone take a minute to end.
	while read -r broker; do "$support/kafka.sh" kill "$broker"; done < <(cat "$1/brokers" 2>/dev/null)
}

# Runs that were killed, or that failed and were looked at: the next run of the script takes them away.
remove_old_runs() {
	local old
	for old in "${work%.*}".*; do
		[ -d "$old" ] && ! kill -0 "${old##*.}" 2>/dev/null || continue
		end_processes "$old"
		[ ! -d "$old/kube" ] || "$support/kube/cluster.sh" stop "$old/kube"
		rm -rf "$old"
	done
}

# ---- records -----------------------------------------------------------------------------------------------

fill() { "$tools/kafka_fill" "$bootstrap" "$@"; }      # SCENARIO... OPTIONS
topics() { "$tools/kafka_topics" "$bootstrap" "$@"; }  # list|delete|create ...
dump() { "$tools/kafka_dump" "$bootstrap" "$@"; }      # TOPIC...|--prefix P --output FILE OPTIONS
compare() { "$support/kafka_compare.py" "$@"; }        # A B OPTIONS
kafka_java() { "$support/kafka.sh" java --version "$KAFKA_VERSION" "$support/java/$1.java" "$bootstrap" "${@:2}"; }
kafka_cli() { "$support/kafka.sh" cli --version "$KAFKA_VERSION" "$@"; }

# The settings of the topics with a prefix that differ from the broker's, a line for each, sorted.
topic_configs() { # PREFIX
	kafka_cli kafka.admin.ConfigCommand --bootstrap-server "$bootstrap" --entity-type topics --describe |
		awk -v prefix="$1" '/^Dynamic configs for topic/ { topic = $5; next }
			index(topic, prefix) == 1 { print topic, $1 }' | sort
}

# ---- the program under test --------------------------------------------------------------------------------

backup_yaml() { # NAME TOPICS-AS-YAML-LIST [MORE LINES OF spec]
	cat <<-Y
		apiVersion: kafka.oso.sh/v1alpha1
		kind: KafkaBackup
		metadata: {name: $1}
		spec:
		  kafkaCluster: {bootstrapServers: ["${bootstrap//,/\", \"}"]}
		  topics: $2
		  stopAtCurrentOffsets: true
		  storage: {storageType: pvc, pvc: {claimName: kafka-backups}}
	Y
	[ $# -lt 3 ] || sed 's/^/  /' <<<"$3"
}

restore_yaml() { # NAME BACKUP [MORE LINES OF spec]
	cat <<-Y
		apiVersion: kafka.oso.sh/v1alpha1
		kind: KafkaRestore
		metadata: {name: $1}
		spec:
		  backupRef: {name: $2, storage: {storageType: pvc, pvc: {claimName: kafka-backups}}}
		  kafkaCluster: {bootstrapServers: ["${bootstrap//,/\", \"}"]}
		  createTopics: true
	Y
	[ $# -lt 3 ] || sed 's/^/  /' <<<"$3"
}

# Runs a YAML against the volumes of this script, one folder per test.
kafka_backup_run() { # FILE OPTIONS...
	"$KAFKA_BACKUP" run -f "$@" --volumes "$volumes"
}

# ---- running -----------------------------------------------------------------------------------------------

seconds_since() { printf '%010d\n' "$(($(date +%s%N) - $1))" | sed -E 's/^0*([0-9]+)([0-9])[0-9]{8}$/\1.\2/'; } # NANOSECONDS

# In a subshell of its own, so that `set -e` holds and nothing is left over for the next test.
run_one() { # TEST
	set -eE
	trap 'echo "failed: $BASH_COMMAND (${BASH_SOURCE[0]##*/}:$LINENO)" >&2' ERR
	volumes=$work/$1/volumes
	mkdir -p "$volumes/kafka-backups"
	cd "$work/$1"
	"$1"
}

# What a script does for the tests behind one that failed.
after_failure() { :; }

run_tests() { # [TEST...]
	local name log started code passed=0 failed=0
	for name in $(grep -oE '^test_[a-z0-9_]+' "$0"); do
		case " $* " in "  " | *" $name "*) ;; *) continue ;; esac
		log=$work/$name.log started=$(date +%s%N) code=0
		set +e
		(run_one "$name") >"$log" 2>&1
		code=$?
		set -e
		if [ $code = 0 ]; then
			passed=$((passed + 1))
			printf 'ok   %-60s %7s s\n' "$name" "$(seconds_since "$started")"
		else
			failed=$((failed + 1))
			printf 'FAIL %-60s %7s s\n' "$name" "$(seconds_since "$started")"
			tail -40 "$log" | cut -c1-1000 | sed 's/^/     /'
			echo "     all of it: $log"
			after_failure >>"$log" 2>&1 || echo "     what it left was not set right: $(tail -1 "$log")"
		fi
	done
	all_passed=$((failed == 0 && passed > 0))
	echo "$passed passed, $failed failed"
	[ $all_passed = 1 ]
}

# What a script started beside brokers and processes; it says here how that ends.
on_leave() { :; }

# What failed stays for a look, without the brokers' data.
leave() {
	local code=$?
	trap - EXIT
	end_processes "$work"
	on_leave
	if [ "${all_passed:-0}" = 1 ] && [ "${KEEP:-0}" = 0 ]; then
		rm -rf "$work"
	else
		while read -r broker; do rm -rf "$broker/data"; done < <(cat "$work/brokers" 2>/dev/null)
	fi
	exit $code
}

remove_old_runs
mkdir -p "$work" "$tools"
trap leave EXIT
trap 'exit 130' INT TERM
build_tools
