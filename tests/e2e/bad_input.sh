#!/bin/bash
# Bad input of more than a hundred kinds: tests/cli_test.py, with a broker for those that need one.
source "$(dirname "$0")/../lib.sh"
start_broker kafka
all_passed=0
code=0
"$repo/tests/cli_test.py" --build "$build" --bootstrap "$bootstrap" "$@" || code=$?
[ $code != 0 ] || all_passed=1
exit $code
