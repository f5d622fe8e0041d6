#!/bin/bash
# coverage.sh BUILD: lines executed per folder of src/, of a build that has run; fails when kafka, archive or engine
# is below 90 %.
set -euo pipefail
build=$1 below=0
for folder in src/*/; do
	name=$(basename "$folder")
	line=$(gcovr --root . --object-directory "$build" --filter "src/$name/" --exclude '.*_(test|fuzz)\.cc' \
		--exclude '.*_main\.cc' --exclude-throw-branches 2>/dev/null | grep '^TOTAL' || true)
	[ -n "$line" ] || continue
	percent=$(awk '{sub("%", "", $4); print $4}' <<<"$line")
	printf '%-10s %4s %%\n' "$name" "$percent"
	case $name in kafka | archive | engine) [ "$percent" -ge 90 ] || below=1 ;; esac
done
[ $below = 0 ] || { echo "kafka, archive and engine must be at 90 %"; exit 1; }
