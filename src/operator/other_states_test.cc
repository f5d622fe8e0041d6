#include "operator/other_states.h"

#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using sample::at;

api::CommonStatus read(const boost::json::value& status) {
  api::CommonStatus out;
  schema::Problems ignored;
  schema::read_into(status, "status", out, ignored, {.unknown_fields = schema::UnknownFields::ignore});
  return out;
}

TEST_CASE("a kind that is not acted on yet says so, and nothing else of its status changes") {
  auto reset = sample::resource("KafkaOffsetReset", R"({"consumerGroups":["g"]})");
  reset.generation = 3;
  reset.status = boost::json::parse(R"({"snapshotId":"kept"})");
  const auto written = not_yet_status(reset, at("2025-06-01T00:31:00Z"));
  CHECK(written.at("snapshotId") == "kept");
  const auto status = read(written);
  CHECK(status.phase == "Pending");
  CHECK(status.message == "KafkaOffsetReset is not acted on by this version yet; nothing was done");
  CHECK(status.observed_generation == 3);
  REQUIRE(status.conditions.size() == 1);
  const auto& ready = status.conditions[0];
  CHECK(ready.type == "Ready");
  CHECK(ready.status == "False");
  CHECK(ready.reason == "NotSupportedYet");
  CHECK(ready.message == *status.message);
  CHECK(ready.observed_generation == 3);
  CHECK(ready.last_transition_time == at("2025-06-01T00:31:00Z"));
  reset.status = written;
  CHECK(not_yet_status(reset, at("2025-06-02T00:31:00Z")) == written);
}

TEST_CASE("what another operator has done with such a kind stays") {
  auto reset = sample::resource("KafkaOffsetReset", "{}");
  reset.status = boost::json::parse(R"({"phase":"Completed","groupsReset":5})");
  CHECK(not_yet_status(reset, at("2025-06-01T00:31:00Z")) == reset.status);
}

TEST_CASE("a resource that is paused keeps its status and says that it is") {
  auto backup = sample::resource("KafkaBackup", sample::backup_spec());
  backup.status = boost::json::parse(R"({"phase":"Running","recordsProcessed":5})");
  const auto written = paused_status(backup, at("2025-06-01T00:31:00Z"));
  CHECK(written.at("phase") == "Running");
  CHECK(written.at("recordsProcessed") == 5);
  CHECK(sample::condition(read(written), "ReconciliationPaused").status == "True");
}

}  // namespace
}  // namespace kb::op
