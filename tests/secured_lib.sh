# Sourced behind lib.sh by scripts that need a broker with TLS and logins. start_secured_broker starts one with these
# listeners besides the plain one of $bootstrap, which the tools use; port NAME gives a listener's port on localhost:
#   LOGIN    SASL_PLAINTEXT             PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
#   SECURE   SASL_SSL                   the same, by a certificate for localhost only
#   TLS      SSL                        no client certificate is asked for
#   MUTUAL   SSL                        a client certificate of the CA is required
#   EXPIRED  SSL                        with a certificate whose time is over
#   SHORT    SASL_SSL                   SCRAM-SHA-512, sessions of $KAFKA_SESSION_MS (3000)
# The user is backup with the password $secured_password, everywhere. $secrets is a folder as Kubernetes mounts it: ca (ca.crt),
# other-ca (ca.crt), login (username, password), wrong (the same user, another password), user (user.crt, user.key, ca.crt
# of the clients' CA as Strimzi has it), and backup with the key password only.
secured_password=open-sesame-4711
secured_listeners=(LOGIN SECURE TLS MUTUAL EXPIRED SHORT)

port() { # NAME
	local i
	for i in "${!secured_listeners[@]}"; do
		[ "${secured_listeners[$i]}" != "$1" ] || { echo $((secured_port + 2 + i)); return; }
	done
	fail "no listener $1"
}

# ---- certificates ------------------------------------------------------------------------------------------

make_authority() { # NAME: NAME.key, NAME.crt in $certificates
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/O=tests/CN=$1" \
		-keyout "$certificates/$1.key" -out "$certificates/$1.crt" 2>>"$certificates/openssl.log"
}

make_certificate() { # NAME AUTHORITY DAYS EXTENSIONS: NAME.key, NAME.crt and NAME.pem with both
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=tests/CN=$1" \
		-keyout "$certificates/$1.key" -out "$certificates/$1.csr" 2>>"$certificates/openssl.log"
	printf '%s\n' "$4" >"$certificates/$1.ext"
	openssl x509 -req -in "$certificates/$1.csr" -CA "$certificates/$2.crt" -CAkey "$certificates/$2.key" -CAcreateserial \
		-days "$3" -extfile "$certificates/$1.ext" -out "$certificates/$1.crt" 2>>"$certificates/openssl.log"
	cat "$certificates/$1.key" "$certificates/$1.crt" >"$certificates/$1.pem"
}

make_certificates() { # HOSTS as in subjectAltName
	certificates=$work/certificates
	mkdir -p "$certificates"
	make_authority cluster-ca
	make_authority clients-ca
	make_authority other-ca
	make_certificate broker cluster-ca 2 "subjectAltName=$1"
	make_certificate expired cluster-ca -1 "subjectAltName=$1"
	make_certificate backup clients-ca 2 extendedKeyUsage=clientAuth
}

put_secret() { # SECRET KEY < TEXT: as the kubelet does, in place of what was there at once
	mkdir -p "$secrets/$1"
	cat >"$secrets/$1/.new"
	mv "$secrets/$1/.new" "$secrets/$1/$2"
}

make_secrets() {
	secrets=$work/secrets
	put_secret ca ca.crt <"$certificates/cluster-ca.crt"
	put_secret other-ca ca.crt <"$certificates/other-ca.crt"
	put_secret login username <<<backup
	printf %s "$secured_password" | put_secret login password
	put_secret wrong username <<<backup
	put_secret wrong password <<<not-the-password-0815
	printf %s "$secured_password" | put_secret backup password
	put_secret user user.crt <"$certificates/backup.crt"
	put_secret user user.key <"$certificates/backup.key"
	put_secret user ca.crt <"$certificates/clients-ca.crt"
}

# ---- the broker --------------------------------------------------------------------------------------------

jaas() { echo "org.apache.kafka.common.security.$1 required${2:+ $2};"; } # MODULE OPTIONS

# "KEY=VALUE" lines of the listeners.
secured_settings() { # ADDRESS ADVERTISED-HOST
	local name lower listeners="PLAINTEXT://$1:$secured_port,CONTROLLER://127.0.0.1:$((secured_port + 1))"
	local advertised="PLAINTEXT://${3:-127.0.0.1}:$secured_port"
	for name in "${secured_listeners[@]}"; do
		listeners+=",$name://$1:$(port "$name")"
		advertised+=",$name://$2:$(port "$name")"
		lower=listener.name.${name,,}
		echo "$lower.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
		echo "$lower.plain.sasl.jaas.config=$(jaas plain.PlainLoginModule "user_backup=\"$secured_password\"")"
		echo "$lower.scram-sha-256.sasl.jaas.config=$(jaas scram.ScramLoginModule)"
		echo "$lower.scram-sha-512.sasl.jaas.config=$(jaas scram.ScramLoginModule)"
	done
	echo "listeners=$listeners"
	echo "advertised.listeners=$advertised"
	echo "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_PLAINTEXT,SECURE:SASL_SSL,TLS:SSL,MUTUAL:SSL,EXPIRED:SSL,SHORT:SASL_SSL"
	echo ssl.keystore.type=PEM
	echo "ssl.keystore.location=$certificates/broker.pem"
	echo "listener.name.expired.ssl.keystore.location=$certificates/expired.pem"
	echo ssl.truststore.type=PEM
	echo "ssl.truststore.location=$certificates/clients-ca.crt"
	echo listener.name.mutual.ssl.client.auth=required
	echo "listener.name.short.scram-sha-512.connections.max.reauth.ms=${KAFKA_SESSION_MS:-3000}"
}

# Sets the password of the SCRAM user at the broker. Each mechanism has its own, and a request one of them.
set_scram_password() { # PASSWORD MECHANISM...
	local mechanism
	for mechanism in "${@:2}"; do
		kafka_cli kafka.admin.ConfigCommand --bootstrap-server "$bootstrap" --alter --entity-type users --entity-name backup \
			--add-config "$mechanism=[password=$1]" >/dev/null
	done
}

start_secured_broker() { # OPTIONS OF kafka.sh start...
	local setting options
	make_certificates DNS:localhost
	make_secrets
	for secured_port in $(shuf -i 2500-3999 -n 5); do
		secured_port=$((8 * secured_port)) options=()
		while read -r setting; do options+=(--set "$setting"); done < <(secured_settings 127.0.0.1 localhost)
		start_broker secured --port "$secured_port" "${options[@]}" "$@" && break
		rm -rf "$broker"
	done
	set_scram_password "$secured_password" SCRAM-SHA-256 SCRAM-SHA-512
}

# ---- resources ---------------------------------------------------------------------------------------------

# The block kafkaCluster that reaches a listener.
secured_cluster() { # LISTENER PROTOCOL [MORE-LINES...]
	printf '  kafkaCluster:\n    bootstrapServers: ["%s"]\n    securityProtocol: %s\n' "${secured_host:-localhost}:$(port "$1")" "$2"
	local line
	for line in "${@:3}"; do printf '    %s\n' "$line"; done
}

# Puts such a block in place of the plain one of a resource.
with_cluster() { # BLOCK < YAML
	BLOCK=$1 awk '/^  kafkaCluster:/ { print ENVIRON["BLOCK"]; next } { print }'
}
