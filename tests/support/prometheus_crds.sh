#!/bin/bash
# Prints a folder with the CustomResourceDefinitions of ServiceMonitor and PrometheusRule, made from the Prometheus
# operator's own types (prometheus_crds/go.mod has the versions): prometheus_crds.sh. The first call takes a CPU minute.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cache=${KAFKA_BACKUP_CACHE:-$HOME/.cache/kafka-backup-tests}/prometheus_crds
folder=$cache/$(cat "$here"/prometheus_crds/go.{mod,sum} | sha256sum | cut -c1-16)

generate() {
	cd "$here/prometheus_crds"
	go tool controller-gen crd \
		paths=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1 output:crd:dir="$cache/all"
}

mkdir -p "$cache"
exec 8>"$cache/lock"
flock 8
if [ ! -d "$folder" ]; then
	PATH=$(dirname "$("$here/kube/go.sh")"):$PATH
	(generate) >"$cache/build.log" 2>&1 || { tail -3 "$cache/build.log" >&2; exit 1; }
	rm -f "$cache"/all/*_{alertmanagers,podmonitors,probes,prometheuses,thanosrulers}.yaml
	mv "$cache/all" "$folder"
fi
echo "$folder"
