#include "operator/restore_decision.h"

#include <random>

#include "operator/labels.h"
#include "operator/sample_views.h"
#include "operator/status_patch.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using api::WorkOutcome;
using sample::at;
using sample::condition;
using sample::reasons;

constexpr auto plain = R"({"kafkaCluster":{"bootstrapServers":["kafka:9092"]},"topics":["orders"],
  "backupRef":{"name":"nightly"},"topicMapping":{"orders":"copy"}})";

struct Restore {
  ResourceView view = sample::resource("KafkaRestore", plain);
  std::vector<JobView> jobs;
  std::vector<PodView> pods;
  std::variant<BackupSource, NoSource> source = BackupSource{
      .backup_namespace = "kafka", .backup_name = "nightly", .backup_id = "nightly-20250601-000000"};
  api::KafkaRestoreStatus status;
  std::optional<api::WorkProgress> progress;

  void edit(std::string_view member, boost::json::value value) {
    view.spec.as_object()[member] = std::move(value);
    ++view.generation;
  }
  Actions look(std::string_view time) {
    auto reading = read_restore_spec(view);
    INFO(reading.problems);
    auto decision = decide_restore({.resource = view,
                                    .spec = std::move(reading.spec),
                                    .problems = reading.problems,
                                    .source = source,
                                    .start_error = {},
                                    .jobs = jobs,
                                    .pods = pods,
                                    .progress = progress,
                                    .now = at(time)});
    status = decision.status;
    view.status = schema::write(decision.status);
    for (auto& job : jobs) job.recorded = job.recorded || job.state != JobState::active;
    const auto& run = status.current_run;
    if (decision.actions.start_job)
      jobs.push_back(
          {.name = run->finishing ? finish_job_name(*run) : run->job, .run = run, .created = at(time)});
    return decision.actions;
  }
  void end(JobState state, WorkOutcome outcome) {
    auto said = sample::report(outcome, "nightly-20250601-000000");
    if (state == JobState::failed)
      said.error = api::WorkError{.kind = "denied", .message = "access denied", .hint = ""};
    jobs.back().state = state;
    pods.push_back({.name = "x",
                    .job = jobs.back().name,
                    .terminated = true,
                    .exit_code = state == JobState::failed ? 5 : 0,
                    .report = said});
  }
};

TEST_CASE("a restore says whom it leaves alone") {
  Restore restore;
  restore.look("2025-06-01T01:00:00Z");
  restore.progress = api::WorkProgress{.left_alone = {{"kafka-1:9092", "refused"}}};
  CHECK(restore.look("2025-06-01T01:00:05Z").events.empty());
  CHECK(restore.status.message == "Restore in progress; kafka-1:9092 is left alone for now: refused");
  CHECK(condition(restore.status, "Progressing").message == restore.status.message);
  restore.progress->left_alone.clear();
  restore.look("2025-06-01T01:00:10Z");
  CHECK(restore.status.message == "Restore in progress");
}

TEST_CASE("a restore runs once; an edit says so and does not run it again, a token does") {
  Restore restore;
  CHECK(reasons(restore.look("2025-06-01T01:00:00Z")) == "RestoreStarted");
  CHECK(restore.status.phase == "Running");
  CHECK(condition(restore.status, "Complete").status == "False");
  restore.end(JobState::complete, WorkOutcome::restored);
  CHECK(reasons(restore.look("2025-06-01T01:10:00Z")) == "RestoreSucceeded");
  CHECK(restore.status.phase == "Completed");
  CHECK(restore.status.progress_percent == 100);
  CHECK(condition(restore.status, "Complete").status == "True");
  restore.edit("topics", boost::json::array{"orders", "other"});
  auto actions = restore.look("2025-06-01T01:11:00Z");
  CHECK(reasons(actions) == "SpecChangedAfterCompletion");
  CHECK(!actions.start_job);
  const auto before = restore.view.status;
  CHECK(reasons(restore.look("2025-06-01T01:12:00Z")).empty());
  CHECK(!merge_patch_between(before, restore.view.status));
  restore.view.annotations[std::string(run_now_annotation)] = "again";
  CHECK(restore.look("2025-06-01T01:13:00Z").start_job);
  restore.end(JobState::complete, WorkOutcome::restored);
  restore.look("2025-06-01T01:14:00Z");
  CHECK(!restore.look("2025-06-01T01:15:00Z").start_job);
}

