#include "operator/job_view.h"

#include <boost/json/parse.hpp>

#include "operator/progress_view.h"
#include "schema/schema.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using boost::json::parse;

boost::json::value pod_with(std::string_view container, std::string_view more_status = "") {
  return parse(R"({"metadata":{"name":"p","labels":{"job-name":"j"}},"status":{"containerStatuses":[)" +
               std::string(container) + "]" + std::string(more_status) + "}}");
}

boost::json::value pod_saying(const std::string& message) {
  auto pod = pod_with(R"({"name":"worker","state":{"terminated":{"exitCode":0}}})");
  pod.as_object()["status"].as_object()["containerStatuses"].as_array()[0].as_object()["state"] = {
      {"terminated", {{"exitCode", 0}, {"message", message}}}};
  return pod;
}

TEST_CASE("a Job: its run, its state and why it failed") {
  auto job = parse(R"({"metadata":{"name":"kb-x-1-f","uid":"u","creationTimestamp":"2025-06-01T00:00:00Z",
      "annotations":{"kafka.oso.sh/run":"{\"backupId\":\"b\",\"job\":\"kb-x-1\",\"shards\":3}"},
      "ownerReferences":[{"uid":"other"},{"uid":"own","controller":true}]},
      "status":{"failed":2,"conditions":[
        {"type":"Failed","status":"True","reason":"DeadlineExceeded","message":"m"}]}})");
  trim_job(job);
  const auto view = read_job(job);
  CHECK(view.owner_uid == "own");
  CHECK(view.run->shards == 3);
  CHECK(view.state == JobState::failed);
  CHECK(view.failure_reason == "DeadlineExceeded");
  CHECK(view.failed_pods == 2);
  CHECK(!view.recorded);
  job.as_object()["metadata"].as_object()["annotations"] = {{"kafka.oso.sh/recorded", "true"}};
  job.as_object()["status"] =
      parse(R"({"conditions":[{"type":"Complete","status":"True"},{"type":"Failed","status":"False"}]})");
  CHECK(read_job(job).state == JobState::complete);
  CHECK(read_job(job).recorded);
}

TEST_CASE("a copy of a Job under another name has no run of ours") {
  auto job =
      parse(R"({"metadata":{"name":"copy","annotations":{"kafka.oso.sh/run":"{\"job\":\"kb-x-1\"}"}}})");
  CHECK(!read_job(job).run);
}

TEST_CASE("Jobs and pods of wrong types everywhere are read as empty") {
  for (auto* text :
       {"null", "5", "[]", R"("x")", R"({"metadata":[]})", R"({"metadata":{"name":5,"annotations":[1]}})",
        R"({"metadata":{"annotations":{"kafka.oso.sh/run":"{"}},"status":{"conditions":{"a":1}}})",
        R"({"metadata":{"annotations":{"kafka.oso.sh/run":"[[[[5]]]]"}},"status":[]})",
        R"({"metadata":{"ownerReferences":[5,{"controller":"true","uid":"x"},)"
        R"({"controller":true,"uid":7}]}})",
        R"({"status":{"failed":"many","conditions":[null,5,{"type":1,"status":true}]}})",
        R"({"status":{"containerStatuses":[{"name":"worker","state":[]},7,null]}})",
        R"({"status":{"containerStatuses":[{"name":"worker",)"
        R"("state":{"terminated":{"exitCode":"0","message":{}}}}]}})"}) {
    CAPTURE(text);
    auto object = parse(text);
    const auto job = read_job(object);
    CHECK(job.owner_uid.empty());
    CHECK(!job.run);
    CHECK(job.state == JobState::active);
    CHECK(job.failed_pods == 0);
    CHECK(!read_pod(object).report);
    CHECK(!read_pod(object).running);
    trim_job(object);
    trim_pod(object);
  }
}

TEST_CASE("a pod: only the worker's container counts, and the report is what it said at the end") {
  auto pod = pod_with(R"({"name":"sidecar","state":{"terminated":{"exitCode":9}}},
                         {"name":"worker","state":{"running":{}}})",
                      R"(,"podIP":"10.0.0.1")");
  CHECK(read_pod(pod).running);
  CHECK(!read_pod(pod).terminated);
  CHECK(read_pod(pod).ip == "10.0.0.1");
  const auto said = read_pod(pod_saying(R"({"outcome":"committed","backupId":"b","records":5,"new":1})"));
  CHECK(said.report->records == 5);
  CHECK(said.job == "j");
}

