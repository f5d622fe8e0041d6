#!/bin/bash
# What belongs to the data: committed offsets of every kind of group and of every coordinator, settings, ACLs, client
# quotas, and what an open transaction keeps out. What may not be read is recorded as such, never as empty.
source "$(dirname "$0")/../lib.sh"

kb() { "$KAFKA_BACKUP" --log-level warn --progress none "$@"; }
newest_set() { find "$volumes/kafka-backups/default/$1/sets" -type f -printf '%f\n' | sort | tail -1; } # NAME
described() { kb describe "$(newest_set "$1")" --volumes "$volumes" --output json; }                    # NAME
# What a Python expression says of the newest set's capture, `c`.
captured() { described "$1" | python3 -c "import json, sys; c = json.load(sys.stdin)['capture']; print($2)"; } # NAME EXPRESSION

authorizer=org.apache.kafka.metadata.authorizer.StandardAuthorizer
acl() { kafka_cli org.apache.kafka.tools.AclCommand --bootstrap-server "$bootstrap" --force "$@"; }
config() { kafka_cli kafka.admin.ConfigCommand --bootstrap-server "$bootstrap" --alter "$@"; }
group_offsets() { "$tools/kafka_commit" "$bootstrap" "$@"; }

start_secured_broker() { # SUPER-USER
	start_broker secured --set "authorizer.class.name=$authorizer" --set "super.users=$1"
}

# Broker 2 is only a broker; the offsets topic is made when both are there, so that both coordinate groups.
start_two_brokers() {
	start_broker one
	local port=${bootstrap##*:} first=$bootstrap second
	for second in $((port + 2)) $((port + 102)) $((port + 202)); do
		start_broker two --port "$second" --set node.id=2 --set process.roles=broker \
			--set "controller.quorum.voters=1@127.0.0.1:$((port + 1))" --set "listeners=PLAINTEXT://127.0.0.1:$second" \
			--set "advertised.listeners=PLAINTEXT://127.0.0.1:$second" && break
		rm -rf "$broker"
	done
	bootstrap=$first
}

test_acls_quotas_and_configs() {
	fill codecs nulls --prefix acc-
	acl --add --allow-principal User:alice --operation Read --topic acc-nulls
	acl --add --deny-principal User:eve --operation Write --topic acc- --resource-pattern-type prefixed --deny-host 10.0.0.1
	acl --add --allow-principal User:alice --operation Describe --topic another-topic --group acc-group --transactional-id acc-tx
	config --add-config request_percentage=12.5 --entity-type users --entity-name alice
	config --add-config consumer_byte_rate=204800000 --entity-type clients --entity-default
	config --add-config max.message.bytes=1234567 --entity-type topics --entity-name acc-nulls
	backup_yaml access '["acc-*"]' >backup.yaml
	local text
	text=$(kb run -f backup.yaml --volumes "$volumes")
	contains "$text" "ACLs          4"
	contains "$text" "quotas        2"
	eq True "$(captured access "c['acls']['captured'] and c['clientQuotas']['captured'] and c['consumerGroups']['captured']")"
	eq "GROUP acc-group LITERAL User:alice * DESCRIBE ALLOW
TOPIC acc- PREFIXED User:eve 10.0.0.1 WRITE DENY
TOPIC acc-nulls LITERAL User:alice * READ ALLOW
TRANSACTIONAL_ID acc-tx LITERAL User:alice * DESCRIBE ALLOW" "$(captured access "'\n'.join(' '.join(a[k] for k in
		('resourceType', 'resourceName', 'patternType', 'principal', 'host', 'operation', 'permission')) for a in c['acls']['entries'])")"
	eq "[(['user', 'alice'], {'request_percentage': 12.5}), (['client-id', None], {'consumer_byte_rate': 204800000.0})]" \
		"$(captured access "sorted([([q['entity'][0]['type'], q['entity'][0].get('name')], q['values']) for q in c['clientQuotas']['entries']],
			key=lambda q: q[0][0], reverse=True)")"
	eq 1234567 "$(captured access "[t['configs']['max.message.bytes'] for t in c['topics'] if t['name'] == 'acc-nulls'][0]")"
	text=$(kb describe "$(newest_set access)" --volumes "$volumes")
	contains "$text" "ACLs: 4"
	contains "$text" "User:eve"
	contains "$text" "client-id <default>"
}

