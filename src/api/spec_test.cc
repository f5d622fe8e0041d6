// What a spec may say and what is wrong with it: one row per kind of mistake.
#include <algorithm>

#include "api/kafka_backup.h"
#include "api/kafka_restore.h"
#include "schema/schema.h"
#include "schema/yaml.h"

#include <doctest/doctest.h>

using namespace kb;

namespace {

// The smallest spec of each kind, as JSON to be changed by the tests.
boost::json::value smallest_backup() {
  return schema::parse_yaml(R"(
kafkaCluster: {bootstrapServers: ["kafka:9092"]}
topics: [orders]
storage: {pvc: {claimName: kafka-backups}}
)",
                            "backup")[0]
      .value;
}

boost::json::value smallest_restore() {
  return schema::parse_yaml(R"(
kafkaCluster: {bootstrapServers: ["kafka:9092"]}
backupRef: {name: nightly}
)",
                            "restore")[0]
      .value;
}

// Lays `changes` over `base`: mappings are merged, everything else replaced.
void overlay(boost::json::value& base, const boost::json::value& changes) {
  if (!base.is_object() || !changes.is_object()) {
    base = changes;
    return;
  }
  for (const auto& [key, value] : changes.get_object()) overlay(base.get_object()[key], value);
}

template <class Spec>
std::string problems_of(boost::json::value base, std::string_view yaml) {
  overlay(base, schema::parse_yaml(yaml, "changes")[0].value);
  Spec spec;
  schema::Problems problems;
  schema::read_into(base, "spec", spec, problems);
  return problems.empty() ? "" : problems.to_string("");
}

struct Case {
  std::string yaml, problem;
};

