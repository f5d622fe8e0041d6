#!/bin/bash
# The operator as its users see it: installed by Helm into a real cluster with a node, where all namespaces enforce Pod Security
# "restricted", with Kafka beside it. What is restored is compared by the independent reader. Root.
source "$(dirname "$0")/../lib.sh"
source "$repo/tests/kube_lib.sh"

start_kube
load_image
start_kube_broker
helm_install >"$work/install.log"

# ---- begun before all tests, since it takes its time -------------------------------------------------------

# `ticks` has nothing in its way; the first run of `slow` takes longer than the time between two ticks.
begin_schedules() {
	home ticks codecs --scale 0.2
	fill bulk --prefix slow- --bytes 24M --incompressible
	{
		backup_yaml ticks '["ticks-*"]' 'schedule: "*/10 * * * * *"
successfulJobsHistoryLimit: 100'
		echo "---"
		backup_yaml slow '["slow-*"]' 'schedule: "*/10 * * * * *"
successfulJobsHistoryLimit: 100
rateLimiting: {bytesPerSec: 1500000}'
	} | apply ticks
}
begin_unreachable() {
	home nobroker
	backup_yaml unreachable '["*"]' 'backoffLimit: 1' | sed 's/10.244.0.1:19092/10.244.0.1:1/' | apply nobroker
}
begin_schedules >"$work/schedules.log"
begin_unreachable >"$work/unreachable.log"

# ---- tests -------------------------------------------------------------------------------------------------

test_one_shot_backup_and_renaming_restore() {
	home one codecs headers timestamps --scale 0.3
	capture one-
	local records
	records=$(records_in source.dump)
	backup_yaml daily '["one-*"]' | apply one
	wait_complete one kb/daily
	wait_condition one kb/daily Ready
	eq Completed "$(field one kb/daily .status.phase)"
	eq "$records" "$(field one kb/daily .status.recordsProcessed)" "records in the status"
	eq 1 "$(field one kb/daily .status.restorePoints.count)" "restore points"
	eq "$(field one kb/daily .metadata.generation)" "$(field one kb/daily .status.observedGeneration)" "generation"
	local id
	id=$(field one kb/daily .status.backupId)
	wait_event one kb/daily "Normal BackupStarted Backup $id started"
	wait_event one kb/daily "Normal BackupCompleted Backup $id completed"
	contains "$(kubectl --namespace one describe kb daily)" "BackupCompleted"
	kubectl --namespace one get kb >columns
	contains "$(head -1 columns | tr -s ' ')" "NAME PHASE SCHEDULE LAST BACKUP NEXT PROGRESS RECORDS AGE"
	contains "$(tail -1 columns | tr -s ' ')" "daily Completed "
	contains "$(tail -1 columns | tr -s ' ')" " $records "
	[ -d "$(folder_of_claim one kafka-backups)/one/daily" ] || fail "the archive is not where the claim is"

	restore_yaml again daily 'topics: [one-headers, one-codec-zstd]
topicMapping: {one-headers: new-one-headers, one-codec-zstd: new-one-zstd}' | apply one
	wait_complete one kr/again
	dump --prefix new-one- --output target.dump
	dump one-headers one-codec-zstd --output chosen.dump
	compare chosen.dump target.dump --map one-headers=new-one-headers --map one-codec-zstd=new-one-zstd
	eq "$(records_in target.dump)" "$(field one kr/again .status.recordsRestored)" "records restored"
	eq "100 $id Completed" "$(field one kr/again .status.progressPercent) $(field one kr/again .status.backupId) $(field one kr/again .status.phase)"
	wait_event one kr/again "Normal RestoreStarted"
	wait_event one kr/again "Normal RestoreSucceeded Backup $id restored: 2 topics"
	contains "$(kubectl --namespace one get kb,kr | tr -s ' ')" "kafkarestore.kafka.oso.sh/again Completed $id 100 $(records_in target.dump)"
	metrics_of_one "$records"
}

