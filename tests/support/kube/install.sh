#!/bin/bash
# Installs what cluster.sh runs and prints the folder it is in: install.sh [--node]
#
# FOLDER/bin/kube is etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, coredns, kubectl
# and helm in one program, with a link of each name; FOLDER/pause.tar the image every pod starts from. The first build
# takes 11 CPU minutes, later calls nothing. --node, as root: also containerd, runc, iptables and CNI plugins from Debian.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cache=${KAFKA_BACKUP_CACHE:-$HOME/.cache/kafka-backup-tests}/kube

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_packages() { # PACKAGE...
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends "$@" >"$cache/apt.log" 2>&1 ||
		fail "apt-get install $* failed, see $cache/apt.log"
}

build_tools() { # PREFIX
	local go version program
	go=$("$here/go.sh")
	cd "$here/tools"
	version=gitVersion=$("$go" list -m -f '{{.Version}}' k8s.io/kubernetes)
	# Go's debug information is not made at all: that saves a sixth of the time.
	CGO_ENABLED=0 "$go" build -o "$1/bin/kube" -gcflags=all=-dwarf=false \
		-ldflags="-s -w -X k8s.io/component-base/version.$version -X k8s.io/client-go/pkg/version.$version" .
	for program in $("$1/bin/kube"); do ln -sf kube "$1/bin/$program"; done
	cc -Os -s -static -o "$1/pause" "$here/pause.c"
	"$here/image.py" localhost/pause:1 "$1/pause.tar" "$1/pause"
}

mkdir -p "$cache"
prefix=$cache/$(cat "$here"/{tools/{go.mod,go.sum,main.go},pause.c,image.py} | sha256sum | cut -c1-16)
exec 8>"$cache/lock"
flock 8
if [ "${1:-}" = --node ]; then
	type containerd runc iptables /usr/lib/cni/bridge >/dev/null 2>&1 ||
		install_packages containerd runc iptables containernetworking-plugins
fi
if [ ! -f "$prefix/installed" ]; then
	rm -rf "$prefix" && mkdir -p "$prefix/bin"
	build_tools "$prefix" >"$cache/build.log" 2>&1 || fail "the build failed, see $cache/build.log: $(tail -3 "$cache/build.log")"
	touch "$prefix/installed"
fi
echo "$prefix"