TEST_CASE("a report that was lost is asked for again, by a finish only where one can be") {
  Restore restore;
  SUBCASE("the newest backup") {
    std::get<BackupSource>(restore.source).backup_id.clear();
  }
  SUBCASE("a dry run") {
    restore.edit("dryRun", true);
  }
  restore.look("2025-06-01T01:00:00Z");
  const auto job = restore.jobs.back().name;
  restore.jobs.back().state = JobState::complete;
  CHECK(restore.look("2025-06-01T01:10:00Z").delete_jobs == std::vector{job});
  CHECK(restore.status.phase == "Running");
  restore.jobs.clear();
  CHECK(restore.look("2025-06-01T01:11:00Z").start_job);
  CHECK(restore.jobs.back().name == job);
  restore.end(JobState::complete, WorkOutcome::restored);
  CHECK(reasons(restore.look("2025-06-01T01:12:00Z")) == "RestoreSucceeded");
}

TEST_CASE("a restore that failed runs again when it is edited, also during the run") {
  Restore restore;
  restore.look("2025-06-01T01:00:00Z");
  SUBCASE("after it") {
    restore.end(JobState::failed, WorkOutcome::failed);
    CHECK(reasons(restore.look("2025-06-01T01:10:00Z")) == "RestoreFailed");
    CHECK(restore.status.message == "Restore failed: access denied");
    CHECK(condition(restore.status, "Failed").status == "True");
    CHECK(!restore.look("2025-06-01T01:11:00Z").start_job);
    restore.edit("topics", boost::json::array{"other"});
  }
  SUBCASE("during it") {
    restore.edit("topics", boost::json::array{"other"});
    restore.look("2025-06-01T01:01:00Z");
    restore.end(JobState::failed, WorkOutcome::failed);
    restore.look("2025-06-01T01:10:00Z");
    CHECK(restore.status.phase == "Failed");
    CHECK(restore.status.observed_generation == 1);
  }
  CHECK(restore.look("2025-06-01T01:12:00Z").start_job);
  CHECK(restore.status.observed_generation == 2);
}

TEST_CASE("a dry run that passed becomes a restore by an edit") {
  Restore restore;
  restore.edit("dryRun", true);
  restore.look("2025-06-01T01:00:00Z");
  restore.end(JobState::complete, WorkOutcome::planned);
  restore.look("2025-06-01T01:01:00Z");
  CHECK(restore.status.phase == "Completed");
  CHECK(condition(restore.status, "Ready").reason == "DryRunPassed");
  CHECK(!restore.status.records_restored);
  restore.edit("dryRun", false);
  CHECK(restore.look("2025-06-01T01:02:00Z").start_job);
}

TEST_CASE("Jobs of different runs have different names, whatever the clock does") {
  Restore restore;
  restore.look("2025-06-01T01:00:00Z");
  restore.end(JobState::failed, WorkOutcome::failed);
  restore.look("2025-06-01T01:00:00Z");
  restore.edit("topics", boost::json::array{"other"});
  restore.look("2025-06-01T00:10:00Z");
  REQUIRE(restore.jobs.size() == 2);
  CHECK(restore.jobs[0].name < restore.jobs[1].name);
  const auto actions = restore.look("2025-06-01T00:10:01Z");
  CHECK(restore.status.phase == "Running");  // and not what the first one's pod said
  CHECK(!actions.finished);
}

TEST_CASE("what it waits for is told, and it goes on when it is there") {
  Restore restore;
  const auto source = restore.source;
  restore.source = NoSource{.reason = "NoBackupYet", .message = "no complete backup yet", .may_come = true};
  auto actions = restore.look("2025-06-01T01:00:00Z");
  CHECK(restore.status.phase == "Pending");
  CHECK(condition(restore.status, "Ready").reason == "NoBackupYet");
  CHECK(actions.requeue_after);
  CHECK(reasons(restore.look("2025-06-01T01:00:15Z")).empty());  // told once
  restore.source = source;
  CHECK(restore.look("2025-06-01T01:00:30Z").start_job);
  SUBCASE("a source that goes during a run is told too") {
    restore.jobs.clear();
    restore.source =
        NoSource{.reason = "BackupNotFound", .message = "there is no KafkaBackup", .may_come = true};
    CHECK(!restore.look("2025-06-01T01:01:00Z").start_job);
    CHECK(restore.status.message == "Restore in progress: its Job cannot be made: there is no KafkaBackup");
  }
}

