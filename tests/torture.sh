#!/bin/bash
# The tests of instants and interleavings with the full numbers; takes an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "== 50 kills each of backup and restore"
KILLS=${KILLS:-50} tests/run.sh crashes
CONTINUOUS_KILLS=${CONTINUOUS_KILLS:-30} CONTINUOUS_PARTITIONS=1000 tests/run.sh continuous
echo "== operators, workers and the cluster's programs killed, stopped and evicted, 30 times each"
KILLS=${OPERATOR_KILLS:-30} tests/run.sh operator_chaos
echo "== three brokers: 30 leader moves, 10 kills, 3 rolling restarts, 5 silences, each of backup and restore; logs that change"
MOVES=${MOVES:-30} KILLS=${MOVING_KILLS:-10} ROLLS=${ROLLS:-3} SILENCES=${SILENCES:-5} RETENTIONS=${RETENTIONS:-10} \
	RECREATIONS=${RECREATIONS:-10} ELECTIONS=${ELECTIONS:-5} tests/run.sh moving moving_continuous
echo "== 10,000 partitions; 50 ms to the broker"
SCALE_PARTITIONS=${SCALE_PARTITIONS:-10000} tests/run.sh scale
echo "== ${KB_MODEL_SEEDS:=100000} seeds of the archive's model"
KB_MODEL_SEEDS=$KB_MODEL_SEEDS build/release/archive_test --test-case='*model*'
echo "== ${KB_RETENTION_TRACES:=100000} traces of retention"
KB_RETENTION_TRACES=$KB_RETENTION_TRACES build/release/archive_test --test-case='*retention traces*'
echo "== ${KB_SIM_TICKS:=100000} ticks of the operator's simulation"
KB_SIM_TICKS=$KB_SIM_TICKS build/release/operator_test --test-case='*simulation*'
