#!/bin/bash
# fuzz.sh BUILD SECONDS: runs every x_fuzz of a build for so long, from the corpus tests/fuzz/x. What it finds beyond that
# is kept in BUILD/corpus, a crashing input in BUILD/crashes.
set -euo pipefail
build=$1 seconds=$2
failed=()
count=0
mkdir -p "$build/crashes"
for target in "$build"/*_fuzz; do
	[ -x "$target" ] || continue
	name=$(basename "$target" _fuzz)
	count=$((count + 1))
	mkdir -p "$build/corpus/$name"
	corpora=("$build/corpus/$name")
	[ ! -d "tests/fuzz/$name" ] || corpora+=("tests/fuzz/$name")
	echo "== $name"
	"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$build/crashes/$name-" "${corpora[@]}" >"$build/$name.log" 2>&1 || failed+=("$name")
	grep -E 'stat::number_of_executed_units|stat::peak_rss_mb|SUMMARY' "$build/$name.log" || tail -5 "$build/$name.log"
done
[ "$count" -gt 0 ] || { echo "no fuzz targets in $build"; exit 1; }
[ ${#failed[@]} -eq 0 ] || { echo "FAILED: ${failed[*]}; see $build/NAME.log"; exit 1; }
echo "$count fuzz targets, nothing found"
