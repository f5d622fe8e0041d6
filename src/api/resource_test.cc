#include "api/resource.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/names.h"
#include "api/not_yet.h"
#include "api/reference_doc.h"
#include "base/error.h"

#include <doctest/doctest.h>

using namespace kb;

namespace {

const std::filesystem::path source_dir = KB_SOURCE_DIR;

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in, path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string problem_of(std::string_view yaml) {
  try {
    api::parse_resources(yaml, "f.yaml");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
    return e.what();
  }
  return "";
}

std::string refused(const api::Resource& resource) {
  try {
    api::refuse_unsupported(resource);
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
    return e.what();
  }
  return "";
}

std::string backup(std::string_view name, std::string_view more = "") {
  return fmt::format(
      "apiVersion: kafka.oso.sh/v1alpha1\nkind: KafkaBackup\nmetadata: {{name: {}}}\nspec:\n"
      "  kafkaCluster: {{bootstrapServers: ['k:9092']}}\n  storage: {{pvc: {{claimName: c}}}}\n  topics: "
      "[a]\n{}",
      name, more);
}

std::string restore(std::string_view name, std::string_view more = "") {
  return fmt::format(
      "apiVersion: kafka.oso.sh/v1alpha1\nkind: KafkaRestore\nmetadata: {{name: {}, namespace: "
      "kafka}}\nspec:\n"
      "  kafkaCluster: {{bootstrapServers: ['k:9092']}}\n  backupRef: {{name: b}}\n{}",
      name, more);
}

std::string refused_backup(std::string_view more) {
  return refused(api::parse_resources(backup("b", more), "f")[0]);
}
std::string refused_restore(std::string_view more) {
  return refused(api::parse_resources(restore("r", more), "f")[0]);
}

}  // namespace

TEST_CASE("a file holds resources of several kinds, in order") {
  auto all = api::parse_resources("---\n" + backup("b") + "---\n# nothing\n---\n" + restore("r"), "f.yaml");
  REQUIRE(all.size() == 2);
  CHECK(all[0].to_string() == "KafkaBackup b");
  CHECK(all[0].metadata.namespace_name == "default");
  CHECK(std::get<api::KafkaBackupSpec>(all[0].spec).topics == std::vector<std::string>{"a"});
  CHECK(all[1].metadata.namespace_name == "kafka");
  CHECK(std::get<api::KafkaRestoreSpec>(all[1].spec).backup_ref.name == "b");
}

TEST_CASE("an object as a cluster shows it is read, its other metadata and its status not") {
  auto all = api::parse_resources(R"({"apiVersion":"kafka.oso.sh/v1alpha1","kind":"KafkaBackup",
    "metadata":{"name":"b","namespace":"n","uid":"1","generation":3,"labels":{"a":"b"},
      "annotations":{"c":"d"},      "managedFields":[{"manager":"kubectl"}]},
    "spec":{"kafkaCluster":{"bootstrapServers":["k:1"]},"topics":["t"],"storage":{"pvc":{"claimName":"c"}}},
    "status":{"phase":"Ready"}})",
                                  "f.json");
  CHECK(all.at(0).metadata.labels.at("a") == "b");
  CHECK(all.at(0).metadata.annotations.at("c") == "d");
}

