#!/bin/bash
# Prints the path of promtool, which it takes from Debian's package prometheus without installing that: promtool.sh
set -euo pipefail
cache=${KAFKA_BACKUP_CACHE:-$HOME/.cache/kafka-backup-tests}/prometheus

fail() {
	echo "promtool.sh: $*" >&2
	exit 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

download() {
	apt-get download prometheus && return
	as_root apt-get update -qq # a bare machine has no lists of packages yet
	apt-get download prometheus
}

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
if [ ! -x "$cache/usr/bin/promtool" ]; then
	cd "$cache"
	download >download.log 2>&1 || fail "the package prometheus did not come, see $cache/download.log"
	dpkg -x prometheus_*.deb unpacked
	mkdir -p usr/bin
	mv unpacked/usr/bin/promtool usr/bin/promtool
	rm -rf unpacked prometheus_*.deb
fi
echo "$cache/usr/bin/promtool"
