#!/bin/bash
# The files of the container image are enough to run its programs, as a user without rights, and no more than that. Root.
source "$(dirname "$0")/../lib.sh"

test_programs_find_their_libraries() {
	"$repo/tools/rootfs.sh" rootfs "$KAFKA_BACKUP"
	contains "$(chroot --userspec=65532:65532 rootfs /usr/local/bin/kafka-backup --version)" "kafka-backup"
}

test_it_holds_nothing_else() {
	"$repo/tools/rootfs.sh" rootfs "$KAFKA_BACKUP"
	eq "rootfs/usr/local/bin/kafka-backup" "$(find rootfs -type f -perm -u+x ! -name '*.so*')" "programs"
	eq "" "$(find rootfs -perm /6022 ! -type l)" "files with rights for others, or of another user"
	[ -s rootfs/usr/share/zoneinfo/Europe/Berlin ] || fail "no time zones"
	grep -q "BEGIN CERTIFICATE" rootfs/etc/ssl/certs/ca-certificates.crt || fail "no CA certificates"
	ls rootfs/usr/share/doc/libc6/copyright
	[ "$(du -sm rootfs | cut -f1)" -le 60 ] || fail "$(du -sm rootfs)"
}

run_tests "$@"
