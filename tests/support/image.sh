#!/bin/bash
# Makes the image that the Dockerfile would, of programs that are built here, without a registry or an engine:
#
#   image.sh OUT.tar [BUILD]     kafka-backup-operator:test, of BUILD (build/release); for `cluster.sh load`
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
out=${1:?OUT.tar} build=${2:-$here/../../build/release}
programs=(kafka-backup-operator kafka-backup) # the first one is what the image runs
for program in "${programs[@]}"; do
	[ -x "$build/$program" ] || { echo "image.sh: $build/$program is not built" >&2; exit 1; }
done
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
"$here/../../tools/rootfs.sh" "$root" "${programs[@]/#/$build/}"
items=()
for program in "${programs[@]}"; do items+=("$root/usr/local/bin/$program=/usr/local/bin/$program"); done
"$here/kube/image.py" kafka-backup-operator:test "$root/image.tar" "${items[@]}" "$root/usr/share=/usr/share" "$root/usr/lib=/usr/lib" "$root/etc=/etc"

# What the Dockerfile says besides: who runs it, and where the CA certificates are.
python3 - "$root/image.tar" "$out" <<'P'
import io, json, sys, tarfile
with tarfile.open(sys.argv[1]) as image, tarfile.open(sys.argv[2], "w") as result:
    for entry in image:
        content = image.extractfile(entry).read()
        if entry.name == "config.json":
            config = json.loads(content)
            config["config"].update(User="65532:65532", Env=["SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"])
            content = json.dumps(config).encode()
        entry.size = len(content)
        result.addfile(entry, io.BytesIO(content))
P