TEST_CASE("documents that are something else are named") {
  struct Case {
    std::string yaml, problem;
  };
  const std::string group = "apiVersion: kafka.oso.sh/v1alpha1\n";
  const Case cases[] = {
      {"", "f.yaml: holds no resource"},
      {"# only a comment\n---\n", "f.yaml: holds no resource"},
      {"hello", "f.yaml: the document must be a mapping with apiVersion, kind, metadata and spec"},
      {"- a", "f.yaml: the document must be a mapping with apiVersion, kind, metadata and spec"},
      {"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n",
       "f.yaml: kind Secret of v1 is not a kafka-backup resource; keep it in another file"},
      {"apiVersion: kafka.strimzi.io/v1\nkind: Kafka\n",
       "f.yaml: kind Kafka of kafka.strimzi.io/v1 is not a kafka-backup resource; keep it in another file"},
      {"apiVersion: kafka.oso.sh/v1\nkind: KafkaBackup\n",
       "f.yaml: apiVersion must be kafka.oso.sh/v1alpha1, not 'kafka.oso.sh/v1'"},
      {group + "kind: KafkaOffsetReset\n",
       "f.yaml: kind KafkaOffsetReset is not supported by this version yet"},
      {group + "kind: KafkaOffsetRollback\n",
       "f.yaml: kind KafkaOffsetRollback is not supported by this version yet"},
      {group + "kind: KafkaBackupValidation\n",
       "f.yaml: kind KafkaBackupValidation is not supported by this version yet"},
      {group + "kind: KafkaBackups\n",
       "f.yaml: kind must be KafkaBackup or KafkaRestore, not 'KafkaBackups' (did you mean KafkaBackup?)"},
      {group + "kind: Cron\n", "f.yaml: kind must be KafkaBackup or KafkaRestore, not 'Cron'"},
      {group + "kind: 5\n",
       "f.yaml: 3 problems:\n  kind must be a string, not the number 5 (put it in quotes)\n  metadata is "
       "required\n"
       "  spec is required"},
      {group + "kind: KafkaBackup\nmetadata: {name: b}\n", "f.yaml: spec is required"},
      {"kind: KafkaBackup\nmetadata: {name: b}\nspec: {}\n",
       "f.yaml: 4 problems:\n  apiVersion is required\n  spec.kafkaCluster is required\n  spec.topics is "
       "required\n"
       "  spec.storage is required"},
      {backup("b") + "stauts: {}\n", "f.yaml: stauts is not a known field (did you mean status?)"},
      {backup("''"),
       "f.yaml: metadata.name must be at most 253 lower case letters, digits, '-' and '.', not ''"},
      {backup("../b"),
       "f.yaml: metadata.name must be at most 253 lower case letters, digits, '-' and '.', not '../b'"},
      {backup("{x: y}"), "f.yaml: metadata.name must be a string, not a mapping"},
      {backup("b, namespace: A"),
       "f.yaml: metadata.namespace must be at most 63 lower case letters, digits and '-', not 'A'"},
      {backup("b, labels: {a: 1}"),
       "f.yaml: metadata.labels[a] must be a string, not the number 1 (put it in quotes)"},
      {backup("b", "  suspend: 1\n") + "---\n" + restore("r", "  dryRun: 1\n") + "---\nx: 1\n",
       "f.yaml: 7 problems:\n  KafkaBackup b: spec.suspend must be true or false, not the number 1\n"
       "  KafkaRestore r: spec.dryRun must be true or false, not the number 1\n"
       "  document at line 18: apiVersion is required\n  document at line 18: kind is required\n"
       "  document at line 18: metadata is required\n  document at line 18: spec is required\n"
       "  document at line 18: x is not a known field"},
      {backup("b") + "---\n" + backup("b"),
       "f.yaml: KafkaBackup b: metadata.name b stands twice in this file"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.yaml);
    CHECK(problem_of(c.yaml) == c.problem);
  }
  CHECK(problem_of(backup("b") + "---\n" + backup("b, namespace: other") + "---\n" + restore("b")) == "");
}

TEST_CASE("the first README's resources are read; what is to come is named") {
  auto read = [](const char* file) {
    return api::parse_resources(content(source_dir / "tests/data/first-readme" / file), file).at(0);
  };
  CHECK(refused(read("quick-start.yaml")) == "");
  CHECK(api::engine_support(read("quick-start.yaml")).notes ==
        std::vector<std::string>{"spec.schedule is not followed: this is one run, now"});
  auto azure = read("backup-azure.yaml");
  auto& spec = std::get<api::KafkaBackupSpec>(azure.spec);
  CHECK(spec.kafka_cluster.sasl_secret->mechanism == api::SaslMechanism::scram_sha_512);
  CHECK(spec.storage.azure->use_workload_identity);
  CHECK(refused(azure).starts_with("KafkaBackup production-backup: spec.storage.storageType other than"));
  auto s3 = read("backup-s3.yaml");
  CHECK(std::get<api::KafkaBackupSpec>(s3.spec).storage.s3->credentials_secret->name == "aws-credentials");
  auto restore = read("restore.yaml");
  CHECK(std::get<api::KafkaRestoreSpec>(restore.spec).topic_mapping.at("orders") == "orders-restored");
  CHECK(
      refused(restore) ==
      "KafkaRestore restore-orders: 3 problems:\n  spec.pitr is not supported by this version yet\n"
      "  spec.rollback.snapshotBeforeRestore: true is not supported by this version yet; set it to false or "
      "leave "
      "spec.rollback out\n  spec.rollback.autoRollbackOnFailure: true is not supported by this version yet");
  CHECK(problem_of(content(source_dir / "tests/data/first-readme/offset-reset.yaml")) ==
        "f.yaml: kind KafkaOffsetReset is not supported by this version yet");
}