metrics_of_one() { # RECORDS
	operator_page /metrics >metrics
	local labels='{resource_namespace="one",name="daily"}'
	has_sample "kafka_backup_backup_records$labels" "$1"
	has_sample "kafka_backup_operator_backup_records_total$labels" "$1"
	has_sample "kafka_backup_backup_size_bytes$labels" "$(field one kb/daily .status.bytesProcessed)"
	has_sample "kafka_backup_restore_points$labels" 1
	has_sample "kafka_backup_never_succeeded$labels" 0
	has_sample "kafka_backup_run_in_progress$labels" 0
	has_sample "kafka_backup_last_success_timestamp_seconds$labels" "$(date -d "$(field one kb/daily .status.lastBackupTime)" +%s)"
	has_sample 'kafka_backup_operator_backups_total{outcome="success",resource_namespace="one",name="daily"}' 1
	has_sample 'kafka_backup_operator_backups_total{outcome="failure",resource_namespace="one",name="daily"}' 0
	has_sample 'kafka_backup_operator_restores_total{outcome="success",resource_namespace="one",name="again"}' 1
	has_sample "kafka_backup_operator_backup_duration_seconds_count$labels" 1
}

# A line of the file `metrics`; numbers may be written as 5 and as 5e+0.
has_sample() { # NAME-WITH-LABELS VALUE
	local found
	found=$(awk -v name="$1" 'index($0, name " ") == 1 { printf "%d", $NF }' metrics)
	eq "$2" "$found" "$1"
}

test_metrics_and_probes() {
	wait_for 60 "a sample" has_family kafka_backup_operator_backups_total
	operator_page /metrics >metrics
	"$("$support/promtool.sh")" check metrics <metrics >lint 2>&1 || [ $? = 3 ] || fail "$(cat lint)"
	# A name that dashboards of users have.
	! grep -v "^kafka_backup_operator_backup_records_total non-counter" lint || fail "$(cat lint)"
	local name kind
	# Restores and failures come with the tests that make some.
	grep -oE '^\| `kafka_backup[a-z_]+` \| (gauge|counter|histogram)' "$repo/docs/reference/metrics.md" | tr -d '|`' >documented
	grep -oE '^# TYPE kafka_backup[a-z_]+ [a-z]+' metrics | cut -d' ' -f3- >served
	[ -s documented ] && [ -s served ]
	while read -r name kind; do
		grep -qx "$name $kind" served || ! is_always_there "$name" || fail "$name of the page is not served"
	done <documented
	while read -r name kind; do
		tr -s ' ' <documented | grep -qE "^ ?$name $kind" || fail "$name $kind is served and not in the page"
	done <served
	contains "$(operator_page /healthz)" ok
	contains "$(operator_page /readyz)" leader
	has_sample 'kafka_backup_operator_health' 1
}

has_family() { operator_page /metrics | grep -q "^$1"; }
is_always_there() { case $1 in *restore* | *lost_offsets | *cleanups* | *failure* | *retention* | *progress* | *run_start* | *skipped* | *lag_records*) return 1 ;; esac; }

test_sharded_backup_to_a_claim_that_the_operator_makes() {
	make_namespace shards
	make_volume shards made
	fill sparse codecs --prefix shards-
	capture shards-
	{
		backup_yaml wide '["shards-*"]' 'workers: 3
podTemplate:
  metadata: {labels: {team: blue}, annotations: {note: kept}}
  resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 300Mi}}
  env: [{name: GREETING, value: hello}]' |
			sed 's/pvc: {claimName: kafka-backups}/pvc: {claimName: made, create: {enabled: true, size: 1Gi, accessModes: [ReadWriteMany]}}/'
	} | apply shards
	wait_complete shards kb/wide
	eq Bound "$(field shards pvc/made .status.phase)" "the claim"
	eq "" "$(field shards pvc/made .metadata.ownerReferences)" "owners of the claim, whose data stays"
	eq "$(records_in source.dump)" "$(field shards kb/wide .status.recordsProcessed)" "records in the status"
	expect_jobs shards kb/wide 2
	eq 4 "$(pods_of shards kb/wide | wc -l)" "pods: a shard each and the finish"
	pod_is_as_the_template_says "$(pods_of shards kb/wide | head -1)"
	restore_yaml wide-again wide 'workers: 2
