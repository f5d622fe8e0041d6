#!/bin/bash
# The tools that judge the other tests: they agree with Apache's client, and they see what is wrong.
source "$(dirname "$0")/../lib.sh"
start_broker kafka --cleaner

test_two_clients_read_the_same() {
	fill all --prefix same- --scale 0.5
	kafka_java Fill --prefix same-
	local level
	for level in read_committed read_uncommitted; do
		dump --prefix same- --isolation $level --offsets --output librdkafka.$level
		kafka_java Dump --prefix same- --isolation $level --offsets --output java.$level
		# librdkafka ends a header key at a NUL.
		code=0
		compare librdkafka.$level java.$level --quiet >comparison || code=$?
		grep -v same-java-headers comparison >others || true
		eq 1 "$(wc -l <others)" "$(cat comparison)"
		contains "$(cat others)" ": 1 partitions differ"
	done
	[ "$(records_of librdkafka.read_committed transactions-open-only)" = 0 ] || fail "an open transaction was seen"
	[ "$(records_of librdkafka.read_uncommitted transactions-open-only)" -gt 0 ] || fail "nothing is open"
	[ "$(records_of librdkafka.read_committed transactions-aborted)" = 0 ] || fail "aborted records were seen"
	contains "$(grep java-timestamp-0 librdkafka.read_committed)" "	C	0	"
}

records_of() { awk -F'\t' -v topic="same-$2" '$1 == "P" && $2 == topic { print $4 }' "$1"; }

test_filled_logs_are_awkward() {
	fill trimmed one-record-batches compacted --prefix awkward-
	eq "100 100 " "$(records_per_batch awkward-trimmed-0 | sed -n '3,4p' | tr '\n' ' ')" "batches around the log start"
	dump awkward-trimmed --offsets --output trimmed
	eq 250 "$(awk -F'\t' '$1 == "R" && $3 == 0 { print $4; exit }' trimmed)" "first offset, inside the third batch"
	eq 1 "$(records_per_batch awkward-one-record-batches-0 | sort -u)" "records per batch"
	records_per_batch awkward-compacted-1 >batches
	grep -qx 0 batches || fail "no empty batch is left by the cleaner"
	dump awkward-compacted --output compacted
	grep -qP '^R\t.*\t-\t$' compacted || fail "no tombstone"
}

records_per_batch() { # TOPIC-PARTITION
	local class=org.apache.kafka.tools.DumpLogSegments
	[ "${KAFKA_VERSION%%.*}" -ge 4 ] || class=kafka.tools.DumpLogSegments
	kafka_cli "$class" --files "$(ls "$broker/data/$1"/*.log | head -1)" |
		sed -nE 's/^baseOffset: .* count: (-?[0-9]+) .*/\1/p'
}

test_a_tombstone_vanishes() {
	fill vanishing --prefix tomb-
	dump tomb-vanishing --output before
	fill vanish --prefix tomb-
	dump tomb-vanishing --output after
	eq 20 "$(grep -c '^R' before)" "keys before"
	eq 10 "$(grep '^R' after | grep -vc 4:7469636b)" "keys after"
	! grep -qP '^R\t.*\t-\t$' after || fail "a tombstone is left"
}

test_comparison_finds_every_difference() {
	fill codecs --prefix cmp- --scale 0.1
	dump --prefix cmp- --output a
	compare a a >/dev/null
	digests_gone x <a >a2
	sed '0,/\tC\t1700000000/s//\tL\t1700000000/' a | digests_gone y >b
	expect_exit 1 compare a2 b
	contains "$output" "timestamp type C -> L"
	expect_exit 0 compare a2 b --ignore-timestamp-type 'cmp-*'
	digests_gone y <a >b
	expect_exit 0 compare a2 b
	awk '!(/^R/ && ++n == 3)' b >c # one record fewer, the count says otherwise
	expect_exit 1 compare a2 c
	awk '/^R/ && ++n == 1 { print; print; next } { print }' b >c
	expect_exit 1 compare a2 c
	awk '/^R/ && ++n == 1 { kept = $0; next } { print } kept { print kept; kept = "" }' b >c # two swapped
	expect_exit 1 compare a2 c
	contains "$output" "record 0"
	grep -v codec-lz4 b >c
	expect_exit 1 compare a2 c
	contains "$output" "is missing in B"
	expect_exit 1 compare c a2
	contains "$output" "is only in B"
	sed 's/cmp-codec-lz4/renamed/' a >b
	expect_exit 0 compare a b --map cmp-codec-lz4=renamed
	dump --prefix cmp- --digest --output digests
	expect_exit 0 compare a digests
}

# So that records are compared, and not only digests.
digests_gone() { awk -F'\t' -v OFS='\t' -v digest="$1" '$1 == "P" { $5 = digest } { print }'; }

test_commits_are_read_back() {
	topics create commits 2 retention.ms=1000000
	"$tools/kafka_commit" "$bootstrap" group commits 0 0 commits 1 0:note
	eq "commits 0 0 commits 1 0 note" "$("$tools/kafka_commit" "$bootstrap" group --show commits 0 commits 1 |
		tr '\n' ' ' | tr -s ' ' | sed 's/ $//')" "committed offsets"
	eq "commits retention.ms=1000000" "$(topic_configs commits)" "configs"
}

test_a_killed_broker_comes_back() {
	start_broker other
	fill nulls --prefix kill-
	dump --prefix kill- --output before
	"$support/kafka.sh" kill "$broker"
	local address=$bootstrap
	start_broker other
	eq "$address" "$bootstrap" "address"
	dump --prefix kill- --output after
	compare before after
	"$support/kafka.sh" pause "$broker"
	"$support/kafka.sh" resume "$broker"
	dump --prefix kill- --output after
	compare before after
	stop_broker
	[ ! -e "$broker/pid" ] || fail "a pid is left"
}

run_tests "$@"