TEST_CASE("an invalid spec fails with its fields, and nothing runs") {
  Restore restore;
  restore.edit("partitionMapping", boost::json::parse(R"({"a":1})"));
  CHECK(!restore.look("2025-06-01T01:00:00Z").start_job);
  CHECK(restore.status.phase == "Failed");
  CHECK(restore.status.message->find("spec.partitionMapping") != std::string::npos);
  restore.view.spec.as_object().erase("partitionMapping");
  ++restore.view.generation;
  CHECK(restore.look("2025-06-01T01:01:00Z").start_job);
}

TEST_CASE("restores that another operator ended stay ended, and one that died runs") {
  struct Case {
    const char* phase;
    bool runs;
  };
  for (const auto& c : {Case{"Completed", false}, Case{"Failed", false}, Case{"RolledBack", false},
                        Case{"Running", true}, Case{"Pending", true}}) {
    CAPTURE(c.phase);
    Restore restore;
    restore.view.status =
        boost::json::parse(R"({"observedGeneration":1,"startTime":"2025-05-01T00:00:00.123456789Z",
      "conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2025-05-01T00:00:00Z"}]})");
    restore.view.status.as_object()["phase"] = c.phase;
    CHECK(restore.look("2025-06-01T01:00:00Z").start_job == c.runs);
    if (c.runs) continue;
    CHECK(restore.status.phase == c.phase);
    restore.view.annotations[std::string(run_now_annotation)] = "a";
    CHECK(restore.look("2025-06-01T01:01:00Z").start_job);
  }
}

TEST_CASE("a Job whose status was lost is adopted; an older one is not") {
  Restore restore;
  restore.view.annotations[std::string(run_now_annotation)] = "a";
  restore.look("2025-06-01T01:00:00Z");
  const auto run = restore.status.current_run;
  restore.view.status = nullptr;
  CHECK(!restore.look("2025-06-01T01:00:05Z").start_job);
  CHECK(restore.status.current_run == run);
  CHECK(restore.status.last_run_now == "a");
  restore.end(JobState::complete, WorkOutcome::restored);
  restore.look("2025-06-01T01:01:00Z");
  restore.jobs.back().recorded = false;
  restore.view.status.as_object()["job"] = run->job + "9";
  CHECK(!restore.look("2025-06-01T01:02:00Z").start_job);
  CHECK(restore.status.phase == "Completed");
}

TEST_CASE("topics whose retention was held back are a condition until the next run") {
  Restore restore;
  restore.look("2025-06-01T01:00:00Z");
  restore.end(JobState::complete, WorkOutcome::restored);
  restore.pods.back().report->retention_held = 1;
  restore.pods.back().report->warnings = {"orders: retention.ms was not set"};
  restore.look("2025-06-01T01:01:00Z");
  CHECK(condition(restore.status, "RetentionHeld").message == "orders: retention.ms was not set");
  restore.view.annotations[std::string(run_now_annotation)] = "a";
  restore.look("2025-06-01T01:02:00Z");
  CHECK(condition(restore.status, "RetentionHeld").status == "absent");
}