topicMapping: {'"$(topics list shards- | awk '{ printf "%s%s: again-%s", (n++ ? ", " : ""), $1, $1 }')"'}' |
		sed 's/, storage: .*/}/' | apply shards
	wait_complete shards kr/wide-again
	dump --prefix again-shards- --output target.dump
	local maps=()
	for topic in $(topics list shards- | awk '{ print $1 }'); do maps+=(--map "$topic=again-$topic"); done
	compare source.dump target.dump "${maps[@]}"
	kubectl --namespace shards delete kb wide --timeout=60s
	eq Bound "$(field shards pvc/made .status.phase)" "the claim without its KafkaBackup"
	[ -d "$(folder_of_claim shards made)/shards/wide/sets" ] || fail "the archive went with its KafkaBackup"
}

pod_is_as_the_template_says() { # POD
	local of='.spec.containers[0]'
	eq "blue kept" "$(field shards "$1" .metadata.labels.team) $(field shards "$1" .metadata.annotations.note)"
	eq "10m 64Mi 300Mi" "$(field shards "$1" $of.resources.requests.cpu) $(field shards "$1" $of.resources.requests.memory) $(field shards "$1" $of.resources.limits.memory)"
	eq hello "$(field shards "$1" "$of.env[?(@.name==\"GREETING\")].value")" "the variable"
}

test_run_now_and_edits() {
	home edits codecs --scale 0.1
	backup_yaml asked '["edits-codec-zstd"]' | apply edits
	wait_complete edits kb/asked
	run_again edits kb/asked first
	run_now edits kb/asked first
	run_again edits kb/asked second
	expect_jobs edits kb/asked 3
	local before
	before=$(field edits kb/asked .status.backupId)
	patch_spec edits kb/asked '{"topics":["edits-*"]}'
	wait_for 120 "the run of the edited spec" another_backup edits kb/asked "$before"
	wait_complete edits kb/asked
	capture edits-
	restore_yaml back asked 'topicMapping: {'"$(topics list edits- | awk '{ printf "%s%s: re-%s", (n++ ? ", " : ""), $1, $1 }')"'}' | apply edits
	wait_complete edits kr/back
	dump --prefix re-edits- --output target.dump
	eq "$(records_in source.dump)" "$(records_in target.dump)" "records of the edited selection"
	patch_spec edits kr/back '{"rateLimiting":{"bytesPerSec":1000000}}'
	wait_event edits kr/back "Warning SpecChangedAfterCompletion"
	expect_jobs edits kr/back 1
	run_again edits kr/back token
	wait_phase edits kr/back Completed
	expect_jobs edits kr/back 2
	dump --prefix re-edits- --output again.dump
	compare target.dump again.dump
}

test_deletion_during_a_run_keeps_the_data() {
	home gone bulk --bytes 30M --incompressible
	backup_yaml big '["gone-*"]' 'checkpoint: {intervalSecs: 1}
segmentMaxBytes: 1000000
rateLimiting: {bytesPerSec: 1000000}' | apply gone
	local folder
	folder=$(folder_of_claim gone kafka-backups)/gone/big
	wait_for 60 "a checkpoint" compgen -G "$folder/runs/*/*/00000002"
	wait_for 60 "the progress" has_progress gone kb/big
	kubectl --namespace gone get kb/big -o wide
	kubectl --namespace gone delete kb big --timeout=60s
	wait_for 90 "the Jobs and pods to go" nothing_of gone jobs,pods
	compgen -G "$folder/segments/*/*" >/dev/null || fail "the archive is gone"
	"$KAFKA_BACKUP" list --volumes "$work/claims/gone" >list.log
	contains "$(cat list.log)" "not finished: big-"
	capture gone-
	backup_yaml big '["gone-*"]' | apply gone
	wait_complete gone kb/big
	restore_yaml back big 'topicMapping: {gone-bulk: back-gone}' | apply gone
	wait_complete gone kr/back
	dump back-gone --output target.dump
	compare source.dump target.dump --map gone-bulk=back-gone
}

has_progress() { [ "$(field "$1" "$2" .status.progress.recordsDone)" -gt 0 ]; }          # NAMESPACE KIND/NAME
nothing_of() { [ -z "$(kubectl --namespace "$1" get "$2" -o name)" ]; } # NAMESPACE KINDS

test_failures_say_why() {
	home failing codecs --scale 0.1
	{
		backup_yaml missing '["failing-codec-zstd", "no-such-topic"]'
		echo "---"
		backup_yaml endless '["failing-*"]' "workers: 2" | sed 's/stopAtCurrentOffsets: true/continuous: true/'
		echo "---"
		backup_yaml bucket '["failing-*"]' | sed 's/storage: .*/storage: {storageType: s3, s3: {bucket: b, region: r}}/'
		echo "---"
		restore_yaml absent missing 'pitr: {endTime: "2026-01-01T00:00:00Z"}'
	} | apply failing
	refused kb/endless "spec.workers must be 1 with continuous: divide the topics among several KafkaBackups"
	refused kb/bucket "spec.storage.storageType other than pvc is not supported by this version yet"
	refused kr/absent "spec.pitr is not supported by this version yet"
	wait_condition failing kb/missing Failed
	failed_because failing kb/missing BackupFailed no-such-topic
	failed_because failing kb/missing BackupFailed spec.topics
	expect_jobs failing kb/missing 1
	eq 1 "$(pods_of failing kb/missing | wc -l)" "attempts, as trying again does not help"
	# It runs when what was wrong is right.
	patch_spec failing kb/missing '{"onMissingTopic":"warn"}'
	wait_condition failing kb/missing Complete
	operator_page /metrics >metrics
	has_sample 'kafka_backup_operator_backups_total{outcome="failure",resource_namespace="failing",name="missing"}' 1
}

refused() { # KIND/NAME MESSAGE
	wait_condition failing "$1" Failed
	failed_because failing "$1" ValidationFailed "$2"
	expect_jobs failing "$1" 0
}

test_retention_acts_and_says_so() {
	home keep codecs --scale 0.1
	backup_yaml last '["keep-*"]' 'retention: {enabled: true, keepLast: 2}' | apply keep
	wait_complete keep kb/last
	fill codecs --scale 0.1 --prefix keep-more-
	run_again keep kb/last first
	eq "2 0" "$(field keep kb/last .status.restorePoints.count) $(field keep kb/last .status.retentionDeletedBackups)" "points and deleted"
	run_again keep kb/last second
	eq "2 3 1 1" "$(field keep kb/last .status.restorePoints.count) $(field keep kb/last .status.retentionInspectedBackups) $(field keep kb/last .status.retentionEligibleBackups) $(field keep kb/last .status.retentionDeletedBackups)" "points, inspected, eligible and deleted"
	wait_event keep kb/last "Normal RetentionApplied 1 old backup"
	eq 2 "$("$KAFKA_BACKUP" list --volumes "$work/claims/keep" --output json | grep -o '"capturedAt"' | wc -l)" "backups in the archive"
	operator_page /metrics >metrics
	has_sample 'kafka_backup_restore_points{resource_namespace="keep",name="last"}' 2
	has_sample 'kafka_backup_retention_error{resource_namespace="keep",name="last"}' 0
}

test_restore_waits_for_its_backup() {
	home wait codecs --scale 0.1
	{
		backup_yaml halted '["wait-*"]' 'suspend: true'
		echo "---"
		restore_yaml early late 'topics: [wait-codec-zstd]
topicMapping: {wait-codec-zstd: early-zstd}' | sed 's/, storage: .*/}/'
		echo "---"
		restore_yaml earlier halted | sed 's/, storage: .*/}/'
	} | apply wait
	waits_because kr/early BackupNotFound "there is no KafkaBackup wait/late"
	waits_because kr/earlier NoBackupYet "KafkaBackup wait/halted has no complete backup yet"
	backup_yaml late '["wait-*"]' | apply wait
	wait_complete wait kr/early
	dump wait-codec-zstd --output source.dump
	dump early-zstd --output target.dump
	compare source.dump target.dump --map wait-codec-zstd=early-zstd
}

