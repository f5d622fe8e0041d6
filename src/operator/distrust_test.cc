#include "operator/distrust.h"

#include "operator/job_builder.h"
#include "operator/labels.h"
#include "operator/spec_reading.h"
#include "schema/schema.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

namespace json = boost::json;

ResourceView sample() {
  return {.kind = "KafkaBackup",
          .key = {"b", "nightly"},
          .uid = "u-1",
          .resource_version = "1",
          .finalizers = {},
          .annotations = {},
          .spec = json::object(),
          .status = nullptr};
}

api::CurrentRun own_run() {
  return {.backup_id = "nightly-20251210-020000",
          .job = job_name(sample(), std::chrono::sys_seconds(std::chrono::seconds(1'765'332'000)))};
}

json::value object_with(const char* metadata, json::value spec, json::value status) {
  return json::object{{"metadata", schema::parse_json(metadata, "metadata")},
                      {"spec", std::move(spec)},
                      {"status", std::move(status)}};
}

TEST_CASE("a run is believed only when its Job is one of the resource's own") {
  const auto resource = sample();
  CHECK(is_run_of(resource, own_run()));
  for (const auto* job : {"", "..", "../../a/jobs/x", "kb-other-00000000-20251210020000", "somebody-elses"}) {
    auto run = own_run();
    run.job = job;
    CHECK_FALSE(is_run_of(resource, run));
  }
  auto other = sample();
  other.uid = "u-2";  // a resource of the same name that was made again, or one of another namespace
  CHECK_FALSE(is_run_of(other, own_run()));
  for (auto shards : {-1, 0, 257, 2147483647}) {
    auto run = own_run();
    run.shards = shards;
    CHECK_FALSE(is_run_of(resource, run));
  }
  for (const auto* id : {"../../a/x", "a/b", ".hidden"}) {
    auto run = own_run();
    run.backup_id = id;
    CHECK_FALSE(is_run_of(resource, run));
  }
}

TEST_CASE("a run in the status that cannot be ours is taken away") {
  auto resource = sample();
  resource.status = json::object{{"phase", "Running"}, {"currentRun", schema::write(own_run())}};
  const auto before = resource.status;
  distrust_status(resource);
  CHECK(resource.status == before);
  resource.status.at("currentRun").as_object()["job"] = "victim";
  distrust_status(resource);
  CHECK(resource.status.at("currentRun") == false);
  resource.status.as_object()["currentRun"] = "text";
  distrust_status(resource);
  CHECK(resource.status.at("currentRun") == false);
}

TEST_CASE("what is cached of a resource is bounded") {
  auto object = object_with(R"({"name":"x","namespace":"b","uid":"u","resourceVersion":"5","generation":2,
    "labels":{"a":"b"},"finalizers":["f"],"ownerReferences":[{"uid":"v"}],
    "annotations":{"other":"x","kafka.oso.sh/pause-reconciliation":"true"}})",
                            json::object{{"topics", json::array{"a"}}}, json::object{{"phase", "Ready"}});
  trim_resource(object);
  CHECK(schema::serialize(object.at("metadata")) ==
        R"({"name":"x","namespace":"b","uid":"u","resourceVersion":"5","generation":2,)"
        R"("annotations":{"kafka.oso.sh/pause-reconciliation":"true"}})");
  CHECK(object.at("spec").at("topics").at(0) == "a");
  CHECK(object.at("status").at("phase") == "Ready");

  auto deleted = object_with(R"({"deletionTimestamp":"2025-12-10T00:00:00Z","finalizers":["f"]})", {}, {});
  trim_resource(deleted);
  CHECK(deleted.at("metadata").at("finalizers").as_array().size() == 1);
}

TEST_CASE("what is too long to be kept says so") {
  const std::string megabyte(1 << 20, 'x');
  auto object = object_with("{}", json::object{{"topics", json::array{megabyte}}},
                            json::object{{"phase", "Ready"}, {"message", megabyte}});
  auto& annotations = object.at("metadata").as_object()["annotations"].emplace_object();
  annotations[run_now_annotation] = megabyte;
  annotations[grant_annotation] = megabyte;
  trim_resource(object);
  CHECK(schema::serialize(object).size() < 1000);
  CHECK(object.at("status").at("phase") == "Ready");
  CHECK(object.at("status").at("message") == false);
  const auto& kept = object.at("metadata").at("annotations");
  CHECK(kept.at(run_now_annotation).as_string().starts_with("sha256:"));
  CHECK(kept.at(grant_annotation) == "");
  auto resource = sample();
  resource.spec = object.at("spec");
  const auto reading = read_backup_spec(resource);
  CHECK_FALSE(reading.spec);
  CHECK(reading.problems.starts_with("spec has 1048"));
}

TEST_CASE("what is said of a spec does not repeat all of it") {
  auto resource = sample();
  resource.spec =
      schema::parse_json(R"({"topics":["a"],"kafkaCluster":{"bootstrapServers":["k:1"]}})", "spec");
  resource.spec.as_object()["storage"] =
      json::object{{"pvc", json::object{{"claimName", "c"}, {"subPath", "../" + std::string(100'000, 'x')}}}};
  const auto problems = read_backup_spec(resource).problems;
  CHECK(problems.find("spec.storage.pvc.subPath") != std::string::npos);
  CHECK(problems.size() < 1000);
}

TEST_CASE("an owner is in the namespace of what it owns") {
  const auto job = schema::parse_json(
      R"({"metadata":{"namespace":"b","ownerReferences":[{"uid":"u-1","controller":true}]}})", "job");
  CHECK(owner_of(job) == owner_key("b", "u-1"));
  CHECK(owner_of(job) != owner_key("a", "u-1"));
  CHECK(owner_key("b", "").empty());
}

}  // namespace
}  // namespace kb::op
