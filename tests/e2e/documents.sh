#!/bin/bash
# The commands of README.md and docs/operations.md do what stands around them, as a user would give them.
source "$(dirname "$0")/../lib.sh"
# The examples say port 19092; another one only where that is taken.
port=(--port 19092)
! (exec 3<>/dev/tcp/127.0.0.1/19092) 2>/dev/null || port=()
start_broker kafka "${port[@]}"
fill codecs --prefix demo- --scale 0.2

# Prints the N-th block of shell commands of a document that uses the program.
block() { # FILE N
	awk -v wanted="$2" '/^```bash$/ { text = ""; inside = 1; next }
		/^```$/ { if (inside && text ~ /kafka-backup (run|list|verify|prune|describe)/ && ++n == wanted) printf "%s", text; inside = 0 }
		inside { text = text $0 "\n" }' "$repo/$1"
}

run_block() { # FILE N
	block "$1" "$2" >block.sh
	[ -s block.sh ] || fail "$1 has no block $2 of commands"
	cat block.sh
	PATH=$build:$PATH bash -euo pipefail block.sh
}

test_readme_and_operations() {
	mkdir examples
	for file in backup restore; do sed "s/127.0.0.1:19092/$bootstrap/" "$repo/examples/$file.yaml" >examples/$file.yaml; done
	dump --prefix demo- --isolation read_committed --output source.dump
	run_block README.md 1 >readme.log
	contains "$(cat readme.log)" "KafkaBackup default/demo: complete"
	expect_exit 73 run_block README.md 2
	contains "$output" "holds records that this restore did not write"
	topics delete demo-
	run_block README.md 2
	dump --prefix demo- --output target.dump
	compare source.dump target.dump
	run_block docs/operations.md 1
	local command
	command=$(grep -o 'kafka-backup prune [^`]*' "$repo/docs/operations.md")
	contains "$(PATH=$build:$PATH bash -c "$command")" "would delete"
}

run_tests "$@"
