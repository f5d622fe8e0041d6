#!/bin/bash
# A continuous backup in a real cluster: what is done to the resource acts within seconds, whatever ends a pod it goes on, and
# what was durable can be restored. Root.
source "$(dirname "$0")/../lib.sh"
source "$repo/tests/kube_lib.sh"

start_kube
load_image
start_kube_broker
helm_install >"$work/install.log"

no_pods() { [ -z "$(pods_of "$1" "$2")" ]; }
records_of() { fill bulk --prefix "$1-" --topic "$2" --bytes "${3:-1M}" --partitions 2; } # NAMESPACE TOPIC [BYTES]
# What acts within seconds is the operator; the pods then have a minute to store what they have read.
told_to_end() { # NAMESPACE KIND/NAME
	local times
	times=$(kubectl --namespace "$1" get pods -l "kafka.oso.sh/owner-uid=$(field "$1" "$2" .metadata.uid)" \
		-o 'jsonpath={range .items[*]}{.metadata.deletionTimestamp};{end}') && [[ ";$times" != *";;"* ]]
}
worker_of() { pods_of "$1" "$2" | tail -1; }

# Begins NAMESPACE's backup `follow` and waits for its first restore point.
begin() { # NAMESPACE
	home "$1"
	records_of "$1" first
	continuous_yaml follow "[\"$1-*\"]" "${2:-}" | apply "$1"
	wait_for 120 "a restore point" has_newer_point "$1" kb/follow ""
}

test_it_runs_and_is_restored() {
	begin runs
	wait_condition runs kb/follow Ready
	wait_condition runs kb/follow Progressing
	eq Running "$(field runs kb/follow .status.phase)"
	local before
	before=$(point runs kb/follow)
	records_of runs second # a topic that comes while it runs
	wait_for 120 "another restore point" has_newer_point runs kb/follow "$before"
	wait_for 60 "metrics of what lags" lags_by_nothing
	patch_spec runs kb/follow '{"suspend":true}'
	wait_phase runs kb/follow Pending
	wait_for 60 "the end of the metrics" eval '! lags_by_nothing'
	capture runs-
	topics delete runs-
	restore_yaml back follow | apply runs
	wait_complete runs kr/back
	dump --prefix runs- --output target.dump
	compare source.dump target.dump
}

lags_by_nothing() {
	operator_page /metrics >metrics &&
		grep -qxF 'kafka_backup_lag_records_sum{resource_namespace="runs",name="follow"} 0' metrics &&
		grep -qxF 'kafka_backup_lag_records{resource_namespace="runs",name="follow",topic="runs-second",partition="0"} 0' metrics
}

test_suspend_and_resume_act_within_seconds() {
	begin pause
	patch_spec pause kb/follow '{"suspend":true}'
	wait_for 15 "its pods being told to end" told_to_end pause kb/follow
	wait_for 60 "the end of its pods" no_pods pause kb/follow
	wait_phase pause kb/follow Pending
	wait_event pause kb/follow "BackupStopped"
	local before
	before=$(point pause kb/follow)
	records_of pause later
	patch_spec pause kb/follow '{"suspend":false}'
	wait_for 120 "a restore point of the next run" has_newer_point pause kb/follow "$before"
}

test_an_edit_replaces_the_worker() {
	begin edit
	local worker
	worker=$(worker_of edit kb/follow)
	records_of other kept
	patch_spec edit kb/follow '{"topics":["edit-*","other-*"]}'
	wait_for 60 "the end of the worker" eval "! kubectl --namespace edit get $worker"
	wait_for 120 "a restore point under the new spec" point_holds edit kb/follow other-kept
	wait_field edit kb/follow .status.observedGeneration "$(field edit kb/follow .metadata.generation)"
}

test_a_pod_that_is_killed_and_an_operator_that_restarts() {
	begin kill
	local worker before
	worker=$(worker_of kill kb/follow)
	kubectl --namespace kill delete "$worker" --grace-period=0 --force
	records_of kill after-the-pod
	before=$(point kill kb/follow)
	wait_for 180 "a restore point of the next worker" has_newer_point kill kb/follow "$before"
	worker=$(worker_of kill kb/follow)
	kubectl --namespace "$operator_namespace" rollout restart deployment/kafka-backup-operator
	kubectl --namespace "$operator_namespace" rollout status deployment/kafka-backup-operator --timeout=120s
	before=$(point kill kb/follow)
	records_of kill after-the-operator
	wait_for 180 "a restore point that the new operator sees" has_newer_point kill kb/follow "$before"
	eq "$worker" "$(worker_of kill kb/follow)" "worker after the operator's restart"
}

test_deletion_ends_it_and_keeps_the_data() {
	begin gone
	local uid
	uid=$(field gone kb/follow .metadata.uid)
	kubectl --namespace gone delete kb/follow --timeout=60s
	wait_for 60 "the end of its pods" eval "[ -z \"\$(kubectl --namespace gone get pods -l kafka.oso.sh/owner-uid=$uid -o name)\" ]"
	"$KAFKA_BACKUP" verify --archive "$(folder_of_claim gone kafka-backups)/gone/follow"
}

run_tests "$@"
