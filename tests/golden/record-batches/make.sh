#!/bin/bash
# Makes tests/data/record-batches: what independent producers wrote and what an independent reader reads of it.
# Run by hand; needs a JDK, Maven and librdkafka-dev (tools/install-deps.sh test).
#   NAME.bin        the log segments of one partition, one after another: raw batches, as a broker keeps them
#   NAME.records    what Apache's consumer reads, a line a record: the fields of tests/support/dump_line.h from the
#                   offset on
#   NAME.txnindex   the broker's index of aborted transactions, and
#   NAME.committed  what a read_committed consumer reads; both where the partition has aborted transactions
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
support=$here/../../support
data=$here/../../data/record-batches
work=$(mktemp -d)
trap '"$support/kafka.sh" stop "$work/broker" || true; rm -rf "$work"' EXIT

cmake -S "$support" -B "$work/tools" >"$work/cmake.log"
cmake --build "$work/tools" --target kafka_fill >"$work/build.log"
"$support/kafka.sh" start "$work/broker" --cleaner
bootstrap=$(cat "$work/broker/bootstrap")

"$work/tools/kafka_fill" "$bootstrap" codecs nulls timestamps log-append-time one-record-batches compacted \
	transactions-aborted --prefix rdkafka- --scale 0.02
"$support/kafka.sh" java "$here/JavaBatches.java" "$bootstrap"
"$support/kafka.sh" java "$support/java/Fill.java" "$bootstrap" --prefix fill-
for isolation in read_uncommitted read_committed; do
	for prefix in rdkafka- java- fill-; do
		"$support/kafka.sh" java "$support/java/Dump.java" "$bootstrap" --prefix $prefix --output "$work/$prefix$isolation" \
			--isolation $isolation --offsets
	done
	cat "$work"/{rdkafka-,java-,fill-}$isolation >"$work/$isolation"
done

records() { # ISOLATION TOPIC PARTITION
	awk -F'\t' -v OFS='\t' -v topic="$2" -v partition="$3" \
		'$1 == "R" && $2 == topic && $3 == partition { print $4, $5, $6, $7, $8, $9 }' "$work/$1"
}

collect() { # TOPIC PARTITION
	local log=$work/broker/data/$1-$2 name=$data/$1-$2
	cat "$log"/*.log >"$name.bin"
	records read_uncommitted "$1" "$2" >"$name.records"
	records read_committed "$1" "$2" >"$work/committed"
	cat "$log"/*.txnindex >"$work/txnindex" 2>/dev/null || return 0
	[ -s "$work/txnindex" ] || return 0
	cp "$work/txnindex" "$name.txnindex"
	cp "$work/committed" "$name.committed"
}

mkdir -p "$data"
rm -f "$data"/*
for codec in none gzip snappy lz4 zstd; do
	collect rdkafka-codec-$codec 0
	collect java-$codec 0
done
collect rdkafka-nulls 0
collect rdkafka-timestamps 0
collect rdkafka-timestamps 1
collect rdkafka-log-append-time 0
collect rdkafka-one-record-batches 2
for partition in 0 1 3; do collect rdkafka-compacted $partition; done
collect rdkafka-transactions-aborted 0
collect java-log-append-time 0
collect fill-java-transactions 0
du -sb "$data"