# The same broker again, whose clients may now read and nothing else.
test_what_may_not_be_read() {
	local topic
	fill nulls --prefix den-
	group_offsets den-group den-nulls 0 3
	group_offsets other-group den-nulls 0 1
	backup_yaml denied '["den-*"]' >backup.yaml
	kb run -f backup.yaml --volumes "$volumes"
	acl --add --allow-principal User:ANONYMOUS --operation ClusterAction --cluster
	acl --add --allow-principal User:ANONYMOUS --operation Read --topic den- --resource-pattern-type prefixed
	local first
	first=$(newest_set denied)
	restrict
	local text
	text=$(kb run -f backup.yaml --volumes "$volumes")
	contains "$text" "consumer groups are not captured: "
	contains "$text" "ACLs          not captured: "
	contains "$text" "quotas        not captured: "
	contains "$text" "configuration of topic den-nulls is not captured: TOPIC_AUTHORIZATION_FAILED"
	eq "False False False" "$(captured denied "c['consumerGroups']['captured'], c['acls']['captured'], c['clientQuotas']['captured']" | tr -d '(,)')"
	contains "$(captured denied "c['acls']['notCaptured']")" "CLUSTER_AUTHORIZATION_FAILED"
	contains "$(captured denied "c['clientQuotas']['notCaptured']")" "CLUSTER_AUTHORIZATION_FAILED"
	contains "$(captured denied "c['topics'][0]['configsNotCaptured']")" "TOPIC_AUTHORIZATION_FAILED"
	# What the backup before had recorded of groups is where it was.
	contains "$(kb describe "$first" --volumes "$volumes")" "den-group"
	backup_yaml denied '["den-*"]' 'consumerGroupSnapshot: true' >wanted.yaml
	expect_exit 77 kb run -f wanted.yaml --volumes "$volumes"
	contains "$output" "spec.consumerGroupSnapshot"
	contains "$output" "Describe on the cluster"
	# One group may be described: it is there, and that others may be missing is said.
	start_secured_broker_again User:ANONYMOUS
	acl --add --allow-principal User:ANONYMOUS --operation Describe --group den-group
	restrict
	# A broker that has just started lists groups only as it has read them.
	wait_for 120 "the group to be read" eval '[ "$(group_offsets den-group --show den-nulls 0)" = "den-nulls 0 3 " ]'
	text=$(kb run -f wanted.yaml --volumes "$volumes")
	contains "$text" "some consumer groups may be missing: the principal may not describe the cluster"
	contains "$text" "; the principal may not describe the topic __consumer_offsets, so whether every group's coordinator was asked"
	eq "['den-group'] 3" "$(captured denied "[g['groupId'] for g in c['consumerGroups']['groups']], c['consumerGroups']['groups'][0]['offsets'][0]['offset']" |
		sed 's/^(//; s/)$//; s/, 3/ 3/')"
	start_secured_broker_again User:ANONYMOUS
	restore_yaml denied-again denied "topicMapping: {den-nulls: den-again}" >restore.yaml
	contains "$(kb run -f restore.yaml --volumes "$volumes")" "topic den-again has the settings of its brokers where the backup has none"
}

restrict() { start_secured_broker_again User:nobody; }
start_secured_broker_again() { # SUPER-USER
	"$support/kafka.sh" stop "$work/secured"
	start_secured_broker "$1"
}

