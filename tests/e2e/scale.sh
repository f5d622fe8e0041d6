#!/bin/bash
# Many partitions in one run, and brokers that are far away. Figures go to build/scale.txt; tests/torture.sh sets
# SCALE_PARTITIONS=10000 (a multiple of 100; a broker holds all of them).
source "$(dirname "$0")/../lib.sh"
partitions=${SCALE_PARTITIONS:-1000}
figures=$repo/build/scale.txt
start_proxied_broker --heap 1g
far=$KAFKA_PROXY_BOOTSTRAP
tell() { $KAFKA_PROXY_TELL "$@"; }

# Runs kafka-backup with the JSON result in $json; sets $wall (s), $cpu (s) and $rss (MiB) of the process.
measured() { # FILE OPTIONS...
	json=$(python3 - "$KAFKA_BACKUP" --log-level warn --progress none run -f "$1" --volumes "$volumes" --output json "${@:2}" 2>failed.log <<-'P'
		import resource, subprocess, sys, time
		started = time.monotonic()
		code = subprocess.call(sys.argv[1:])
		used = resource.getrusage(resource.RUSAGE_CHILDREN)
		with open("measured", "w") as file:
		    print(f"{time.monotonic() - started:.1f} {used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss // 1024}", file=file)
		sys.exit(code)
	P
	) || fail "$1: $(tail -3 failed.log)"
	read -r wall cpu rss <measured
}
field() { python3 -c "import json, sys; print(json.load(sys.stdin)['resources'][0]['$1'])" <<<"$json"; } # NAME
objects() { find "$volumes/kafka-backups" -type f | wc -l; }
under() { [ "$2" -lt "$1" ] || fail "$3: $2, at most $1 are allowed"; } # LIMIT VALUE WHAT
say() { echo "$*" | tee -a "$figures"; }
at() { sed "s/$bootstrap/$far/" "$1"; } # FILE: the same by way of the proxy

# 100 topics of many partitions with 100 records each.
fill_many() { # PREFIX
	local topic
	for topic in $(seq -w $((partitions / 100))); do
		fill bulk --prefix "$1" --topic "$topic" --partitions 100 --bytes 2000000 --record-bytes 200 \
			--batch-bytes 16384 --linger-ms 10
	done
}

test_memory_and_objects_of_many_partitions() {
	rm -f "$figures"
	fill_many many-
	dump --prefix many- --isolation read_committed --output source.dump
	backup_yaml many '["many-*"]' >backup.yaml
	measured backup.yaml
	eq "$partitions" "$(field partitions)" "partitions"
	eq $((partitions * 100)) "$(field records)" "records"
	say "$partitions partitions, 100 records each: first run $wall s, $cpu CPU s, $rss MiB, $(objects) objects (load $(cut -d' ' -f1 /proc/loadavg))"
	under 300 "$rss" "MiB of RSS"
	under 500 "$(objects)" "objects"
	local before
	before=$(objects)
	measured backup.yaml --backup-id many-29990101-000000
	eq 0 "$(field records)" "new records"
	say "  nothing new: $wall s, $cpu CPU s, $rss MiB, $(($(objects) - before)) objects more"
	under 300 "$rss" "MiB of RSS"
	under 10 "$(($(objects) - before))" "objects of a run with nothing new"
	topics delete many-
	restore_many
}

# Killed long before its end: what it finds when it is run again is asked for in few requests.
restore_many() {
	restore_yaml again many >restore.yaml
	restore_yaml again many "rateLimiting: {recordsPerSec: $partitions, maxConcurrentPartitions: 1000}" >slow.yaml
	background killed.log "$KAFKA_BACKUP" --progress none run -f slow.yaml --volumes "$volumes"
	wait_for 120 "the first records" has_records many-
	kill -KILL "$pid"
	measured restore.yaml
	say "  restore, resumed: $wall s, $cpu CPU s, $rss MiB"
	under 300 "$rss" "MiB of RSS"
	dump --prefix many- --output target.dump
	compare source.dump target.dump
	tell latency ms=50
	at restore.yaml >far.yaml
	tell forget
	measured far.yaml
	eq 0 "$(field records)" "records of a repeated restore"
	say "  restore with nothing to do, 50 ms away: $wall s, $(requests) requests"
	under $((60 + partitions / 50)) "$(requests)" "requests"
	tell clear
	topics delete many-
}

has_records() { dump --prefix "$1" --output count.dump && grep -q '^R' count.dump; }
requests() { tell status | awk '$1 == "requests" { n += $3 } END { print n + 0 }'; }

# A run with nothing new is all start-up.
test_requests_of_a_start() {
	fill_many start-
	backup_yaml start '["start-*"]' >backup.yaml
	at backup.yaml >far.yaml
	measured backup.yaml
	tell latency ms=50
	tell forget
	measured far.yaml --backup-id start-29990101-000000
	eq 0 "$(field records)" "new records"
	say "start with $partitions partitions, 50 ms away: $wall s, $(requests) requests"
	under 40 "$(requests)" "requests"
	tell clear
	topics delete start-
}

# What is on its way at once decides how much a round trip costs; bench/run.py measures that.
test_requests_overlap_when_the_broker_is_far_away() {
	fill bulk --prefix far- --bytes 64M --partitions 12 --incompressible
	dump --prefix far- --isolation read_committed --output source.dump
	backup_yaml far '["far-*"]' >backup.yaml
	at backup.yaml >far.yaml
	tell latency ms=50
	tell forget
	measured far.yaml
	local most
	most=$(most_in_flight)
	[ "$most" -ge 3 ] || fail "$most requests at once on a connection that fetches"
	topics delete far-
	restore_yaml far-again far >restore.yaml
	at restore.yaml >far.yaml
	tell forget
	measured far.yaml
	most=$(most_in_flight)
	[ "$most" -ge 3 ] || fail "$most requests at once on a connection that produces"
	tell clear
	dump --prefix far- --output target.dump
	compare source.dump target.dump
}

most_in_flight() { tell status | awk -F': ' '$1 == "most at once" { print $2 }'; }

run_tests "$@"
