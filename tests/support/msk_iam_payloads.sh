#!/bin/bash
# What Amazon's client of MSK sends at fixed clocks, from its jar (Maven Central) and java/MskIamPayloads.java:
#   tests/support/msk_iam_payloads.sh >tests/data/msk-iam/payloads.jsonl
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=2.3.2
cache=${KAFKA_BACKUP_CACHE:-$HOME/.cache/kafka-backup-tests}
home=$cache/aws-msk-iam-auth/$version
mkdir -p "$home"
exec 9>"$home/lock"
flock 9
if [ ! -d "$home/lib" ]; then
	cat >"$home/pom.xml" <<-P
		<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
		<groupId>tests</groupId><artifactId>msk-jars</artifactId><version>1</version><packaging>pom</packaging>
		<dependencies><dependency><groupId>software.amazon.msk</groupId><artifactId>aws-msk-iam-auth</artifactId>
		<version>$version</version></dependency></dependencies></project>
	P
	rm -rf "$home/lib.new"
	mvn -q -B -f "$home/pom.xml" -Dmaven.repo.local="$cache/m2" dependency:copy-dependencies -DincludeScope=runtime \
		-DoutputDirectory="$home/lib.new" >"$home/install.log" 2>&1 </dev/null || { tail -20 "$home/install.log" >&2; exit 1; }
	mv "$home/lib.new" "$home/lib"
fi
exec java -XX:TieredStopAtLevel=1 -cp "$home/lib/*" "$here/java/MskIamPayloads.java" 9>&- 2>"$home/run.log"
