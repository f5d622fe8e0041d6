#!/bin/bash
# OAUTHBEARER and GSSAPI against real brokers that check tokens and tickets; AWS_MSK_IAM against Amazon's own client.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../secured_lib.sh"
secrets=$work/secrets kdc=$work/kdc provider=$work/provider
realm=TEST.LOCAL secret=not-for-any-log-4711

# ---- brokers, KDC and provider of tokens -----------------------------------------------------------------

# A broker on HOST, besides its plain listener at PORT: KERBEROS at PORT + 2, TOKENS at PORT + 3, RENEWED (tokens, short
# sessions) at PORT + 4. The first is the controller of the others.
sasl_settings() { # NODE HOST PORT
	local oauth=org.apache.kafka.common.security.oauthbearer name listeners=KERBEROS://$2:$(($3 + 2)),TOKENS://$2:$(($3 + 3)),RENEWED://$2:$(($3 + 4))
	echo "node.id=$1"
	if [ "$1" = 1 ]; then
		echo "listeners=PLAINTEXT://127.0.0.1:$3,CONTROLLER://127.0.0.1:$(($3 + 1)),$listeners"
	else
		echo process.roles=broker
		echo "controller.quorum.voters=1@127.0.0.1:$((first_port + 1))"
		echo "listeners=PLAINTEXT://127.0.0.1:$3,$listeners"
	fi
	echo "advertised.listeners=PLAINTEXT://127.0.0.1:$3,$listeners"
	echo listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,KERBEROS:SASL_PLAINTEXT,TOKENS:SASL_PLAINTEXT,RENEWED:SASL_PLAINTEXT
	echo listener.name.kerberos.sasl.enabled.mechanisms=GSSAPI
	echo sasl.kerberos.service.name=kafka
	echo "listener.name.kerberos.gssapi.sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab=\"$kdc/$2.keytab\" principal=\"kafka/$2@$realm\";"
	for name in tokens renewed; do
		echo "listener.name.$name.sasl.enabled.mechanisms=OAUTHBEARER"
		echo "listener.name.$name.oauthbearer.sasl.jaas.config=$(jaas oauthbearer.OAuthBearerLoginModule)"
		echo "listener.name.$name.oauthbearer.sasl.server.callback.handler.class=$oauth.OAuthBearerValidatorCallbackHandler"
	done
	echo listener.name.renewed.oauthbearer.connections.max.reauth.ms=3000
	echo "sasl.oauthbearer.jwks.endpoint.url=file://$provider/jwks.json"
	echo sasl.oauthbearer.expected.audience=kafka
	echo sasl.oauthbearer.expected.issuer=https://login.example.com
}

start_sasl_broker() { # NODE HOST OPTIONS...
	local port setting options
	"$support/kdc.sh" keytab "$kdc" "$kdc/$2.keytab" "kafka/$2"
	for port in $(shuf -i 1250-1999 -n 5); do
		port=$((8 * port)) options=()
		[ "$1" != 1 ] || first_port=$port
		while read -r setting; do options+=(--set "$setting"); done < <(sasl_settings "$1" "$2" "$port")
		JAVA_TOOL_OPTIONS="-Djava.security.krb5.conf=$kdc/krb5.conf -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://$provider/jwks.json" \
			start_broker "sasl$1" --port "$port" "${options[@]}" "${@:3}" && break
		rm -rf "$broker"
	done
}

start_all() {
	"$support/kdc.sh" start "$kdc"
	"$support/kdc.sh" keytab "$kdc" "$work/backup.keytab" backup
	put_secret kerberos keytab <"$work/backup.keytab"
	put_secret kerberos krb5.conf <"$kdc/krb5.conf"
	"$support/token_endpoint.py" keys "$provider"
	background "$work/provider.log" "$support/token_endpoint.py" serve "$provider" backup "$secret"
	wait_for 30 "the token endpoint" test -s "$provider/port"
	printf backup | put_secret client username
	printf %s "$secret" | put_secret client password
	put_secret client ca.crt <"$provider/ca.crt"
	token sub=backup | put_secret tokens good
	start_sasl_broker 1 127.0.0.2
}

on_leave() { "$support/kdc.sh" stop "$kdc"; }

token() { "$support/token_endpoint.py" token "$provider" "$@"; } # CLAIM=VALUE...

# ---- runs ------------------------------------------------------------------------------------------------

sasl_cluster() { # LISTENER SASL-BLOCK
	local port=$((first_port + 2))
	case $1 in TOKENS) port=$((port + 1)) ;; RENEWED) port=$((port + 2)) ;; esac
	printf '  kafkaCluster:\n    bootstrapServers: ["127.0.0.2:%s"]\n    securityProtocol: SASL_PLAINTEXT\n    saslSecret: {%s}\n' "$port" "$2"
}

endpoint_block() { echo "name: client, mechanism: OAUTHBEARER, oauth: {tokenEndpoint: \"https://127.0.0.1:$(cat "$provider/port")/token\"$1}"; }
kerberos_block() { echo "name: ${2:-kerberos}, mechanism: GSSAPI, kerberos: {principal: backup@$realm, configKey: krb5.conf$1}"; }

