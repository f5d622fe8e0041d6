#!/bin/bash
# A network that loses answers and cuts connections between us and a real broker: every record once, all the same.
source "$(dirname "$0")/../lib.sh"
start_proxied_broker
direct=$bootstrap proxied=$KAFKA_PROXY_BOOTSTRAP

tell() { $KAFKA_PROXY_TELL "$@"; }
through_proxy() { sed "s/$direct/$proxied/" "$1" >"$2"; } # YAML NEW-YAML

# Every tenth produce answer is lost and its connection cut: the broker has the records, we do not know.
test_restore_with_lost_answers() {
	fill bulk --prefix la- --topic plain --bytes 30M
	fill codecs one-record-batches transactions --prefix la-
	dump --prefix la- --isolation read_committed --output source.dump
	backup_yaml lost '["la-*"]' >backup.yaml
	restore_yaml lost-again lost >direct.yaml
	kafka_backup_run backup.yaml
	topics delete la-
	through_proxy direct.yaml restore.yaml
	tell clear
	for then in reset close reset close reset; do tell "drop-response api=Produce count=1 then=$then"; done
	kafka_backup_run restore.yaml
	timeout 5 $KAFKA_PROXY_TELL wait-idle # every fault has happened
	dump --prefix la- --output target.dump
	compare source.dump target.dump
}

test_backup_with_cut_connections() {
	fill bulk --prefix cc- --topic plain --bytes 60M --incompressible
	fill codecs transactions --prefix cc-
	dump --prefix cc- --isolation read_committed --output source.dump
	backup_yaml cut '["cc-*"]' >direct.yaml
	through_proxy direct.yaml backup.yaml
	tell clear
	for after in 0 10 1000 500000 2000000; do tell "reset api=Fetch after=$after count=1"; done
	tell "half-close api=Fetch count=1"
	kafka_backup_run backup.yaml
	timeout 5 $KAFKA_PROXY_TELL wait-idle # every fault has happened
	"$KAFKA_BACKUP" verify --deep --volumes "$volumes"
	topics delete cc-
	restore_yaml cut-again cut >restore.yaml
	kafka_backup_run restore.yaml
	dump --prefix cc- --output target.dump
	compare source.dump target.dump
}

run_tests "$@"
