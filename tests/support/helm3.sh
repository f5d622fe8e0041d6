#!/bin/bash
# Prints the path of Helm 3, built from the Go module proxy; its version is in this file. kube/install.sh has Helm 4.
set -euo pipefail
version=v3.22.0 kubernetes_minor=37 # what it takes a cluster for that it does not ask
here=$(dirname "$(readlink -f "$0")")
cache=${KAFKA_BACKUP_CACHE:-$HOME/.cache/kafka-backup-tests}

capabilities=helm.sh/helm/v3/pkg/chartutil
mkdir -p "$cache/helm3"
exec 8>"$cache/helm3/lock"
flock 8
if [ ! -x "$cache/helm3/$version/helm" ]; then
	flags="-s -w -X $capabilities.k8sVersionMajor=1 -X $capabilities.k8sVersionMinor=$kubernetes_minor"
	GOFLAGS=-mod=mod GOBIN=$cache/helm3/$version CGO_ENABLED=0 \
		"$("$here/kube/go.sh")" install -gcflags=all=-dwarf=false -ldflags="$flags" "helm.sh/helm/v3/cmd/helm@$version" \
		>"$cache/helm3/build.log" 2>&1 || { tail -3 "$cache/helm3/build.log" >&2; exit 1; }
fi
echo "$cache/helm3/$version/helm"
