#!/bin/bash
# Backups and restores over every security protocol of a real broker; what is refused says why; secrets rotate.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../secured_lib.sh"
start_secured_broker

ca='caSecret: {name: ca}'
login() { echo "saslSecret: {name: ${2:-login}, mechanism: $1}"; } # MECHANISM [SECRET]

secured_run() { # YAML OPTIONS...
	kafka_backup_run "$@" --secrets-dir "$secrets"
}

# No secret is in what the program says, whatever the level of its log, nor in what it stores.
expect_no_secret() { # FILES...
	! grep -rlF -e "$secured_password" -e not-the-password-0815 -e "$(sed -n 2p "$certificates/backup.key")" "$@" ||
		fail "a secret is in one of $*"
}

# Backs up and restores under another name, all over the listener.
round_trip() { # NAME CLUSTER-BLOCK
	backup_yaml "$1" '["sec-orders"]' | with_cluster "$2" >"$1.yaml"
	secured_run "$1.yaml" --log-level debug >"$1.log" 2>&1 || { tail -5 "$1.log"; fail "the backup $1"; }
	restore_yaml "$1-again" "$1" "topicMapping: {sec-orders: sec-$1}" | with_cluster "$2" >"$1-again.yaml"
	secured_run "$1-again.yaml" --log-level debug >>"$1.log" 2>&1 || { tail -5 "$1.log"; fail "the restore $1"; }
	dump "sec-$1" --output "$1.dump"
	compare source.dump "$1.dump" --map "sec-orders=sec-$1"
	expect_no_secret "$1.log" "$volumes"
}

test_every_protocol_and_mechanism() {
	fill bulk --prefix sec- --topic orders --bytes 2M
	dump sec-orders --isolation read_committed --output source.dump
	round_trip plain "$(secured_cluster LOGIN SASL_PLAINTEXT "$(login PLAIN)")"
	round_trip plain-tls "$(secured_cluster SECURE SASL_SSL "$ca" "$(login plain)")"
	round_trip scram256 "$(secured_cluster SECURE sasl_ssl "$ca" "$(login SCRAM-SHA-256)")"
	round_trip scram512 "$(secured_cluster SECURE SASL_SSL 'tlsSecret: {name: ca}' "$(login SCRAM-SHA-512)")"
	round_trip strimzi "$(secured_cluster SECURE SASL_SSL "$ca" "$(login SCRAM-SHA-512 backup)")"
	round_trip tls "$(secured_cluster TLS SSL "$ca")"
	round_trip mutual "$(secured_cluster MUTUAL SSL "$ca" 'tlsSecret: {name: user, certKey: user.crt, keyKey: user.key}')"
}

# Without a caSecret those of the system count: the image says by SSL_CERT_FILE where they are.
test_the_system_s_authorities_are_trusted() {
	topics list sec-orders | grep -q sec-orders || fill bulk --prefix sec- --topic orders --bytes 2M
	dump sec-orders --isolation read_committed --output source.dump
	refused 77 "$(secured_cluster TLS SSL)" "none of the system's CAs"
	SSL_CERT_FILE=$certificates/cluster-ca.crt round_trip system "$(secured_cluster TLS SSL)"
	SSL_CERT_FILE=$certificates/other-ca.crt refused 77 "$(secured_cluster TLS SSL)" "none of the system's CAs"
}

# A run that must be refused, soon, with these words and no secret.
refused() { # EXIT-CODE CLUSTER-BLOCK WORDS...
	local started took words
	backup_yaml refused '[any]' | with_cluster "$2" >refused.yaml
	started=$(date +%s%N)
	expect_exit "$1" secured_run refused.yaml --log-level debug
	took=$((($(date +%s%N) - started) / 1000000))
	printf '%5d ms  %s\n' "$took" "$(grep -m1 '^error\|^kafka-backup:' <<<"$output" || tail -1 <<<"$output")" | tee -a refusals.txt
	for words in "${@:3}"; do contains "$output" "$words"; done
	echo "$output" >refused.out
	expect_no_secret refused.out
	[ "$took" -lt "${KB_REFUSAL_MS_MAX:-10000}" ] || fail "it took $took ms"
}

test_wrong_credentials_are_refused_at_once() {
	local mechanism
	for mechanism in PLAIN SCRAM-SHA-256 SCRAM-SHA-512; do
		refused 77 "$(secured_cluster SECURE SASL_SSL "$ca" "$(login $mechanism wrong)")" \
			"SASL $mechanism as 'backup' at localhost:$(port SECURE)" SASL_AUTHENTICATION_FAILED
	done
	refused 66 "$(secured_cluster SECURE SASL_SSL "$ca" "$(login PLAIN missing)")" \
		"$secrets/missing/password" spec.kafkaCluster.saslSecret.passwordKey
	refused 64 "$(secured_cluster SHORT SASL_SSL "$ca" "$(login SCRAM-SHA-1)")" SCRAM-SHA-1
	refused 77 "$(secured_cluster MUTUAL SSL "$ca")" "a client certificate is wanted, and there is none"
	put_secret stranger tls.crt <"$certificates/broker.crt"
	put_secret stranger tls.key <"$certificates/broker.key"
	refused 77 "$(secured_cluster MUTUAL SSL "$ca" 'tlsSecret: {name: stranger, certKey: tls.crt, keyKey: tls.key}')" \
		"our client certificate is refused"
}