sasl_run() { kafka_backup_run "$@" --secrets-dir "$secrets" --log-level debug; } # YAML

# Neither the client's secret nor the signature of a token is in what the program says or stores.
expect_no_secret() { # FILES...
	! grep -rlF -e "$secret" -e "$(cut -d. -f3 "$secrets/tokens/good")" "$@" || fail "a secret is in one of $*"
}

# Backs up and restores under another name by such a login.
round_trip() { # NAME CLUSTER-BLOCK LOGIN
	backup_yaml "$1" '[sasl-orders]' | with_cluster "$2" >"$1.yaml"
	sasl_run "$1.yaml" >"$1.log" 2>&1 || { tail -5 "$1.log"; fail "the backup $1"; }
	restore_yaml "$1-again" "$1" "topicMapping: {sasl-orders: sasl-$1}" | with_cluster "$2" >"$1-again.yaml"
	sasl_run "$1-again.yaml" >>"$1.log" 2>&1 || { tail -5 "$1.log"; fail "the restore $1"; }
	dump "sasl-$1" --output "$1.dump"
	compare "$work/source.dump" "$1.dump" --map "sasl-orders=sasl-$1"
	grep -q "logged in to 127.0.0.2:[0-9]* by $3," "$1.log" || fail "nobody is logged in as $3"
	expect_no_secret "$1.log" "$volumes"
}

# A run that must be refused within 10 s, with these words and no secret. Prints what it said.
refused() { # EXIT-CODE CLUSTER-BLOCK WORDS...
	local words
	backup_yaml refused '[any]' | with_cluster "$2" >refused.yaml
	expect_exit "$1" timeout 10 "$KAFKA_BACKUP" run -f refused.yaml --volumes "$volumes" --secrets-dir "$secrets" --log-level debug
	grep -m1 '^error\|^kafka-backup:' <<<"$output" || tail -1 <<<"$output"
	for words in "${@:3}"; do contains "$output" "$words"; done
	echo "$output" >refused.out
	expect_no_secret refused.out
}

# ---- OAUTHBEARER -------------------------------------------------------------------------------------------

test_tokens_of_a_secret_a_file_and_a_provider() {
	round_trip key "$(sasl_cluster TOKENS 'name: tokens, mechanism: oauthbearer, oauth: {tokenKey: good}')" "OAUTHBEARER as backup"
	token sub=system:serviceaccount:orders:backup >projected
	round_trip file "$(sasl_cluster TOKENS "name: tokens, mechanism: OAUTHBEARER, oauth: {tokenFile: \"$PWD/projected\"}")" \
		"OAUTHBEARER as system:serviceaccount:orders:backup"
	: >"$provider/requests"
	round_trip provider "$(sasl_cluster TOKENS "$(endpoint_block ', caKey: ca.crt, scope: "kafka.read kafka.write"')")" "OAUTHBEARER as backup"
	# One token for all connections of a run.
	eq "/token backup kafka.read kafka.write" "$(sort -u "$provider/requests")" "what the provider was asked"
	eq 2 "$(wc -l <"$provider/requests")" "tokens of a backup and a restore"
}

by_token() { sasl_cluster TOKENS "name: tokens, mechanism: OAUTHBEARER, oauth: {tokenKey: $1}"; } # KEY

test_wrong_tokens_are_refused_at_once() {
	token sub=late exp=-3600 | put_secret tokens expired
	refused 77 "$(by_token expired)" "SASL OAUTHBEARER as 'late' at 127.0.0.2:" "the broker refuses the token: invalid_token; it expired at"
	# The farewell makes the broker end the login too, and say why.
	wait_for 30 "the broker's word" grep -q 'Failed authentication.*invalid_token' "$broker/server.log"
	token sub=elsewhere aud=other | put_secret tokens elsewhere
	refused 77 "$(by_token elsewhere)" "SASL OAUTHBEARER as 'elsewhere' at 127.0.0.2:" "the broker refuses the token: invalid_token"
	sed 's/.$/A/; s/\.\([^.]\)[^.]*$/.\1AAAA/' "$secrets/tokens/good" | put_secret tokens forged
	refused 77 "$(by_token forged)" "SASL OAUTHBEARER as 'backup'" invalid_token
	refused 66 "$(by_token missing)" "$secrets/tokens/missing" spec.kafkaCluster.saslSecret.oauth.tokenKey
	printf 'two words' | put_secret tokens words
	refused 64 "$(by_token words)" "key words of Secret tokens is not a bearer token"
}

test_a_provider_that_refuses_is_named() {
	printf backup | put_secret wrong username
	printf %s not-the-secret-0815 | put_secret wrong password
	put_secret wrong ca.crt <"$provider/ca.crt"
	local block
	block=$(endpoint_block ', caKey: ca.crt')
	refused 77 "$(sasl_cluster TOKENS "${block/client/wrong}")" "SASL OAUTHBEARER as 'backup'" "it refuses: invalid_client (HTTP status 401)"
	! grep -q not-the-secret-0815 refused.out || fail "the wrong secret is shown"
	refused 77 "$(sasl_cluster TOKENS "$(endpoint_block '')")" "for a token of 'backup'" certificate
}