# Groups of Kafka's own consumers, alive while the backup runs: the classic protocol, that of KIP-848, and a share group.
test_kinds_of_groups() {
	fill nulls codecs --prefix kin-
	local end
	background groups.log "$support/kafka.sh" java --version "$KAFKA_VERSION" "$support/java/Groups.java" "$bootstrap" kin-codec-zstd \
		old classic new consumer shared share
	local members=$pid
	for end in "committed old" "committed new" "member of shared"; do wait_for 120 "$end" grep -q "$end" groups.log; done
	contains "$(kafka_cli org.apache.kafka.tools.consumer.group.ShareGroupCommand --bootstrap-server "$bootstrap" --list)" shared
	group_offsets manual kin-codec-zstd 1 10:note kin-nulls 0 3
	backup_yaml kinds '["kin-codec-*"]' 'consumerGroupSnapshot: true' >backup.yaml
	kb run -f backup.yaml --volumes "$volumes"
	eq "manual Classic Empty [(1, 10)]
new Consumer Stable $(ends_of kin-codec-zstd)
old Classic Stable $(ends_of kin-codec-zstd)" "$(captured kinds "'\n'.join(f\"{g['groupId']} {g['type'].title()} {g['state']} \"
		+ str(sorted((o['partition'], o['offset']) for o in g['offsets'])) for g in c['consumerGroups']['groups'])")"
	kill -KILL "$members"
	# Members that died without a word: the offsets are theirs all the same.
	kb run -f backup.yaml --volumes "$volumes"
	eq "['manual', 'new', 'old']" "$(captured kinds "[g['groupId'] for g in c['consumerGroups']['groups']]")"
}

ends_of() { # TOPIC
	kafka_cli org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$bootstrap" --topic "$1" |
		awk -F: '{ printf "%s(%s, %s)", separator, $2, $3; separator = ", " } BEGIN { printf "[" } END { print "]" }'
}

test_groups_of_two_coordinators() {
	local saved=$broker i coordinators
	start_two_brokers
	fill nulls --prefix two-
	for i in 0 1 2 3 4 5 6 7; do group_offsets "two-$i" two-nulls 0 "$i"; done
	coordinators=$(kafka_cli org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server "$bootstrap" --describe --state --all-groups |
		awk '$1 ~ /^two-/ { print $3 }' | sort -u)
	eq "(1)
(2)" "$coordinators" "coordinators"
	backup_yaml two '["two-*"]' 'consumerGroupSnapshot: true' >backup.yaml
	kb run -f backup.yaml --volumes "$volumes"
	eq "[('two-$(seq -s "), ('two-" 0 7 | sed -E "s/two-([0-7])/two-\1', \1/g; s/^([0-7])/\1', \1/")" "$(captured two "[(g['groupId'], g['offsets'][0]['offset']) for g in c['consumerGroups']['groups']]" | sed 's/)]$//')"
	a_coordinator_is_away
	"$support/kafka.sh" stop "$work/two"
	"$support/kafka.sh" stop "$work/one"
	broker=$saved
}

# Broker 2 is killed, who has the only replica of two partitions of the offsets topic; all data is with broker 1.
a_coordinator_is_away() {
	local i lost="of __consumer_offsets have no leader" wanted
	kafka_cli org.apache.kafka.tools.TopicCommand --bootstrap-server "$bootstrap" --create --topic awa-topic --replica-assignment 1
	for i in 0 1 2 3 4 5 6 7; do group_offsets "two-$i" awa-topic 0 "$i"; done
	"$support/kafka.sh" kill "$work/two"
	backup_yaml wanted '["awa-*"]' 'consumerGroupSnapshot: true' >wanted.yaml
	background wanted.log "$KAFKA_BACKUP" --log-level warn --progress none run -f wanted.yaml --volumes "$volumes"
	wanted=$pid
	backup_yaml away '["awa-*"]' >away.yaml
	contains "$(kb run -f away.yaml --volumes "$volumes")" "some consumer groups may be missing: partitions"
	contains "$(captured away "c['consumerGroups']['notCaptured']")" "$lost"
	eq True "$(captured away "0 < len(c['consumerGroups']['groups']) < 8")" "groups of broker 1"
	i=0
	wait "$wanted" || i=$?
	eq 69 "$i" "exit code"
	contains "$(cat wanted.log)" "spec.consumerGroupSnapshot: capturing consumer groups: "
	contains "$(cat wanted.log)" "$lost"
	# It waits for a broker that comes back.
	background waiting.log "$KAFKA_BACKUP" --log-level warn --progress none run -f wanted.yaml --volumes "$volumes"
	wanted=$pid
	wait_for 60 "a round without broker 2" grep -q "$lost" waiting.log
	"$support/kafka.sh" start "$work/two" --version "$KAFKA_VERSION"
	wait "$wanted"
	eq 8 "$(captured wanted "len([g for g in c['consumerGroups']['groups'] if g['offsets']])")" "groups of both brokers"
}