// A restore with everything that happens to it, and what has asked for a run since the last one began.
class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {}

  void happen() {
    switch (random_() % 10) {
      case 0:
        return edit("topics", boost::json::array{"orders", std::to_string(random_() % 9)});
      case 1:
        return edit("dryRun", random_() % 2 == 0);
      case 2:
        return edit("partitionMapping", boost::json::parse(random_() % 3 == 0 ? R"({"a":1})" : "{}"));
      case 3:
        restore_.view.annotations[std::string(run_now_annotation)] = std::to_string(++tokens_);
        asked_ = true;
        return;
      case 4:
        if (!restore_.jobs.empty()) restore_.jobs.pop_back();  // deleted, or never made
        return;
      case 5:
        now_ += std::chrono::seconds(random_() % 8000) - std::chrono::seconds(4000);
        return;
      case 6:
        return end(random_() % 2 == 0);
      default:
        look();
    }
  }
  void settle() {
    edit("partitionMapping", boost::json::object());
    for (int i = 0; i < 20; ++i) {
      look();
      end(true);
    }
    look();
    CHECK(!asked_);
    CHECK(restore_.status.phase == "Completed");
    const auto before = restore_.view.status;
    look();
    CHECK(!merge_patch_between(before, restore_.view.status));
  }

 private:
  void edit(std::string_view member, boost::json::value value) {
    restore_.edit(member, std::move(value));
    edited_ = true;
  }
  void end(bool well) {
    auto& jobs = restore_.jobs;
    if (jobs.empty() || jobs.back().state != JobState::active) return;
    restore_.pods.clear();
    const bool is_dry = dry_run_;
    restore_.end(well ? JobState::complete : JobState::failed, !well    ? WorkOutcome::failed
                                                               : is_dry ? WorkOutcome::planned
                                                                        : WorkOutcome::restored);
  }
  void look() {
    const auto before = restore_.status.current_run;
    const auto actions = restore_.look(schema::format_rfc3339(now_));
    const auto& run = restore_.status.current_run;
    if (actions.finished) over_ = restore_.status.phase == "Completed" && !dry_run_;
    if (!run || (before && run->job == before->job)) return;
    CHECK(run->job > last_job_);
    CHECK((last_job_.empty() || asked_ || (edited_ && !over_)));
    last_job_ = run->job;
    const auto* dry = restore_.view.spec.as_object().if_contains("dryRun");
    dry_run_ = dry && dry->as_bool();
    edited_ = asked_ = over_ = false;
  }

  std::mt19937_64 random_;
  Restore restore_;
  Timestamp now_ = at("2025-06-01T12:00:00Z");
  int tokens_ = 0;
  bool asked_ = false, edited_ = false, dry_run_ = false, over_ = false;
  std::string last_job_;
};

TEST_CASE("a restore runs again only by a token, or by an edit while nothing was restored") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Life life(seed);
    for (int i = 0; i < 60; ++i) life.happen();
    life.settle();
  }
}

TEST_CASE("several workers must be told which backup they restore") {
  Restore restore;
  restore.edit("workers", 3);
  std::get<BackupSource>(restore.source).backup_id.clear();
  CHECK(!restore.look("2025-06-01T01:00:00Z").start_job);
  CHECK(restore.status.phase == "Failed");
  CHECK(restore.status.message->starts_with("spec.workers:"));
  restore.edit("dryRun", true);  // one worker looks
  CHECK(restore.look("2025-06-01T01:01:00Z").start_job);
}

TEST_CASE("a dry run whose report or Job was lost does not become the restore itself") {
  for (const bool job_is_gone : {true, false}) {
    Restore restore;
    restore.edit("dryRun", true);
    restore.look("2025-06-01T01:00:00Z");
    restore.jobs.back().state = JobState::complete;  // and its pod is gone
    if (job_is_gone) restore.jobs.clear();
    restore.edit("dryRun", false);
    CHECK(!restore.look("2025-06-01T01:01:00Z").start_job);
    CHECK(restore.status.phase == "Failed");
    CHECK(condition(restore.status, "Failed").reason == (job_is_gone ? "SpecChanged" : "ReportLost"));
  }
}

TEST_CASE("a restore into what is there already must name its backup") {
  Restore restore;
  restore.edit("existingData", "append");
  std::get<BackupSource>(restore.source).backup_id.clear();
  CHECK(!restore.look("2025-06-01T01:00:00Z").start_job);
  CHECK(condition(restore.status, "Failed").reason == "BackupIdRequired");
}

TEST_CASE("a token that cannot be followed leaves a complete restore complete") {
  Restore restore;
  restore.look("2025-06-01T01:00:00Z");
  restore.end(JobState::complete, WorkOutcome::restored);
  restore.look("2025-06-01T01:01:00Z");
  const auto source = restore.source;
  restore.source = NoSource{.reason = "BackupNotFound", .message = "there is none", .may_come = true};
  restore.view.annotations[std::string(run_now_annotation)] = "again";
  CHECK(reasons(restore.look("2025-06-01T01:02:00Z")) == "BackupNotFound");
  CHECK(reasons(restore.look("2025-06-01T01:03:00Z")).empty());
  CHECK(restore.status.phase == "Completed");
  restore.view.annotations.clear();
  restore.source = source;
  CHECK(!restore.look("2025-06-01T01:04:00Z").start_job);
  CHECK(!find_condition(restore.status.conditions, "RunNowRefused"));
}

}  // namespace
}  // namespace kb::op