waits_because() { # KIND/NAME REASON PIECE-OF-MESSAGE
	wait_for 60 "$2 of $1" reason_is wait "$1" Ready "$2"
	eq "Pending False" "$(field wait "$1" .status.phase) $(condition wait "$1" Ready .status)" "$1"
	contains "$(field wait "$1" .status.message)" "$3"
	expect_jobs wait "$1" 0
}

test_dry_run_writes_nothing() {
	home dry codecs --scale 0.1
	backup_yaml b '["dry-codec-zstd"]' | apply dry
	wait_complete dry kb/b
	restore_yaml try b 'topicMapping: {dry-codec-zstd: wet}
dryRun: true' | apply dry
	wait_complete dry kr/try
	eq DryRunPassed "$(condition dry kr/try Complete .reason)"
	dump dry-codec-zstd --output source.dump
	contains "$(field dry kr/try .status.message)" "1 topics"
	contains "$(field dry kr/try .status.message | tr -d ,)" "$(records_in source.dump) records"
	eq "" "$(topics list wet)" "topics made by a dry run"
	patch_spec dry kr/try '{"dryRun":false}'
	wait_for 120 "the real one" reason_is dry kr/try Complete RestoreSucceeded
	dump wet --output target.dump
	compare source.dump target.dump --map dry-codec-zstd=wet
}

