#!/bin/bash
# Runs tests/e2e/*.sh against real Kafka brokers: run.sh [NAME...]    (NAME: a script, or script/test_name)
# One line per test, and at the end `N passed, N failed`. KAFKA_VERSION=3.9.2 picks another broker.
set -euo pipefail
cd "$(dirname "$0")/.."
names=("$@")
[ $# -gt 0 ] || for script in tests/e2e/*.sh; do names+=("$(basename "$script" .sh)"); done
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for name in "${names[@]}"; do
	script=tests/e2e/${name%%/*}.sh
	[ -f "$script" ] || { echo "there is no $script" >&2; exit 2; }
	echo "== ${name%%/*}"
	started=$SECONDS
	only=()
	[ "$name" = "${name#*/}" ] || only=("${name#*/}")
	"$script" "${only[@]}" | tee "$log" || true
	if summary=$(grep -oE '^[0-9]+ passed, [0-9]+ failed$' "$log") && [ "$summary" != "0 passed, 0 failed" ]; then
		read -r plus _ minus _ <<<"${summary/,/}"
		passed=$((passed + plus)) failed=$((failed + minus))
	else
		echo "FAIL $name ended without running a test"
		failed=$((failed + 1))
	fi
	echo "   ${name%%/*}: $((SECONDS - started)) s"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