const Case of_every_kind[] = {
    {"kafkaCluster: null", "spec.kafkaCluster is required"},
    {"kafkaCluster: kafka:9092", "spec.kafkaCluster must be a mapping, not 'kafka:9092'"},
    {"kafkaCluster: {bootstrapServers: null}", "spec.kafkaCluster.bootstrapServers is required"},
    {"kafkaCluster: {bootstrapServers: []}", "spec.kafkaCluster.bootstrapServers must not be empty"},
    {"kafkaCluster: {bootstrapServers: 'kafka:9092'}",
     "spec.kafkaCluster.bootstrapServers must be a list, not 'kafka:9092'"},
    {"kafkaCluster: {bootstrapServers: [kafka]}",
     "spec.kafkaCluster.bootstrapServers[0] must be host:port, not 'kafka'"},
    {"kafkaCluster: {bootstrapServers: ['a:1', 'b:65536']}",
     "spec.kafkaCluster.bootstrapServers[1] must be host:port, not 'b:65536'"},
    {"kafkaCluster: {bootstrapServers: ['a:1,b:2']}",
     "spec.kafkaCluster.bootstrapServers[0] must be host:port, not 'a:1,b:2'"},
    {"kafkaCluster: {bootstrapServers: ['http://a:1']}",
     "spec.kafkaCluster.bootstrapServers[0] must be host:port, not 'http://a:1'"},
    {"kafkaCluster: {bootstrapServers: ['::1:9092']}",
     "spec.kafkaCluster.bootstrapServers[0] must be host:port, not '::1:9092'"},
    {"kafkaCluster: {securityProtocol: TLS}",
     "spec.kafkaCluster.securityProtocol must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'TLS'"},
    {"kafkaCluster: {securityProtocol: SASL_SSL}",
     "spec.kafkaCluster.saslSecret is required by securityProtocol SASL_SSL"},
    {"kafkaCluster: {saslSecret: {name: s, mechanism: PLAIN}}",
     "spec.kafkaCluster.saslSecret is not used with securityProtocol PLAINTEXT: say SASL_SSL or "
     "SASL_PLAINTEXT, "
     "or leave it out"},
    {"kafkaCluster: {securityProtocol: SSL, saslSecret: {name: s, mechanism: PLAIN}}",
     "spec.kafkaCluster.saslSecret is not used with securityProtocol SSL: say SASL_SSL or SASL_PLAINTEXT, "
     "or leave it out"},
    {"kafkaCluster: {tlsSecret: {name: s}}",
     "spec.kafkaCluster.tlsSecret is not used with securityProtocol PLAINTEXT: say SSL or SASL_SSL, or leave "
     "it out"},
    {"kafkaCluster: {securityProtocol: PLAINTEXT, caSecret: {name: s}}",
     "spec.kafkaCluster.caSecret is not used with securityProtocol PLAINTEXT: say SSL or SASL_SSL, or leave "
     "it out"},
    {"kafkaCluster: {saslSecret: {name: s}}", "spec.kafkaCluster.saslSecret.mechanism is required"},
    {"kafkaCluster: {saslSecret: {name: s, mechanism: SCRAM}}",
     "spec.kafkaCluster.saslSecret.mechanism must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, "
     "OAUTHBEARER, AWS_MSK_IAM, GSSAPI, not 'SCRAM'"},
    {"kafkaCluster: {saslSecret: {name: s, mechanism: PLAIN, userKey: u}}",
     "spec.kafkaCluster.saslSecret.userKey is not a known field"},
    {"kafkaCluster: {tlsSecret: {caKey: ca.crt}}", "spec.kafkaCluster.tlsSecret.name is required"},
    {"kafkaCluster: {tlsSecret: {name: ../etc}}",
     "spec.kafkaCluster.tlsSecret.name must be the name of an object (lower case letters, digits, '-' and "
     "'.'), not "
     "'../etc'"},
    {"kafkaCluster: {tlsSecret: {name: tls, caKey: ../ca}}",
     "spec.kafkaCluster.tlsSecret.caKey must be a key of a Secret (letters, digits, '-', '_' and '.'), not "
     "'../ca'"},
    {"kafkaCluster: {tlsSecret: {name: tls, certKey: tls.crt}}",
     "spec.kafkaCluster.tlsSecret.keyKey is required together with certKey"},
    {"kafkaCluster: {tlsSecret: {name: tls, keyKey: tls.key}}",
     "spec.kafkaCluster.tlsSecret.certKey is required together with keyKey"},
    {"kafkaCluster: {caSecret: {name: ''}}",
     "spec.kafkaCluster.caSecret.name must be the name of an object (lower case letters, digits, '-' and "
     "'.'), not ''"},
    {"kafkaCluster: {connection: {connectionsPerBroker: 0}}",
     "spec.kafkaCluster.connection.connectionsPerBroker must be an integer between 1 and 1000"},
    {"kafkaCluster: {connection: {keepaliveTimeSecs: 40000}}",
     "spec.kafkaCluster.connection.keepaliveTimeSecs must be an integer between 1 and 32767"},
    {"kafkaCluster: {connection: {tcpNodelay: 'no'}}",
     "spec.kafkaCluster.connection.tcpNodelay must be true or false, not 'no'"},
    {"topics: orders", "spec.topics must be a list, not 'orders'"},
    {"topics: [5]", "spec.topics[0] must be a string, not the number 5 (put it in quotes)"},
    {"topics: [orders, 'a b']",
     "spec.topics[1] must be a topic's name (letters, digits, '.', '_' and '-'; also '*' and '?'), not 'a "
     "b'"},
    {"topics: ['..']",
     "spec.topics[0] must be a topic's name (letters, digits, '.', '_' and '-'; also '*' and '?'), not '..'"},
    {"rateLimiting: {maxConcurrentPartitions: 0}",
     "spec.rateLimiting.maxConcurrentPartitions must be an integer of at least 1"},
    {"rateLimiting: {bytesPerSec: -1}", "spec.rateLimiting.bytesPerSec must be an integer of at least 0"},
    {"rateLimiting: {bytesPerSec: 10MB}", "spec.rateLimiting.bytesPerSec must be an integer, not '10MB'"},
    {"rateLimit: {bytesPerSecond: 1}", "spec.rateLimit is not a known field (did you mean rateLimiting?)"},
    {"circuitBreaker: {failureThreshold: 4294967296}",
     "spec.circuitBreaker.failureThreshold must be an integer between 0 and 4294967295"},
};

// A login by SASL, and what is wrong with it.
Case sasl(std::string_view secret, std::string_view problem) {
  return {fmt::format("kafkaCluster: {{securityProtocol: SASL_SSL, saslSecret: {{name: s, {}}}}}", secret),
          problem.empty() ? "" : fmt::format("spec.kafkaCluster.saslSecret.{}", problem)};
}