test_kinds_that_are_not_there_yet_say_so() {
	make_namespace later
	apply later <<-Y
		apiVersion: kafka.oso.sh/v1alpha1
		kind: KafkaOffsetReset
		metadata: {name: reset}
		spec: {kafkaCluster: {bootstrapServers: ["$bootstrap"]}, consumerGroups: [g], resetStrategy: earliest}
		---
		apiVersion: kafka.oso.sh/v1alpha1
		kind: KafkaOffsetRollback
		metadata: {name: rollback}
		spec: {kafkaCluster: {bootstrapServers: ["$bootstrap"]}, snapshotRef: {name: s}}
		---
		apiVersion: kafka.oso.sh/v1alpha1
		kind: KafkaBackupValidation
		metadata: {name: validation}
		spec: {backupRef: {name: b}, checks: {messageCount: {}}}
	Y
	local resource
	for resource in kor/reset korb/rollback kbv/validation; do
		wait_phase later "$resource" Pending
		eq "False NotSupportedYet" "$(condition later "$resource" Ready .status) $(condition later "$resource" Ready .reason)" "$resource"
	done
}

test_pause_annotations() {
	home pause codecs --scale 0.1
	{
		backup_yaml ours '["pause-*"]' | sed 's|name: ours|name: ours, annotations: {kafka.oso.sh/pause-reconciliation: "true"}|'
		echo "---"
		backup_yaml strimzi '["pause-*"]' | sed 's|name: strimzi|name: strimzi, annotations: {strimzi.io/pause-reconciliation: "true"}|'
	} | apply pause
	wait_condition pause kb/ours ReconciliationPaused
	wait_condition pause kb/strimzi ReconciliationPaused
	kubectl --namespace pause delete kb ours --timeout=60s # a paused one can be deleted
	annotate pause kb/strimzi strimzi.io/pause-reconciliation-
	wait_complete pause kb/strimzi
	expect_jobs pause kb/strimzi 1
	eq "" "$(condition pause kb/strimzi ReconciliationPaused .status)" "ReconciliationPaused"
}

test_suspended() {
	home halt codecs --scale 0.1
	{
		backup_yaml shot '["halt-*"]' 'suspend: true'
		echo "---"
		backup_yaml often '["halt-*"]' 'suspend: true
schedule: "* * * * * *"'
	} | apply halt
	wait_condition halt kb/shot Suspended
	wait_condition halt kb/often Suspended
	eq Pending "$(field halt kb/shot .status.phase)"
	run_now halt kb/shot while-suspended
	operator_page /metrics >metrics
	has_sample 'kafka_backup_suspended{resource_namespace="halt",name="often"}' 1
	eq "" "$(field halt kb/often .status.nextScheduledBackup)" "next run while suspended"
	patch_spec halt kb/shot '{"suspend":false}'
	wait_complete halt kb/shot
	expect_jobs halt kb/often 0
	eq "" "$(condition halt kb/shot Suspended .status)" "Suspended"
}

