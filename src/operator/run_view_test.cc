#include "operator/run_view.h"

#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using api::WorkOutcome;

struct Run {
  api::CurrentRun run{.backup_id = "b", .job = "j"};
  JobView job{.name = "j", .run = api::CurrentRun{.job = "j"}};
  std::vector<PodView> pods;
  RunView look() const { return look_at_run(run, {job}, pods); }
  void pod(std::int64_t exit_code, std::optional<WorkOutcome> outcome, std::string_view error = "") {
    PodView pod{
        .name = "p" + std::to_string(pods.size()), .job = "j", .terminated = true, .exit_code = exit_code};
    pod.created = Timestamp(std::chrono::seconds(pods.size()));
    if (outcome) pod.report = sample::report(*outcome);
    if (!error.empty())
      pod.report->error = api::WorkError{.kind = "denied", .message = std::string(error), .hint = "grant it"};
    pods.push_back(std::move(pod));
  }
};

TEST_CASE("a run has succeeded only when its Job has and a report says so") {
  struct Case {
    JobState job;
    std::int64_t exit_code;
    std::optional<WorkOutcome> outcome;
    RunState state;
  };
  using enum RunState;
  for (const auto& c : {Case{JobState::complete, 0, WorkOutcome::committed, succeeded},
                        Case{JobState::complete, 0, WorkOutcome::committed_before, succeeded},
                        Case{JobState::complete, 0, WorkOutcome::restored, succeeded},
                        Case{JobState::complete, 0, WorkOutcome::stopped, unreported},
                        Case{JobState::complete, 0, WorkOutcome::failed, unreported},
                        Case{JobState::complete, 0, WorkOutcome::shard_done, unreported},
                        Case{JobState::complete, 0, std::nullopt, unreported},
                        Case{JobState::complete, 1, WorkOutcome::committed, unreported},
                        Case{JobState::active, 0, WorkOutcome::committed, active},
                        Case{JobState::failed, 0, WorkOutcome::committed, failed}}) {
    Run run;
    run.job.state = c.job;
    run.pod(c.exit_code, c.outcome);
    CHECK(run.look().state == c.state);
  }
}

TEST_CASE("a Job that is gone, going, or of another stage is missing") {
  Run run;
  run.job.deleting = true;
  CHECK(run.look().state == RunState::missing);
  run.job.deleting = false;
  run.run.finishing = true;
  CHECK(run.look().state == RunState::missing);
  run.job.name = "j-f";
  CHECK(run.look().state == RunState::active);
}

TEST_CASE("the report of a pod that is still seen at work is waited for") {
  Run run;
  run.job.state = JobState::complete;
  run.pods = {{.name = "a", .job = "j", .running = true}};
  CHECK(run.look().state == RunState::active);
  run.pods[0].deleting = true;  // of a node that was lost
  CHECK(run.look().state == RunState::unreported);
  run.pods.clear();
  CHECK(run.look().state == RunState::unreported);
}

TEST_CASE("shards that are done are to be finished") {
  Run run;
  run.run.shards = 3;
  run.job.state = JobState::complete;
  CHECK(run.look().state == RunState::shards_done);
}

TEST_CASE("why a run failed is what its last pod said") {
  Run run;
  run.job.state = JobState::failed;
  run.job.failure_reason = "BackoffLimitExceeded";
  run.job.failure_message = "Job has reached the specified backoff limit";
  CHECK(run.look().failure == "Job has reached the specified backoff limit");
  run.pod(5, WorkOutcome::failed, "first");
  run.pod(5, WorkOutcome::failed, "access denied");
  CHECK(run.look().failure == "access denied; grant it");
  CHECK(run.look().report->error->kind == "denied");
  run.job.failure_reason = "DeadlineExceeded";
  CHECK(run.look().failure.starts_with("it took longer than spec.activeDeadlineSeconds; "));
  run.job.failure_reason = "";
  run.pod(137, std::nullopt);
  CHECK(run.look().failure == "pod p2 ended with exit code 137 and no report; see its log");
  run.pods.back().terminated_reason = "OOMKilled";
  CHECK(run.look().failure.find("spec.podTemplate.resources.limits.memory") != std::string::npos);
}

TEST_CASE("a failure is never told without a reason") {
  Run run;
  run.job.failed_pods = 1;
  CHECK(!run.look().failure.empty());
  run.job.state = JobState::failed;
  CHECK(!run.look().failure.empty());
}

TEST_CASE("what a pod waits for is told, but not of one that goes") {
  Run run;
  run.pods = {{.name = "a", .job = "j", .waiting = "Unschedulable"},
              {.name = "b", .job = "other", .waiting = "x"}};
  CHECK(run.look().waiting == "Unschedulable");
  run.pods[0].deleting = true;
  CHECK(run.look().waiting.starts_with("it is being ended"));
  run.pods.push_back({.name = "c", .job = "j", .running = true});
  CHECK(run.look().waiting.empty());
}

}  // namespace
}  // namespace kb::op