const Case of_logins[] = {
    sasl("mechanism: OAUTHBEARER", "oauth is required by mechanism OAUTHBEARER"),
    sasl("mechanism: PLAIN, oauth: {tokenKey: t}", "oauth is for mechanism OAUTHBEARER, not PLAIN"),
    sasl("mechanism: OAUTHBEARER, oauth: {}",
         "oauth.tokenEndpoint or tokenKey or tokenFile is required, and only one of them"),
    sasl("mechanism: OAUTHBEARER, oauth: {tokenKey: t, tokenFile: /t}",
         "oauth.tokenEndpoint or tokenKey or tokenFile is required, and only one of them"),
    sasl("mechanism: OAUTHBEARER, oauth: {tokenEndpoint: 'http://login/token'}",
         "oauth.tokenEndpoint must be a URL that begins with https://: the client's secret goes there"),
    sasl("mechanism: OAUTHBEARER, oauth: {tokenKey: t, scope: kafka}", "oauth.scope is for tokenEndpoint"),
    sasl("mechanism: OAUTHBEARER, oauth: {tokenFile: /t, caKey: ca.crt}", "oauth.caKey is for tokenEndpoint"),
    sasl("mechanism: OAUTHBEARER, oauth: {tokenFile: token}", "oauth.tokenFile must be an absolute path"),
    sasl("mechanism: OAUTHBEARER, oauth: {tokenKey: ../t}",
         "oauth.tokenKey must be a key of a Secret (letters, digits, '-', '_' and '.'), not '../t'"),
    sasl("mechanism: PLAIN, aws: {region: eu-west-1}", "aws is for mechanism AWS_MSK_IAM, not PLAIN"),
    sasl("mechanism: AWS_MSK_IAM, aws: {region: Frankfurt}",
         "aws.region must be a region of AWS, not 'Frankfurt'"),
    sasl("mechanism: AWS_MSK_IAM, aws: {sessionTokenKey: a/b}",
         "aws.sessionTokenKey must be a key of a Secret (letters, digits, '-', '_' and '.'), not 'a/b'"),
    sasl("mechanism: GSSAPI", "kerberos is required by mechanism GSSAPI"),
    sasl("mechanism: GSSAPI, kerberos: {}", "kerberos.principal is required"),
    sasl("mechanism: GSSAPI, kerberos: {principal: 'a b'}",
         "kerberos.principal must be a Kerberos principal, not 'a b'"),
    sasl("mechanism: GSSAPI, kerberos: {principal: a@R, serviceName: kafka/broker}",
         "kerberos.serviceName must be the first part of a principal, without '/' and '@'"),
    sasl("mechanism: GSSAPI, kerberos: {principal: a@R, keytabKey: ../k}",
         "kerberos.keytabKey must be a key of a Secret (letters, digits, '-', '_' and '.'), not '../k'"),
    sasl("mechanism: SCRAM-SHA-512, kerberos: {principal: a@R}",
         "kerberos is for mechanism GSSAPI, not SCRAM-SHA-512"),
    sasl("mechanism: oauthbearer, oauth: {tokenEndpoint: 'https://login/token', scope: kafka, caKey: ca.crt}",
         ""),
    sasl("mechanism: OAUTHBEARER, oauth: {tokenFile: /var/run/secrets/tokens/kafka}", ""),
    sasl("mechanism: aws_msk_iam, usernameKey: id", ""),
    sasl("mechanism: AWS_MSK_IAM, aws: {region: us-gov-west-1, sessionTokenKey: token}", ""),
    sasl("mechanism: gssapi, kerberos: {principal: backup/host@EXAMPLE.COM, configKey: krb5.conf}", ""),
};