# A Job expires only when its outcome is in the status, whatever happens to the operator in between.
test_jobs_are_kept_and_expire() {
	home jobs codecs --scale 0.1
	background job.watch in_kube kubectl --namespace jobs get jobs --watch -o json
	background backups.watch in_kube kubectl --namespace jobs get kb --watch -o json
	backup_yaml few '["jobs-*"]' 'successfulJobsHistoryLimit: 1' | apply jobs
	wait_complete jobs kb/few
	run_again jobs kb/few one
	run_again jobs kb/few two
	wait_for 60 "old Jobs to go" has_jobs jobs kb/few 1
	contains "$(job_field jobs kb/few .metadata.annotations)" '"kafka.oso.sh/recorded":"true"'
	eq 86400 "$(job_field jobs kb/few .spec.ttlSecondsAfterFinished)"
	backup_yaml brief '["jobs-*"]' 'ttlSecondsAfterFinished: 0' | apply jobs
	wait_complete jobs kb/brief
	wait_for 60 "the Job to expire" has_jobs jobs kb/brief 0
	eq Completed "$(field jobs kb/brief .status.phase)" "the phase without a Job"
	python3 - <<-'P'
		import json
		def states(path):
		    decoder, text, at = json.JSONDecoder(), open(path).read(), 0
		    while at < len(text.rstrip()):
		        value, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
		        yield value
		expiring = [j for j in states("job.watch") if "ttlSecondsAfterFinished" in j["spec"]]
		assert len({j["metadata"]["name"] for j in expiring}) == 4, expiring
		recorded = {}
		for backup in states("backups.watch"):
		    recorded.setdefault(backup.get("status", {}).get("lastRunId"), int(backup["metadata"]["resourceVersion"]))
		for job in expiring:
		    assert recorded[job["metadata"]["annotations"]["kafka.oso.sh/backup-id"]] < int(job["metadata"]["resourceVersion"]), job
		    assert any(c["type"] == "Complete" and c["status"] == "True" for c in job["status"]["conditions"]), job
		    assert job["metadata"]["annotations"]["kafka.oso.sh/recorded"] == "true", job
	P
}

# A resource as the operator that was here before left it: in the middle of a run, with its finalizer.
test_take_over_from_the_peer() {
	home peer codecs --scale 0.1
	capture peer-
	backup_yaml old '["peer-*"]' |
		sed 's|name: old|name: old, finalizers: [kafka.oso.sh/backup-finalizer], annotations: {kafka.oso.sh/pause-reconciliation: "true"}|' |
		apply peer
	wait_condition peer kb/old ReconciliationPaused
	kubectl --namespace peer patch kb old --subresource=status --type=merge -p '{"status":{"phase":"Running","message":"Backup in progress",
		"observedGeneration":1,"conditions":[{"type":"Ready","status":"False","lastTransitionTime":"2025-12-10T12:00:00Z","reason":"BackupRunning","message":"m"}]}}'
	annotate peer kb/old kafka.oso.sh/pause-reconciliation-
	wait_complete peer kb/old
	eq "$(records_in source.dump)" "$(field peer kb/old .status.recordsProcessed)" "records"
	kubectl --namespace peer delete kb old --timeout=60s
	{
		backup_yaml unlucky '["peer-*"]' 'suspend: true' | sed 's|name: unlucky|name: unlucky, finalizers: [kafka.oso.sh/backup-finalizer]|'
		echo "---"
		restore_yaml unlucky none | sed 's|metadata: {name: unlucky|metadata: {name: unlucky, finalizers: [kafka.oso.sh/restore-finalizer]|'
	} | apply peer
	kubectl --namespace peer delete kb/unlucky kr/unlucky --timeout=60s
}

# Each tick has exactly one Job or one recorded skip.
test_a_schedule_of_two_minutes() {
	local first
	first=$(date -d "$(field ticks kb/ticks .metadata.creationTimestamp)" +%s)
	first=$(((first / 10 + 1) * 10))
	wait_for 200 "two minutes of ticks" ticks_reach $((first + 110))
	kubectl --namespace ticks patch kb ticks slow --type=merge -p '{"spec":{"suspend":true}}'
	local name
	for name in ticks slow; do
		wait_condition ticks kb/$name Suspended
		wait_condition ticks kb/$name Progressing=False
		every_tick_is_accounted_for $name
	done
	[ "$(field ticks kb/slow .status.skippedTicks)" -ge 1 ] || fail "no tick came during the long run"
	wait_event ticks kb/slow "Normal TickSkipped"
	contains "$(events_of ticks kb/slow | grep TickSkipped)" "was still in progress"
	eq True "$(condition ticks kb/slow Ready .status)" "Ready of what is scheduled and worked"
	dump --prefix slow- --isolation read_committed --output source.dump
	restore_yaml slow-again slow 'topicMapping: {slow-bulk: again-slow}' | apply ticks
	wait_complete ticks kr/slow-again
	dump again-slow --output target.dump
	compare source.dump target.dump --map slow-bulk=again-slow
}

