#!/bin/bash
# A Kerberos KDC for tests (Debian's krb5-kdc) on loopback, realm TEST.LOCAL.
#
#   kdc.sh start DIR                       makes DIR/krb5.conf and the realm; waits until it serves
#   kdc.sh keytab DIR FILE PRINCIPAL...    adds principals that are missing, writes their keys into FILE
#   kdc.sh rekey DIR PRINCIPAL             a new key: keytabs written before are old
#   kdc.sh stop DIR
set -euo pipefail
PATH=$PATH:/usr/sbin
realm=TEST.LOCAL
command=${1:-} dir=$(realpath -m "${2:-.}")
export KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf

die() { echo "kdc.sh: $*" >&2; exit 1; }
admin() { kadmin.local -r $realm -q "$*" >>"$dir/admin.log" 2>&1; }
known() { kadmin.local -r $realm -q listprincs 2>>"$dir/admin.log" | grep -qxF "$1@$realm"; }

free_port() {
	python3 -c 'import random, socket
for port in random.sample(range(10001, 16000, 2), 50):
    try:
        for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
            with socket.socket(socket.AF_INET, kind) as s: s.bind(("127.0.0.1", port))
        print(port); break
    except OSError: pass'
}

start() {
	mkdir -p "$dir"
	local port
	port=$(cat "$dir/port" 2>/dev/null) || port=$(free_port)
	echo "$port" >"$dir/port"
	cat >"$dir/krb5.conf" <<-C
		[libdefaults]
		  default_realm = $realm
		  dns_lookup_kdc = false
		  dns_lookup_realm = false
		  dns_canonicalize_hostname = false
		  rdns = false
		[realms]
		  $realm = {
		    kdc = 127.0.0.1:$port
		  }
		[domain_realm]
		  localhost = $realm
	C
	cat >"$dir/kdc.conf" <<-C
		[kdcdefaults]
		  kdc_listen = 127.0.0.1:$port
		  kdc_tcp_listen = 127.0.0.1:$port
		[realms]
		  $realm = {
		    database_name = $dir/principal
		    key_stash_file = $dir/stash
		    acl_file = $dir/acl
		    max_life = 1h
		  }
		[logging]
		  kdc = FILE:$dir/kdc.log
	C
	[ -f "$dir/principal" ] || kdb5_util -r $realm create -s -P master >"$dir/admin.log" 2>&1 || die "$(tail -3 "$dir/admin.log")"
	setsid krb5kdc -n -r $realm </dev/null >"$dir/out.log" 2>&1 &
	echo $! >"$dir/pid"
	for _ in $(seq 300); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || die "the KDC ended: $(tail -3 "$dir/out.log" "$dir/kdc.log")"
		sleep 0.1
	done
	die "the KDC does not serve"
}

keytab() { # FILE PRINCIPAL...
	local file=$1 principal
	shift
	for principal; do
		known "$principal" || admin addprinc -randkey "$principal"
		admin ktadd -norandkey -k "$file" "$principal"
		[ -s "$file" ] || die "$(tail -3 "$dir/admin.log")"
	done
}

case $command in
start) start ;;
keytab) keytab "${@:3}" ;;
rekey) admin cpw -randkey "${3:?PRINCIPAL}" ;;
stop) kill "$(cat "$dir/pid")" 2>/dev/null || true ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