const Case of_backup[] = {
    {"topics: null", "spec.topics is required"},
    {"topics: []", "spec.topics must not be empty"},
    {"topics: ['']", "spec.topics[0] must not be empty"},
    {"excludeTopics: [a/b]",
     "spec.excludeTopics[0] must be a topic's name (letters, digits, '.', '_' and '-'; also '*' and '?'), "
     "not 'a/b'"},
    {"storage: null", "spec.storage is required"},
    {"storage: {storageType: nfs}", "spec.storage.storageType must be one of pvc, s3, azure, gcs, not 'nfs'"},
    {"storage: {storageType: PVC}", "spec.storage.storageType must be one of pvc, s3, azure, gcs, not 'PVC'"},
    {"storage: {pvc: null}", "spec.storage.pvc is required by storageType pvc"},
    {"storage: {storageType: s3}",
     "spec.storage.s3 is required by storageType s3; for the pvc block write storageType: pvc"},
    {"storage: {pvc: {claimName: null}}", "spec.storage.pvc.claimName is required"},
    {"storage: {pvc: {claimName: ../x}}",
     "spec.storage.pvc.claimName must be the name of an object (lower case letters, digits, '-' and '.'), "
     "not '../x'"},
    {"storage: {pvc: {subPath: a/../../b}}",
     "spec.storage.pvc.subPath must be a relative path without '..' and control characters, at most 1024 "
     "bytes, not 'a/../../b'"},
    {"storage: {pvc: {subPath: /a}}",
     "spec.storage.pvc.subPath must be a relative path without '..' and control characters, at most 1024 "
     "bytes, not '/a'"},
    {"storage: {s3: {bucket: b, regoin: r}}",
     "2 problems:\n  spec.storage.s3.region is required\n"
     "  spec.storage.s3.regoin is not a known field (did you mean region?)"},
    {"storage: {s3: {bucket: '', region: r}}", "spec.storage.s3.bucket must not be empty"},
    {"storage: {s3: {bucket: b, region: r, endpoint: 'minio:9000'}}",
     "spec.storage.s3.endpoint must be a URL that starts with https:// or http://, not 'minio:9000'"},
    {"storage: {s3: {bucket: b, region: r, prefix: a/../b}}",
     "spec.storage.s3.prefix must be a path without '..' and control characters, at most 1024 bytes, not "
     "'a/../b'"},
    {"storage: {s3: {bucket: b, region: r, credentialsSecret: {accessKeyIdKey: k}}}",
     "spec.storage.s3.credentialsSecret.name is required"},
    {"storage: {azure: {container: c, accountName: a, useWorkloadIdentity: true, sasTokenSecret: {name: s}}}",
     "spec.storage.azure.sasTokenSecret cannot be used together with useWorkloadIdentity; keep one way to "
     "log in"},
    {"storage: {azure: {container: c}}", "spec.storage.azure.accountName is required"},
    {"storage: {gcs: {prefix: p}}", "spec.storage.gcs.bucket is required"},
    {"storage: {hdfs: {}}", "spec.storage.hdfs is not a known field"},
    {"compression: gzip", "spec.compression must be one of none, lz4, zstd, not 'gzip'"},
    {"compression: ZSTD", "spec.compression must be one of none, lz4, zstd, not 'ZSTD'"},
    {"compressionLevel: 0",
     "spec.compressionLevel must be an integer between 1 and 22 when compression is zstd"},
    {"compressionLevel: 23",
     "spec.compressionLevel must be an integer between 1 and 22 when compression is zstd"},
    {"compressionLevel: 1.5", "spec.compressionLevel must be an integer, not the number 1.5"},
    {"compressionLevel: 3000000000",
     "spec.compressionLevel must be an integer between -2147483648 and 2147483647"},
    {"recompress: sometimes", "spec.recompress must be one of never, always, not 'sometimes'"},
    {"segmentMaxBytes: 0", "spec.segmentMaxBytes must be an integer of at least 1"},
    {"segmentMaxBytes: 128Mi", "spec.segmentMaxBytes must be an integer, not '128Mi'"},
    {"segmentMaxIntervalMs: 0", "spec.segmentMaxIntervalMs must be an integer of at least 1"},
    {"{continuous: true, stopAtCurrentOffsets: true}",
     "spec.stopAtCurrentOffsets cannot be true together with spec.continuous"},
    {"{continuous: true, workers: 2}",
     "spec.workers must be 1 with continuous: divide the topics among several KafkaBackups"},
    {"{continuous: true, schedule: '@daily'}",
     "spec.schedule cannot be set with continuous, which makes restore points all the time"},
    {"continuous: yes", "spec.continuous must be true or false, not 'yes'"},
    {"onMissingTopic: ignore", "spec.onMissingTopic must be one of fail, warn, not 'ignore'"},
    {"retention: {enabled: true}", "spec.retention.enabled needs maxAgeDays or keepLast to be set"},
    {"retention: {enabled: true, keepLast: 0}", "spec.retention.keepLast must be an integer of at least 1"},
    {"retention: {enabled: true, maxAgeDays: 0}",
     "spec.retention.maxAgeDays must be an integer of at least 1"},
    {"retention: {keepLast: -3}", "spec.retention.keepLast must be an integer between 0 and 4294967295"},
    {"retention: {backups: 3}", "spec.retention.backups is not a known field"},
    {"checkpoint: {intervalSecs: 0}", "spec.checkpoint.intervalSecs must be an integer of at least 1"},
    {"checkpoint: {storage: {}}", "spec.checkpoint.storage.pvcName is required"},
    {"metrics: {port: 70000}", "spec.metrics.port must be an integer between 0 and 65535"},
    {"schedule: 5", "spec.schedule must be a string, not the number 5 (put it in quotes)"},
    {"consumerGroupSnapshot: [g]", "spec.consumerGroupSnapshot must be true or false, not a list"},
    {"compresion: zstd", "spec.compresion is not a known field (did you mean compression?)"},
};