TEST_CASE("words that are no report, or figures that cannot be, are not believed") {
  for (const std::string& message : std::vector<std::string>{
           "", "Killed", "{}", "[]", R"({"outcome":"well"})", R"({"outcome":"committed","records":-1})",
           R"({"outcome":"committed","records":18446744073709551615})",
           R"({"outcome":"committed","seconds":-1})", R"({"outcome":"committed","seconds":1e300})",
           R"({"outcome":"committed","points":{"oldest":9223372036854775807}})",
           R"({"outcome":"committed","points":{"newest":[-9223372036854775808]}})",
           R"({"outcome":"committed","points":{"count":18446744073709551615}})"}) {
    CAPTURE(message);
    CHECK(!read_pod(pod_saying(message)).report);
  }
  CHECK(!read_pod(pod_saying(R"({"outcome":"committed","backupId":")" + std::string(5000, 'x') + "\"}"))
             .report);
  std::string many = R"({"outcome":"committed","points":{"newest":[1)";
  for (int i = 0; i < 30; ++i) many += ",1";
  CHECK(!read_pod(pod_saying(many + "]}}")).report);
}

TEST_CASE("why a pod does not run yet, cut between characters") {
  CHECK(
      read_pod(
          pod_with(
              R"({"name":"worker","state":{"waiting":{"reason":"ErrImagePull","message":"no such image"}}})"))
          .waiting == "ErrImagePull: no such image");
  std::string text;
  for (int i = 0; i < 200; ++i) text += "ä";
  auto pod =
      pod_with("", R"(,"conditions":[{"type":"PodScheduled","status":"False","message":"x)" + text + "\"}]");
  const auto waiting = read_pod(pod).waiting;
  CHECK(waiting.size() == 299);
  CHECK(waiting.ends_with("ä"));
}

TEST_CASE("progress that cannot be is left out, and what is left stays a number") {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  CHECK(!add_up({}));
  CHECK(!add_up({{.records_done = most}, {.seconds = -1}, {.seconds = 1e300}, {.checkpoint_s = -5}}));
  const auto sum =
      add_up({{.records_done = most}, {.records_done = 1, .records_total = 1ull << 50, .seconds = 1e9}});
  CHECK(sum->records_done == 1);
  CHECK(add_up({{.topic = "orders"}, {.topic = ""}, {.topic = "no\ntopic"}})->topic == "orders");
  const auto lagging =
      add_up({{.lagging = {{"orders", 0, 7}, {"no\ntopic", 0, 1}, {"orders", -1, 1}, {"orders", 1, most}}},
              {.lagging = std::vector<api::PartitionLag>(2000, {"audit", 3, 1})}})
          ->lagging;
  CHECK(lagging.size() == api::lagging_partitions_max);
  CHECK(lagging[0].topic == "orders");
  CHECK(lagging[1].topic == "audit");
  CHECK(*to_run_progress(*sum).eta_seconds == 1'000'000'000);
  CHECK(to_run_progress({.records_done = 9, .records_total = 3, .seconds = 1}).percent == 100);
  CHECK(!to_run_progress({.records_done = 9}).percent);
}

TEST_CASE("what is left alone is told once for all workers, and cut to a bearable length") {
  const api::LeftAlonePeer broker{"kafka-1:9092", "refused"}, store{"s3://b", std::string(5000, 'x')};
  const auto sum = add_up({{.left_alone = {broker}, .held_back_offsets = 312, .hanging_transactions = 2},
                           {.left_alone = {broker, store}, .held_back_offsets = 300}});
  CHECK(sum->left_alone.size() == 2);
  CHECK(sum->left_alone[1].failure.size() < 1100);
  CHECK(to_run_progress(*sum).circuit_breakers_open == 2);
  CHECK(to_run_progress(*sum).held_back_offsets == 312);
  CHECK(to_run_progress(*sum).hanging_transactions == 2);
  const auto text = trouble_of(*sum);
  CHECK(text.starts_with("; kafka-1:9092 is left alone for now: refused; s3://b is left alone"));
  CHECK(text.ends_with("; transactions hang in 2 partitions, what is behind them is not captured"));
  CHECK(trouble_of({.held_back_offsets = 5}).empty());
  const auto many = trouble_of({.left_alone = std::vector(7, broker)});
  CHECK(many.ends_with("; 4 more are left alone"));
  CHECK(!add_up({{.hanging_transactions = 1ull << 60}}));
}

}  // namespace
}  // namespace kb::op