test_tokens_are_renewed_while_a_run_lasts() {
	fill bulk --prefix slow- --topic load --bytes 12M --incompressible
	echo 6 >"$provider/lifetime"
	: >"$provider/requests"
	backup_yaml renewed '[slow-load]' 'rateLimiting: {bytesPerSec: 1000000}' |
		with_cluster "$(sasl_cluster RENEWED "$(endpoint_block ', caKey: ca.crt')")" >renewed.yaml
	sasl_run renewed.yaml >renewed.log 2>&1 || { tail -5 renewed.log; fail "the run"; }
	echo 3600 >"$provider/lifetime"
	echo "$(wc -l <"$provider/requests") tokens, $(grep -c 'logged in to' renewed.log) logins"
	[ "$(wc -l <"$provider/requests")" -ge 2 ] || fail "one token lasted longer than it lives"
	eq 0 "$(grep -c 'trying again' renewed.log || true)" "retries"
}

# ---- GSSAPI ------------------------------------------------------------------------------------------------

test_tickets_by_a_keytab() {
	round_trip kerberos "$(sasl_cluster KERBEROS "$(kerberos_block '')")" "GSSAPI as backup@$realm"
}

test_wrong_keytabs_and_names_are_refused_at_once() {
	put_secret other krb5.conf <"$kdc/krb5.conf"
	"$support/kdc.sh" keytab "$kdc" "$work/other.keytab" other
	put_secret other keytab <"$work/other.keytab"
	refused 77 "$(sasl_cluster KERBEROS "$(kerberos_block '' other)")" "SASL GSSAPI as 'backup@$realm' at 127.0.0.2:" "No key table entry found for backup@$realm"
	"$support/kdc.sh" keytab "$kdc" "$work/old.keytab" old
	"$support/kdc.sh" rekey "$kdc" old
	put_secret old krb5.conf <"$kdc/krb5.conf"
	put_secret old keytab <"$work/old.keytab"
	local block
	block=$(kerberos_block '' old)
	refused 77 "$(sasl_cluster KERBEROS "${block/backup@/old@}")" "SASL GSSAPI as 'old@$realm'" "Decrypt integrity check failed"
	refused 77 "$(sasl_cluster KERBEROS "$(kerberos_block ', serviceName: karafka')")" "SASL GSSAPI as 'backup@$realm'" \
		"a ticket for karafka/127.0.0.2: Server karafka/127.0.0.2@$realm not found in Kerberos database"
	refused 66 "$(sasl_cluster KERBEROS "$(kerberos_block ', keytabKey: missing')")" "$secrets/kerberos/missing" kerberos.keytabKey
	printf '[plugins]\n ccselect = { module = x:/tmp/x.so }\n' | put_secret other krb5.conf
	refused 64 "$(sasl_cluster KERBEROS "$(kerberos_block '' other)")" "'module' is not allowed"
}

test_mechanisms_that_the_listener_does_not_offer() {
	refused 64 "$(sasl_cluster KERBEROS 'name: tokens, mechanism: OAUTHBEARER, oauth: {tokenKey: good}')" OAUTHBEARER GSSAPI
	refused 64 "$(sasl_cluster TOKENS "$(kerberos_block '')")" GSSAPI OAUTHBEARER
}

test_each_broker_has_a_principal_of_its_own() {
	local host
	start_sasl_broker 2 127.0.0.3 --heap 300m
	start_sasl_broker 3 127.0.0.4 --heap 300m
	fill bulk --prefix three- --topic orders --bytes 1M --partitions 12
	backup_yaml three '[three-orders]' | with_cluster "$(sasl_cluster KERBEROS "$(kerberos_block '')")" >three.yaml
	sasl_run three.yaml >three.log 2>&1 || { tail -5 three.log; fail "the backup"; }
	for host in 127.0.0.2 127.0.0.3 127.0.0.4; do
		grep -q "logged in to $host:[0-9]* by GSSAPI as backup@$realm" three.log || fail "no login at $host"
		grep -q "backup@$realm for kafka/$host@$realm" "$kdc/kdc.log" || fail "no ticket for kafka/$host"
	done
	"$support/kafka.sh" stop "$work/sasl2"
	"$support/kafka.sh" stop "$work/sasl3"
}

# ---- AWS_MSK_IAM -------------------------------------------------------------------------------------------

# No broker but Amazon's checks such a login. unit/kafka compares our payloads with this file.
test_payloads_for_msk_are_those_of_amazons_client() {
	"$support/msk_iam_payloads.sh" >payloads.jsonl
	cmp payloads.jsonl "$repo/tests/data/msk-iam/payloads.jsonl"
}

start_all
fill bulk --prefix sasl- --topic orders --bytes 1M
dump sasl-orders --isolation read_committed --output "$work/source.dump"
run_tests "$@"