const Case of_restore[] = {
    {"backupRef: null", "spec.backupRef is required"},
    {"backupRef: {name: null}", "spec.backupRef.name is required unless storage is given"},
    {"backupRef: {name: ''}", "spec.backupRef.name is required unless storage is given"},
    {"backupRef: {name: A B}",
     "spec.backupRef.name must be the name of an object (lower case letters, digits, '-' and '.'), not 'A "
     "B'"},
    {"backupRef: {namespace: a.b}", "spec.backupRef.namespace must be the name of a namespace, not 'a.b'"},
    {"backupRef: {backupId: a/b}",
     "spec.backupRef.backupId must look like <backup>-20251210-020000, not 'a/b'"},
    {"backupRef: {storage: {storageType: gcs}}", "spec.backupRef.storage.gcs is required by storageType gcs"},
    {"pitr: {startTimestamp: 5, endTimestamp: 5}", "spec.pitr.endTimestamp must be after startTimestamp"},
    {"pitr: {startTime: '2025-01-01T00:00:00Z', endTimestamp: 5}",
     "spec.pitr.endTimestamp must be after startTime"},
    {"pitr: {startTime: '2025-01-02T00:00:00Z', endTime: '2025-01-01T00:00:00Z'}",
     "spec.pitr.endTime must be after startTime"},
    {"pitr: {endTime: 2025-01-01}",
     "spec.pitr.endTime must be a time like 2025-12-10T12:00:00Z, not '2025-01-01'"},
    {"pitr: {timestamp: 5}", "spec.pitr.timestamp is not a known field (did you mean endTimestamp?)"},
    {"topicMapping: [a]", "spec.topicMapping must be a mapping, not a list"},
    {"topicMapping: {a: 5}", "spec.topicMapping[a] must be a string, not the number 5 (put it in quotes)"},
    {"topicMapping: {a: 'b*'}",
     "spec.topicMapping[a] must be a topic's name (at most 249 of letters, digits, '.', '_' and '-'), not "
     "'b*'"},
    {"topicMapping: {'a*': b}", "spec.topicMapping maps 'a*', which is no topic's name"},
    {"partitionMapping: {x: 1}", "spec.partitionMapping maps 'x', which is no partition's number"},
    {"partitionMapping: {'3000000000': 1}",
     "spec.partitionMapping maps '3000000000', which is no partition's number"},
    {"partitionMapping: {'0': -1}", "spec.partitionMapping[0] must be an integer of at least 0, not -1"},
    {"partitionMapping: {'0': one}", "spec.partitionMapping[0] must be an integer, not 'one'"},
    {"repartitioning: {t: {strategy: murmur2}}", "spec.repartitioning[t].targetPartitions is required"},
    {"repartitioning: {t: {targetPartitions: 0}}",
     "spec.repartitioning[t].targetPartitions must be an integer between 1 and 2147483647"},
    {"repartitioning: {t: {targetPartitions: 1, strategy: random}}",
     "spec.repartitioning[t].strategy must be one of murmur2, automatic, not 'random'"},
    {"repartitioning: {'t?': {targetPartitions: 1}}",
     "spec.repartitioning has 't?', which is no topic's name"},
    {"offsetReset: {enabled: true}", "spec.offsetReset.consumerGroups is required"},
    {"rollback: {snapshotStorage: {subPath: x}}", "spec.rollback.snapshotStorage.pvcName is required"},
    {"produceBatchSize: 0", "spec.produceBatchSize must be an integer of at least 1"},
    {"produceAcks: 2", "spec.produceAcks must be an integer between -1 and 1"},
    {"produceAcks: all", "spec.produceAcks must be an integer, not 'all'"},
    {"produceTimeoutMs: 0", "spec.produceTimeoutMs must be an integer between 1 and 2147483647"},
    {"defaultReplicationFactor: 0", "spec.defaultReplicationFactor must be an integer of at least 1"},
    {"headerPreflight: sample", "spec.headerPreflight must be one of auto, full, skip, not 'sample'"},
    {"existingData: overwrite", "spec.existingData must be one of refuse, append, not 'overwrite'"},
    {"{existingData: append, purgeTopics: true}",
     "spec.existingData cannot be append together with purgeTopics: true"},
    {"schedule: x", "spec.schedule is not a known field"},
};