# The producer of an open transaction is gone; nobody ends it. The backup ends where it begins, says so, and later
# captures what was behind it.
test_a_hanging_transaction() {
	fill transactions-open --prefix han-
	local producer high end text
	backup_yaml hanging '["han-*"]' >backup.yaml
	text=$(kb run -f backup.yaml --volumes "$volumes")
	producer=$(hanging_producer han-transactions-open)
	high=$(kafka_cli org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$bootstrap" --topic-partitions han-transactions-open:0 | cut -d: -f3)
	end=$(captured hanging "[p['end'] for t in c['topics'] if t['name'] == 'han-transactions-open' for p in t['partitions']][0]")
	contains "$text" "han-transactions-open/0: an open transaction of producer $producer, whose last record is"
	contains "$text" "keeps $((high - end)) offsets from $end on out of this backup"
	contains "$text" "han-transactions-open-only/0: an open transaction of producer $producer"
	contains "$text" "kafka-transactions.sh find-hanging"
	contains "$(kb describe "$(newest_set hanging)" --volumes "$volumes")" "(it hangs)"
	metric_of_a_run "kafka_backup_held_back_offsets" "$(captured hanging "sum(h['offsets'] for h in c['heldBack'])")"
	# The way out that the warning names, then a backup that has what was behind.
	kafka_cli org.apache.kafka.tools.TransactionsCommand --bootstrap-server "$bootstrap" abort --topic han-transactions-open --partition 0 --start-offset "$end"
	text=$(kb run -f backup.yaml --volumes "$volumes")
	case $text in *"han-transactions-open/0: an open"*) fail "still held back: $text" ;; esac
	contains "$text" "han-transactions-open-only/0: an open transaction"
	dump han-transactions-open --isolation read_committed --output source.dump
	topics delete han-transactions-open
	restore_yaml hanging-again hanging "topics: [han-transactions-open]" >restore.yaml
	kb run -f restore.yaml --volumes "$volumes"
	dump han-transactions-open --output target.dump
	compare source.dump target.dump
}

# Of a run slow enough to be looked at, in an archive of its own.
metric_of_a_run() { # NAME VALUE
	backup_yaml slow '["han-*"]' 'rateLimiting: {bytesPerSec: 10000}
metrics: {port: 0, bindAddress: 127.0.0.1, updateIntervalMs: 1}' >slow.yaml
	background slow.log "$KAFKA_BACKUP" run -f slow.yaml --volumes "$volumes"
	local run=$pid
	wait_for 60 "the run's page" grep -q 'metrics of the run are served at' slow.log
	local page
	page=$(sed -nE 's/.*served at ([0-9.:]+\/metrics).*/\1/p' slow.log)
	wait_for 60 "$1 of $2" eval "curl -sf $page | grep -qxF '$1{backup_id=\"slow\"} $2'"
	kill -TERM "$run"
	wait "$run" || true
}

hanging_producer() { # TOPIC
	kafka_cli org.apache.kafka.tools.TransactionsCommand --bootstrap-server "$bootstrap" describe-producers --topic "$1" --partition 0 |
		awk 'NR > 1 && $NF ~ /^[0-9]+$/ { print $1 }'
}

start_secured_broker User:ANONYMOUS
run_tests "$@"
