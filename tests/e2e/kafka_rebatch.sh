#!/bin/bash
# Batches that we pass on, merge and write anew are taken by real brokers, of the newest and of an older version.
source "$(dirname "$0")/../lib.sh"
rebatch_test=$build/kafka_rebatch_test

test_newest() { start_broker newest && KAFKA_BOOTSTRAP=$bootstrap "$rebatch_test"; }
test_3_9() { start_broker old --version 3.9.2 && KAFKA_BOOTSTRAP=$bootstrap "$rebatch_test"; }

run_tests "$@"