template <class Spec>
void check_all(const boost::json::value& base, std::span<const Case> cases) {
  for (const Case& c : cases) {
    CAPTURE(c.yaml);
    CHECK(problems_of<Spec>(base, c.yaml) == c.problem);
  }
}

}  // namespace

TEST_CASE("each mistake is one line with the field's path") {
  check_all<api::KafkaBackupSpec>(smallest_backup(), of_every_kind);
  check_all<api::KafkaRestoreSpec>(smallest_restore(), of_every_kind);
  check_all<api::KafkaBackupSpec>(smallest_backup(), of_logins);
  check_all<api::KafkaRestoreSpec>(smallest_restore(), of_logins);
  check_all<api::KafkaBackupSpec>(smallest_backup(), of_backup);
  check_all<api::KafkaRestoreSpec>(smallest_restore(), of_restore);
}

TEST_CASE("all mistakes are said at once") {
  CHECK(
      problems_of<api::KafkaBackupSpec>(smallest_backup(),
                                        "{topics: [], compression: gzip, compressionLevel: 99, "
                                        "kafkaCluster: {bootstrapServers: [a, 'b:1', c]}}") ==
      "5 problems:\n  spec.kafkaCluster.bootstrapServers[0] must be host:port, not 'a'\n"
      "  spec.kafkaCluster.bootstrapServers[2] must be host:port, not 'c'\n  spec.topics must not be empty\n"
      "  spec.compression must be one of none, lz4, zstd, not 'gzip'\n"
      "  spec.compressionLevel must be an integer between 1 and 22 when compression is zstd");
}

TEST_CASE("what looks odd and is right") {
  for (std::string_view yaml : {
           "{}",
           "kafkaCluster: {bootstrapServers: ['[::1]:9092', '127.0.0.1:1', a-b.c_d:65535]}",
           "kafkaCluster: {securityProtocol: sasl_ssl, saslSecret: {name: s, mechanism: scram-sha-256}}",
           "kafkaCluster: {securityProtocol: SSL}",
           "kafkaCluster: {securityProtocol: null, tlsSecret: null, connection: {}}",
           "topics: ['*', 'a?c', A.b_c-9]",
           "rateLimiting: {bytesPerSec: 18446744073709551615}",
           "circuitBreaker: {}",
       }) {
    CAPTURE(yaml);
    CHECK(problems_of<api::KafkaBackupSpec>(smallest_backup(), yaml) == "");
    CHECK(problems_of<api::KafkaRestoreSpec>(smallest_restore(), yaml) == "");
  }
  CHECK(problems_of<api::KafkaBackupSpec>(smallest_backup(), "{compression: lz4, compressionLevel: 0}") ==
        "");
  CHECK(problems_of<api::KafkaBackupSpec>(smallest_backup(), "retention: {enabled: false, keepLast: 0}") ==
        "");
  CHECK(problems_of<api::KafkaBackupSpec>(smallest_backup(),
                                          "storage: {storageType: s3, s3: {bucket: b, region: r, "
                                          "prefix: /a/b/}}") == "");
  CHECK(problems_of<api::KafkaRestoreSpec>(smallest_restore(),
                                           "backupRef: {name: '', storage: {pvc: {claimName: c}}}") == "");
  CHECK(problems_of<api::KafkaRestoreSpec>(smallest_restore(),
                                           "pitr: {startTime: '2025-01-02T00:00:00Z', "
                                           "startTimestamp: 1, endTimestamp: 2}") == "");
  CHECK(problems_of<api::KafkaRestoreSpec>(smallest_restore(), "topics: []") == "");
}

