#include "operator/spec_reading.h"

#include "api/job.h"
#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using sample::backup_spec;

std::string problems_of(std::string_view spec) {
  auto reading = read_backup_spec(sample::resource("KafkaBackup", spec));
  CHECK(reading.spec.has_value() == reading.problems.empty());
  return reading.problems;
}

TEST_CASE("a spec that is right is read with its defaults") {
  CHECK(problems_of(backup_spec()).empty());
  const auto reading = read_backup_spec(sample::resource("KafkaBackup", backup_spec()));
  CHECK(reading.spec->workers == 1);
  CHECK(reading.spec->storage.pvc->claim_name == "archive");
}

TEST_CASE("every problem names its field, whatever the types are") {
  CHECK(problems_of(backup_spec(R"(,"metrics":{"port":70000})")).find("spec.metrics.port") !=
        std::string::npos);
  CHECK(problems_of(backup_spec(R"(,"schedule":"0 2 * *")")).find("spec.schedule") != std::string::npos);
  CHECK(problems_of(backup_spec(R"(,"timeZone":"Mars/Olympus","schedule":"@daily")")).find("spec.timeZone") !=
        std::string::npos);
  CHECK(problems_of(backup_spec(R"(,"workers":0)")).find("spec.workers") != std::string::npos);
  CHECK(problems_of("{}").find("spec.kafkaCluster") != std::string::npos);
  for (auto* text : {"null", "5", "[]", R"("x")", R"({"topics":{},"storage":[],"kafkaCluster":"x"})"})
    CHECK(!problems_of(text).empty());
}

TEST_CASE("five problems are shown, the others counted") {
  const auto text = problems_of(
      backup_spec(R"(,"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"workers":"x","suspend":7,"schedule":5,)"
                  R"("topics":5,"retention":1,"metrics":2,"checkpoint":3)"));
  CHECK(std::ranges::count(text, ';') == 5);
  CHECK(text.find("more") != std::string::npos);
}

TEST_CASE("a spec that was too large to be kept is refused before anything is started") {
  auto view = sample::resource("KafkaBackup", backup_spec());
  view.spec = "has 300000 bytes, more than fit into a Job";  // as trim_resource() leaves it
  auto reading = read_backup_spec(view);
  CHECK(!reading.spec);
  CHECK(reading.problems == "spec has 300000 bytes, more than fit into a Job");
}

TEST_CASE("what this version does not do is told, not ignored") {
  auto reading = read_restore_spec(sample::resource(
      "KafkaRestore", R"({"kafkaCluster":{"bootstrapServers":["kafka:9092"]},"backupRef":{"name":"nightly"},
        "topics":["orders"],"topicMapping":{"orders":"copy"},"autoConsumerGroups":true})"));
  CHECK(!reading.spec);
  CHECK(reading.problems.find("spec.autoConsumerGroups") != std::string::npos);
}

}  // namespace
}  // namespace kb::op