test_brokers_that_cannot_be_trusted_are_refused_at_once() {
	refused 77 "$(secured_cluster TLS SSL 'caSecret: {name: other-ca}')" "its issuer" "key ca.crt of Secret other-ca"
	refused 77 "$(secured_cluster TLS SSL)" "none of the system's CAs"
	secured_host=127.0.0.1 refused 77 "$(secured_host=127.0.0.1 secured_cluster TLS SSL "$ca")" \
		"the certificate is not for '127.0.0.1', but for DNS:localhost"
	refused 77 "$(secured_cluster EXPIRED SSL "$ca")" "expired on"
	refused 66 "$(secured_cluster TLS SSL 'caSecret: {name: ca, caKey: root.pem}')" "$secrets/ca/root.pem" spec.kafkaCluster.caSecret.caKey
}

test_a_wrong_protocol_is_told_at_once() {
	refused 64 "$(secured_cluster LOGIN SASL_SSL "$ca" "$(login PLAIN)")" "this listener has no TLS"
	refused 64 "$(secured_cluster SECURE SASL_PLAINTEXT "$(login PLAIN)")" TLS
	refused 64 "$(secured_cluster TLS PLAINTEXT)" TLS
	refused 64 "$(secured_cluster LOGIN PLAINTEXT)" "this listener wants one by SASL" PLAIN
	refused 64 "$(secured_cluster SECURE SSL "$ca")" "this listener wants one by SASL"
	refused 64 "$(secured_cluster TLS SASL_SSL "$ca" "$(login PLAIN)")" "no login by SASL"
	refused 64 "$(secured_cluster LOGIN PLAINTEXT "$(login PLAIN)")" "spec.kafkaCluster.saslSecret is not used"
	refused 64 "$(secured_cluster TLS TLS "$ca")" "must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'TLS'"
}

logins() { grep -c 'logged in to' "$1" || true; }        # LOG: all of them
connections() { grep -c 'connected to' "$1" || true; }   # LOG: those that were opened

# A run that is slow on purpose, so that several sessions end in it.
start_slow_run() { # NAME RATE
	backup_yaml "$1" '[slow-load]' "rateLimiting: {bytesPerSec: $2}"$'\ncheckpoint: {intervalSecs: 1}' |
		with_cluster "$(secured_cluster SHORT SASL_SSL "$ca" "$(login SCRAM-SHA-512)")" >"$1.yaml"
	background "$1.log" "$KAFKA_BACKUP" run -f "$1.yaml" --volumes "$volumes" --secrets-dir "$secrets" --log-level debug
}

test_logins_are_repeated_under_load() {
	fill bulk --prefix slow- --topic load --bytes 24M --incompressible
	dump slow-load --isolation read_committed --output source.dump
	start_slow_run repeated 2000000
	wait "$pid" || { tail -5 repeated.log; fail "the run"; }
	echo "$(connections repeated.log) connections, $(logins repeated.log) logins"
	# As many as connectionsPerBroker says, each opened once and logged in again and again: none was cut, by either side.
	[ "$(connections repeated.log)" -le 4 ] || fail "connections were opened again"
	eq 0 "$(grep -c 'trying again' repeated.log || true)" "retries"
	[ "$(logins repeated.log)" -ge $((2 * $(connections repeated.log))) ] || fail "sessions were not renewed"
	restore_yaml repeated-again repeated 'topicMapping: {slow-load: slow-restored}' |
		with_cluster "$(secured_cluster SHORT SASL_SSL "$ca" "$(login SCRAM-SHA-512)")" >again.yaml
	secured_run again.yaml
	dump slow-restored --output target.dump
	compare source.dump target.dump --map slow-load=slow-restored
}

test_a_secret_is_rotated_in_mid_run() {
	topics list slow-load | grep -q slow-load || fill bulk --prefix slow- --topic load --bytes 24M --incompressible
	start_slow_run rotated "${KB_ROTATION_BYTES_PER_SEC:-600000}"
	local run=$pid
	set_scram_password changed-8899 SCRAM-SHA-512
	wait_for 120 "a refusal of the old secret" grep -q "SASL_AUTHENTICATION_FAILED" rotated.log
	printf %s changed-8899 | put_secret login password
	wait "$run" || { tail -5 rotated.log; fail "the run"; }
	contains "$(cat rotated.log)" "KafkaBackup default/rotated: complete"
	! grep -qF -e changed-8899 -e "$secured_password" rotated.log || fail "a secret is in the log"
	set_scram_password "$secured_password" SCRAM-SHA-512
	printf %s "$secured_password" | put_secret login password
}

run_tests "$@"