TEST_CASE("every example can be run") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir / "examples")) {
    if (entry.path().extension() != ".yaml") continue;
    CAPTURE(entry.path());
    for (const api::Resource& resource : api::parse_resources(content(entry.path()), entry.path().string()))
      CHECK(refused(resource) == "");
    ++count;
  }
  CHECK(count >= 2);
}

TEST_CASE("what is not supported yet is refused only when asked for") {
  struct Case {
    std::string_view yaml, refused;
  };
  const Case of_backup[] = {
      {"", ""},
      {"  includeOffsetHeaders: false\n  continuous: true\n  retention: {keepLast: 3}\n", ""},
      {"  retention: {enabled: true, keepLast: 3}\n", ""},
      {"  circuitBreaker: {enabled: true, failureThreshold: 5}\n  metrics: {port: 1}\n", ""},
      {"  includeOffsetHeaders: null\n  rateLimiting: {bytesPerSec: 5}\n", ""},
      {"  includeOffsetHeaders: true\n", "spec.includeOffsetHeaders: true"},
      {"  circuitBreaker: {failureThreshold: 6}\n", ""},
  };
  for (const Case& c : of_backup) {
    CAPTURE(c.yaml);
    CHECK(refused_backup(c.yaml).starts_with(
        c.refused.empty() ? "" : fmt::format("KafkaBackup b: {}", c.refused)));
    CHECK(refused_backup(c.yaml).empty() == c.refused.empty());
  }
  const Case of_restore[] = {
      {"", ""},
      {"  rollback: {snapshotBeforeRestore: false}\n  offsetReset: {consumerGroups: [g]}\n  produceAcks: "
       "-1\n",
       ""},
      {"  pitr: {}\n", "spec.pitr"},
      {"  partitionMapping: {'0': 1}\n", "spec.partitionMapping"},
      {"  repartitioning: {t: {targetPartitions: 2}}\n", "spec.repartitioning"},
      {"  offsetReset: {enabled: true, consumerGroups: [g]}\n", "spec.offsetReset.enabled: true"},
      {"  rollback: {}\n", "spec.rollback.snapshotBeforeRestore: true"},
      {"  rollback: {snapshotBeforeRestore: false, snapshotStorage: {pvcName: p}}\n",
       "spec.rollback.snapshotStorage"},
      {"  circuitBreaker: {failureThreshold: 6}\n", ""},
      {"  purgeTopics: true\n", "spec.purgeTopics: true"},
      {"  autoConsumerGroups: true\n", "spec.autoConsumerGroups: true"},
      {"  includeOriginalOffsetHeader: true\n", "spec.includeOriginalOffsetHeader: true"},
      {"  stripOffsetHeaders: true\n", "spec.stripOffsetHeaders: true"},
      {"  produceAcks: 1\n", "spec.produceAcks other than -1"},
  };
  for (const Case& c : of_restore) {
    CAPTURE(c.yaml);
    CHECK(refused_restore(c.yaml).starts_with(
        c.refused.empty() ? "" : fmt::format("KafkaRestore r: {}", c.refused)));
    CHECK(refused_restore(c.yaml).empty() == c.refused.empty());
  }
}

TEST_CASE("claims and namespaces that are not supported yet are refused") {
  auto all = api::parse_resources(backup("b") + "---\n" + restore("r"), "f");
  auto& spec = std::get<api::KafkaRestoreSpec>(all[1].spec);
  spec.backup_ref.storage.emplace().storage_type = api::StorageType::s3;
  CHECK(api::engine_support(all[1]).refused.size() == 1);
  spec = {};
  spec.backup_ref.storage.emplace().pvc.emplace().create.emplace().enabled = true;
  CHECK(refused(all[1]).find("spec.backupRef.storage.pvc.create.enabled: true") != std::string::npos);
  spec = {};
  spec.backup_ref.namespace_name = "other";
  CHECK(refused(all[1]) == "");
  spec.workers = 4;
  CHECK(api::engine_support(all[1]).notes.size() == 1);
}