TEST_CASE("the defaults are those of the CRDs in the field") {
  auto backup = schema::read<api::KafkaBackupSpec>(smallest_backup(), "spec");
  CHECK(
      schema::write_text(backup) ==
      R"({"kafkaCluster":{"bootstrapServers":["kafka:9092"],"securityProtocol":"PLAINTEXT"},)"
      R"("topics":["orders"],)"
      R"("excludeTopics":[],"onMissingTopic":"fail",)"
      R"("storage":{"storageType":"pvc","pvc":{"claimName":"kafka-backups"}},"compression":"zstd",)"
      R"("compressionLevel":3,"recompress":"never","segmentMaxBytes":134217728,"segmentMaxIntervalMs":60000,)"
      R"("suspend":false,"continuous":false,"stopAtCurrentOffsets":false,"pollIntervalMs":100,)"
      R"("restorePointIntervalSecs":60,)"
      R"("concurrencyPolicy":"Forbid","successfulJobsHistoryLimit":3,"failedJobsHistoryLimit":3,)"
      R"("workers":1,"ttlSecondsAfterFinished":86400})");
  auto restore = schema::read<api::KafkaRestoreSpec>(smallest_restore(), "spec");
  CHECK(schema::write_text(restore) ==
        R"({"backupRef":{"name":"nightly"},"topics":[],)"
        R"("kafkaCluster":{"bootstrapServers":["kafka:9092"],"securityProtocol":"PLAINTEXT"},)"
        R"("topicMapping":{},"partitionMapping":{},"repartitioning":{},"createTopics":false,)"
        R"("purgeTopics":false,)"
        R"("existingData":"refuse","dryRun":false,"produceBatchSize":1000,"produceAcks":-1,)"
        R"("produceTimeoutMs":30000,)"
        R"("stripOffsetHeaders":false,"headerPreflight":"auto","autoConsumerGroups":false,)"
        R"("workers":1,"ttlSecondsAfterFinished":86400})");
  CHECK(api::rate_limiting_or_default(backup.rate_limiting).max_concurrent_partitions == 8);
  CHECK(api::rate_limiting_or_default(api::RateLimiting{}).max_concurrent_partitions == 4);
}

TEST_CASE("what was written of a spec is read back") {
  auto base = smallest_backup();
  overlay(base, schema::parse_yaml(
                    "{checkpoint: {}, metrics: {}, retention: {}, circuitBreaker: {}, rateLimiting: {}, "
                    "kafkaCluster: {connection: {}}, includeOffsetHeaders: true}",
                    "c")[0]
                    .value);
  auto text = schema::write_text(schema::read<api::KafkaBackupSpec>(base, "spec"));
  CHECK(schema::write_text(schema::read_text<api::KafkaBackupSpec>(text, "spec")) == text);
  CHECK(text.find(R"("connection":{"tcpKeepalive":true,"keepaliveTimeSecs":60,"keepaliveIntervalSecs":20,)"
                  R"("tcpNodelay":true,"connectionsPerBroker":4})") != std::string::npos);
  CHECK(text.find(R"("metrics":{"enabled":true,"port":9090,"bindAddress":"0.0.0.0","path":"/metrics",)"
                  R"("updateIntervalMs":500,"maxPartitionLabels":100})") != std::string::npos);
  CHECK(text.find(R"("checkpoint":{"enabled":true,"intervalSecs":30})") != std::string::npos);
}
