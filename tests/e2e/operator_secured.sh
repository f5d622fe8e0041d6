#!/bin/bash
# The operator against a broker with SASL_SSL (SCRAM-SHA-512) and mTLS, with Secrets as Strimzi and the first README name them;
# one of them is rotated while a run goes on. Root.
source "$(dirname "$0")/../lib.sh"
source "$repo/tests/kube_lib.sh"
source "$repo/tests/secured_lib.sh"

start_kube
load_image
make_certificates IP:10.244.0.1
make_secrets
secured_port=19092
broker_settings=()
while read -r setting; do broker_settings+=(--set "$setting"); done < <(secured_settings 0.0.0.0 10.244.0.1 10.244.0.1)
start_kube_broker "${broker_settings[@]}"
set_scram_password "$secured_password" SCRAM-SHA-512
helm_install >"$work/install.log"
export secured_host=10.244.0.1

secret() { kubectl --namespace "$1" create secret generic "$2" "${@:3}"; } # NAMESPACE NAME OPTIONS...

# As the cluster operator and the user operator of Strimzi make them.
strimzi_secrets() { # NAMESPACE
	secret "$1" my-cluster-cluster-ca-cert --from-file=ca.crt="$certificates/cluster-ca.crt"
	secret "$1" backup --from-literal=password="$secured_password"
	secret "$1" backup-mtls --from-file=ca.crt="$certificates/clients-ca.crt" --from-file=user.crt="$certificates/backup.crt" \
		--from-file=user.key="$certificates/backup.key"
}

scram() { # LISTENER
	secured_cluster "$1" SASL_SSL 'tlsSecret: {name: my-cluster-cluster-ca-cert}' \
		'saslSecret: {name: backup, mechanism: SCRAM-SHA-512}'
}
mutual() {
	secured_cluster MUTUAL SSL 'caSecret: {name: my-cluster-cluster-ca-cert}' \
		'tlsSecret: {name: backup-mtls, certKey: user.crt, keyKey: user.key}'
}

# No secret in what Kubernetes shows of a namespace, but for the Secrets.
expect_nothing_told() { # NAMESPACE
	kubectl --namespace "$1" get kb,kr,jobs,pods,events -o yaml >told
	local pod
	for pod in $(kubectl --namespace "$1" get pods -o name); do kubectl --namespace "$1" logs "$pod" >>told; done
	! grep -qF -e "$secured_password" -e changed-8899 -e "$(sed -n 2p "$certificates/backup.key")" told || fail "a secret is told"
}

test_strimzi_secrets_with_several_workers() {
	home strimzi bulk --topic bulk --bytes 4M
	capture strimzi-
	strimzi_secrets strimzi
	backup_yaml nightly '["strimzi-*"]' 'workers: 2' | with_cluster "$(scram SECURE)" | apply strimzi
	wait_complete strimzi kb/nightly 300
	restore_yaml back nightly 'topicMapping: {strimzi-bulk: restored-bulk}' | with_cluster "$(mutual)" | apply strimzi
	wait_complete strimzi kr/back 300
	dump --prefix restored- --output target.dump
	compare source.dump target.dump --map strimzi-bulk=restored-bulk
	expect_nothing_told strimzi
}

test_secrets_of_the_first_readme_and_a_wrong_one() {
	home readme bulk --topic bulk --bytes 1M
	secret readme kafka-tls --from-file=ca.crt="$certificates/cluster-ca.crt"
	secret readme kafka-sasl --from-literal=username=backup --from-literal=password=not-the-password-0815
	backup_yaml production-backup '["readme-*"]' 'backoffLimit: 0' | with_cluster "$(secured_cluster SECURE SASL_SSL \
		'tlsSecret: {name: kafka-tls}' 'saslSecret: {name: kafka-sasl, mechanism: SCRAM-SHA-512}')" | apply readme
	wait_for 300 "the end of the backup" has_ended readme kb/production-backup
	failed_because readme kb/production-backup BackupFailed "SASL SCRAM-SHA-512 as 'backup' at 10.244.0.1:"
	expect_nothing_told readme
	! grep -qF not-the-password-0815 told || fail "the wrong secret is told"
	secret readme kafka-sasl --from-literal=username=backup --from-literal=password="$secured_password" --dry-run=client -o yaml |
		kubectl --namespace readme apply -f -
	run_now readme kb/production-backup again
	wait_field readme kb/production-backup .status.phase Completed 300
}

# Sessions of three seconds: each login after the change needs the new password, which the kubelet brings in its time. The Jobs'
# pods live through that, or their successors go on where they were.
test_a_secret_is_rotated_in_mid_run() {
	home rotated bulk --topic bulk --bytes 24M --incompressible
	strimzi_secrets rotated
	continuous_yaml follow '["rotated-*"]' | with_cluster "$(scram SHORT)" | apply rotated
	backup_yaml slow '["rotated-bulk"]' "rateLimiting: {bytesPerSec: ${KB_ROTATION_BYTES_PER_SEC:-300000}}"$'\ncheckpoint: {intervalSecs: 2}' |
		with_cluster "$(scram SHORT)" | apply rotated
	wait_for 300 "progress" has_progress
	wait_for 300 "a restore point" has_newer_point rotated kb/follow ""
	kubectl --namespace rotated create secret generic backup --from-literal=password=changed-8899 --dry-run=client -o yaml |
		kubectl --namespace rotated apply -f -
	set_scram_password changed-8899 SCRAM-SHA-512
	fill bulk --prefix rotated- --topic later --bytes 1M
	wait_complete rotated kb/slow 600
	wait_for 300 "a restore point with what came later" point_holds rotated kb/follow rotated-later
	echo "$(pods_of rotated kb/slow | wc -l) pods, continuously $(pods_of rotated kb/follow | wc -l)"
	patch_spec rotated kb/follow '{"suspend":true}'
	wait_phase rotated kb/follow Pending
	expect_nothing_told rotated
	restored_by_name slow again 'rotated-bulk: again-bulk'
	restored_by_name follow followed 'rotated-bulk: followed-bulk, rotated-later: followed-later'
	set_scram_password "$secured_password" SCRAM-SHA-512
}

restored_by_name() { # BACKUP PREFIX SOURCE: TARGET, ...
	restore_yaml "$2" "$1" "topicMapping: {$3}" | with_cluster "$(mutual)" | apply rotated
	wait_complete rotated "kr/$2" 300
	local source target sources=() maps=()
	while IFS=': ' read -r -d, source target; do sources+=("$source") maps+=(--map "$source=$target"); done <<<"${3//, /,},"
	dump "${sources[@]}" --output source.dump
	dump --prefix "$2-" --output "$2.dump"
	compare source.dump "$2.dump" "${maps[@]}"
}
has_progress() { [ "$(field rotated kb/slow .status.progress.percent | cut -d. -f1)" -gt 0 ]; }

run_tests "$@"
