#!/bin/bash
# Puts together the files of the container image: rootfs.sh FOLDER PROGRAM...
#
# The programs, the shared libraries they need with their licences, time zones, CA certificates, and the names that go
# with the user id; no shell and nothing else. Debian's tzdata and ca-certificates must be installed.
set -euo pipefail
root=${1:?FOLDER} programs=("${@:2}")
uid=65532

copy() { # FILE [PLACE]: with the folders above it, links followed
	install -D --mode="$(stat -L -c %a "$1")" "$1" "$root${2:-$1}"
}

# Loaded while the program runs: libsasl2's plug-in for Kerberos.
plugins() { echo "$(pkg-config --variable=libdir libsasl2)/sasl2/libgssapiv2.so"; }

libraries() { { ldd "${programs[@]}" "$(plugins)"; echo " => $(plugins) (0x"; } | grep -oE '(=> |^\s+)/\S+ \(0x' | grep -oE '/\S+' | sort -u; }

# Packages still name some files below /lib, though that is a link to /usr/lib.
package_of() { { dpkg -S "$1" || dpkg -S "/usr$1"; } 2>/dev/null | cut -d: -f1; } # FILE

copy_libraries() {
	local library
	while read -r library; do
		copy "$library"
		copy "/usr/share/doc/$(package_of "$library")/copyright"
	done < <(libraries)
}

[ ${#programs[@]} -gt 0 ] || { sed -n 2p "$0" >&2; exit 2; }
mkdir -p "$root"
for program in "${programs[@]}"; do
	copy "$program" "/usr/local/bin/$(basename "$program")"
	strip --strip-debug "$root/usr/local/bin/$(basename "$program")"
done
copy_libraries
copy /etc/ssl/certs/ca-certificates.crt
mkdir -p "$root/usr/share/zoneinfo" "$root/etc"
tar --create --directory /usr/share/zoneinfo --exclude ./right --exclude ./posix . | tar --extract --directory "$root/usr/share/zoneinfo"
echo "operator:x:$uid:$uid::/:/nonexistent" >"$root/etc/passwd"
echo "operator:x:$uid:" >"$root/etc/group"
echo "hosts: files dns" >"$root/etc/nsswitch.conf"
