#!/bin/bash
# The tests of instants and interleavings with the full numbers; takes an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "== 50 kills each of backup and restore"
KILLS=${KILLS:-50} tests/run.sh crashes
echo "== operators, workers and the cluster's programs killed, stopped and evicted, 30 times each"
KILLS=${OPERATOR_KILLS:-30} tests/run.sh operator_chaos
echo "== ${KB_MODEL_SEEDS:=100000} seeds of the archive's model"
KB_MODEL_SEEDS=$KB_MODEL_SEEDS build/release/archive_test --test-case='*model*'
