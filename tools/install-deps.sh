#!/bin/bash
# Installs the Debian packages that a build or a test run misses: install-deps.sh build|test|sanitize|check
# Root, or a user with sudo. Does nothing (and needs no network) when all are there.
set -euo pipefail
build=(g++ cmake ninja-build python3 pkg-config ccache libfmt-dev libspdlog-dev libcli11-dev libboost-json1.81-dev libyaml-dev libssl-dev
	libcctz-dev tzdata zlib1g-dev liblz4-dev libzstd-dev libsnappy-dev libisal-dev libcurl4-openssl-dev
	libmicrohttpd-dev libsasl2-dev libsasl2-modules-gssapi-mit libkrb5-dev prometheus-cpp-dev doctest-dev libbenchmark-dev)
test=(openjdk-17-jdk-headless maven librdkafka-dev python3-yaml procps krb5-kdc krb5-admin-server openssl)
sanitize=(clang libclang-rt-14-dev)
check=(clang-format clang-tidy gcovr)
case ${1:-} in
build) want=("${build[@]}") ;;
test) want=("${build[@]}" "${test[@]}") ;;
sanitize) want=("${build[@]}" "${sanitize[@]}") ;;
check) want=("${build[@]}" "${test[@]}" "${sanitize[@]}" "${check[@]}") ;;
*) sed -n 2,3p "$0"; exit 2 ;;
esac
missing=()
for package in "${want[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "installing: ${missing[*]}"
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -qqy --no-install-recommends "${missing[@]}" >/tmp/install-deps.log 2>&1 || {
	tail -20 /tmp/install-deps.log >&2
	exit 1
}