ticks_reach() { [ "$(date -d "$(field ticks kb/ticks .status.lastScheduleTime)" +%s)" -ge "$1" ]; } # SECONDS

every_tick_is_accounted_for() { # NAME
	local first last jobs
	first=$(date -d "$(field ticks "kb/$1" .metadata.creationTimestamp)" +%s)
	first=$(((first / 10 + 1) * 10))
	last=$(date -d "$(field ticks "kb/$1" .status.lastScheduleTime)" +%s)
	kubectl --namespace ticks get jobs -l "kafka.oso.sh/owner-uid=$(field ticks "kb/$1" .metadata.uid)" -o json |
		python3 -c 'import json, sys
for job in json.load(sys.stdin)["items"]: print(json.loads(job["metadata"]["annotations"]["kafka.oso.sh/run"])["tick"])' |
		sort >"$1.ticks"
	jobs=$(wc -l <"$1.ticks")
	eq "" "$(uniq -d "$1.ticks")" "ticks with two Jobs"
	local skipped
	skipped=$(field ticks "kb/$1" .status.skippedTicks)
	eq $(((last - first) / 10 + 1)) $((jobs + ${skipped:-0})) "Jobs and recorded skips of $1 from $first to $last"
	while read -r tick; do eq 0 $(($(date -d "$tick" +%s) % 10)) "seconds of $tick"; done <"$1.ticks"
}

test_unreachable_brokers_are_tried_again() {
	wait_condition nobroker kb/unreachable Failed 400
	failed_because nobroker kb/unreachable BackupFailed 10.244.0.1:1
	eq 2 "$(pods_of nobroker kb/unreachable | wc -l)" "attempts"
	contains "$(kubectl --namespace nobroker logs "$(pods_of nobroker kb/unreachable | head -1)" | grep warn)" "10.244.0.1:1"
}

# Everything is lost but the volume: operator, definitions, namespace and topics.
test_disaster_recovery() {
	home lost codecs headers --scale 0.3
	capture lost-
	topic_configs lost- >source.configs
	backup_yaml nightly '["lost-*"]' 'schedule: "* * * * * *"
successfulJobsHistoryLimit: 1' | apply lost
	wait_for 120 "a backup" another_backup lost kb/nightly ""
	patch_spec lost kb/nightly '{"suspend":true}'
	wait_condition lost kb/nightly Progressing=False
	lose_everything
	make_namespace found
	make_claim found rescued "$(folder_of_claim lost kafka-backups)"
	helm_install
	restore_from_volume rehearsal 'dryRun: true' | apply found
	wait_complete found kr/rehearsal
	eq "" "$(topics list lost-)" "topics of the rehearsal"
	restore_from_volume recovery | apply found
	wait_complete found kr/recovery
	dump --prefix lost- --output target.dump
	compare source.dump target.dump
	topic_configs lost- >target.configs
	diff source.configs target.configs
}

lose_everything() {
	helm uninstall kafka-backup-operator --namespace "$operator_namespace"
	kubectl delete namespace lost "$operator_namespace" --timeout=120s
	kubectl delete -f "$repo/deploy/crds/all.yaml" --timeout=120s
	kubectl delete pv lost-kafka-backups --timeout=60s
	topics delete lost-
}

restore_from_volume() { # NAME [MORE LINES OF spec]
	restore_yaml "$1" nightly "${@:2}" |
		sed 's/name: nightly, storage/name: nightly, namespace: lost, storage/; s/claimName: kafka-backups/claimName: rescued/'
}

run_tests "$@"