TEST_CASE("what is accepted without effect is told by whoever asks for it") {
  auto notes = [](const std::string& text) {
    return api::engine_support(api::parse_resources(text, "f")[0]).notes;
  };
  CHECK(notes(backup("b", "  metrics: {maxPartitionLabels: 100}\n  checkpoint: {enabled: true}\n")).empty());
  auto told =
      notes(backup("b", "  metrics: {maxPartitionLabels: 5}\n  checkpoint: {storage: {pvcName: p}}\n"));
  REQUIRE(told.size() == 1);
  CHECK(told[0].starts_with("spec.checkpoint.storage"));
  CHECK(notes(restore("r", "  headerPreflight: auto\n")).empty());
  CHECK(notes(restore("r", "  headerPreflight: full\n")).size() == 1);
}

TEST_CASE("globs match whole names") {
  using api::topic_matches;
  CHECK(topic_matches("*", ""));
  CHECK(topic_matches("*", "orders"));
  CHECK(topic_matches("orders", "orders"));
  CHECK(!topic_matches("orders", "orders2"));
  CHECK(!topic_matches("orders", "Orders"));
  CHECK(topic_matches("o?d*s", "orders"));
  CHECK(!topic_matches("?", ""));
  CHECK(topic_matches("*-dlq", "a-dlq-dlq"));
  CHECK(topic_matches("a*b*c", "aXbXbXc"));
  CHECK(!topic_matches("a*b*c", "aXbXbX"));
  CHECK(topic_matches("a.c", "a.c"));
  CHECK(!topic_matches("a.c", "abc"));
  std::string many(200, 'a');
  CHECK(!topic_matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", many));  // in no time, too
}

TEST_CASE("names") {
  CHECK(api::is_topic_name(std::string(249, 'a')));
  CHECK(!api::is_topic_name(std::string(250, 'a')));
  CHECK(!api::is_topic_name(""));
  CHECK(!api::is_topic_name("."));
  CHECK(api::is_topic_name("..."));
  CHECK(!api::is_topic_name("a*"));
  CHECK(!api::is_topic_name("\u00e9"));
  CHECK(api::is_object_name("a.b-c.9"));
  CHECK(!api::is_object_name("a..b"));
  CHECK(!api::is_object_name("-a"));
  CHECK(!api::is_object_name("a."));
  CHECK(!api::is_object_name(std::string(254, 'a')));
  CHECK(!api::is_namespace_name(std::string(64, 'a')));
  CHECK(api::is_backup_id(std::string(253, 'a') + "-20251210-020000"));
  CHECK(!api::is_backup_id(std::string(301, 'a')));
  CHECK(!api::is_backup_id("../a"));
  CHECK(!api::is_backup_id(""));
  CHECK(api::is_secret_key("tls.crt"));
  CHECK(!api::is_secret_key("..data"));
  CHECK(!api::is_secret_key("a/b"));
  CHECK(api::is_confined_path("a/b/..c/"));
  CHECK(api::is_confined_path(""));
  CHECK(!api::is_confined_path(".."));
  CHECK(!api::is_confined_path("a/.."));
  CHECK(!api::is_confined_path(std::string_view("a\0b", 3)));
  CHECK(!api::is_confined_path("a\nb"));
  CHECK(api::is_confined_path(std::string(1024, 'a')));
  CHECK(!api::is_confined_path(std::string(1025, 'a')));
  CHECK(!api::is_host_and_port("a:"));
  CHECK(!api::is_host_and_port(":1"));
  CHECK(!api::is_host_and_port("a:0"));
  CHECK(!api::is_host_and_port("a:+1"));
  CHECK(!api::is_host_and_port("[]:1"));
  CHECK(api::is_host_and_port("[fe80::1%eth0]:1") == false);
  CHECK(api::is_host_and_port("[fe80::1]:1"));
}

TEST_CASE("the generated reference pages are fresh") {
  for (const api::ReferencePage& page : api::reference_pages()) {
    CAPTURE(page.file_name);
    CHECK_MESSAGE(content(source_dir / "docs/reference" / page.file_name) == page.text,
                  "run: apidoc docs/reference (in the build directory)");
  }
}
