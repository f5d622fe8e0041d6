#include "operator/backup_decision.h"

#include <boost/json/serialize.hpp>

#include "operator/labels.h"
#include "operator/sample_views.h"
#include "operator/status_patch.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using sample::at;
using sample::Backup;
using sample::condition;
using sample::reasons;

constexpr auto hourly = R"(,"schedule":"0 * * * *")";

TEST_CASE("a one-shot backup runs once, and its status tells how it went") {
  Backup backup;
  auto actions = backup.look("2025-06-01T00:31:00Z");
  CHECK(actions.start_job);
  CHECK(reasons(actions) == "BackupStarted");
  CHECK(backup.status.phase == "Running");
  CHECK(condition(backup.status, "Progressing").status == "True");
  CHECK(condition(backup.status, "Ready").status == "Unknown");
  backup.succeed();
  actions = backup.look("2025-06-01T00:35:00Z");
  CHECK(reasons(actions) == "BackupCompleted");
  CHECK(actions.finished->seconds == 240);
  CHECK(actions.record_jobs.size() == 1);
  CHECK(backup.status.phase == "Completed");
  CHECK(backup.status.backup_id == "nightly-20250601-003100");
  CHECK(condition(backup.status, "Complete").status == "True");
  CHECK(condition(backup.status, "Failed").status == "False");
  CHECK(condition(backup.status, "Ready").reason == "BackupSucceeded");
  const auto before = backup.view.status;
  actions = backup.look("2025-06-02T00:35:00Z");
  CHECK(!actions.start_job);
  CHECK(!merge_patch_between(before, backup.view.status));
}

TEST_CASE("a run that failed says why, is not tried again by itself, and is by an edit") {
  Backup backup;
  backup.look("2025-06-01T00:31:00Z");
  backup.fail("topic orders: access denied");
  auto actions = backup.look("2025-06-01T00:32:00Z");
  CHECK(reasons(actions) == "BackupFailed");
  CHECK(!actions.finished->succeeded);
  CHECK(backup.status.phase == "Failed");
  CHECK(backup.status.message == "Backup failed: topic orders: access denied");
  CHECK(condition(backup.status, "Failed").status == "True");
  CHECK(condition(backup.status, "Complete").status == "False");
  CHECK(!backup.look("2025-06-01T00:33:00Z").start_job);
  backup.edit(R"(,"suspend":false,"backoffLimit":5)");  // not what a run stores
  CHECK(!backup.look("2025-06-01T00:34:00Z").start_job);
  backup.edit(R"(,"excludeTopics":["x"])");
  CHECK(backup.look("2025-06-01T00:35:00Z").start_job);
}

TEST_CASE("what a run stores decides its digest, and nothing else does") {
  auto digest = [](std::string_view more) {
    const Backup backup(more);
    const auto input = backup.input("2025-06-01T00:31:00Z");
    REQUIRE_MESSAGE(input.spec, input.problems);
    return run_digest(*input.spec);
  };
  for (auto* more : {R"(,"schedule":"@daily")", R"(,"schedule":"@daily","timeZone":"Europe/Berlin")",
                     R"(,"backoffLimit":5)", R"(,"activeDeadlineSeconds":5)", R"(,"podTemplate":{"env":[]})",
                     R"(,"retention":{"enabled":false,"keepLast":3})", R"(,"workers":4,"suspend":true)",
                     R"(,"startingDeadlineSeconds":5,"rateLimiting":{"recordsPerSec":5})"}) {
    CAPTURE(std::string(more));
    CHECK(digest(more) == digest(""));
  }
  CHECK(digest(R"(,"excludeTopics":["x"])") != digest(""));
  CHECK(digest(R"(,"compression":"lz4")") != digest(""));
}

TEST_CASE("an edit during a run is acted on after it, and an edit back is an edit") {
  Backup backup;
  backup.look("2025-06-01T00:31:00Z");
  backup.edit(R"(,"excludeTopics":["x"])");
  backup.look("2025-06-01T00:32:00Z");
  CHECK(backup.run() == "nightly-20250601-003100");
  CHECK(backup.status.observed_generation == 1);
  backup.succeed();
  backup.look("2025-06-01T00:33:00Z");
  CHECK(backup.run() == "nightly-20250601-003300");
  backup.succeed();
  backup.look("2025-06-01T00:34:00Z");
  CHECK(backup.status.observed_generation == 2);
  backup.edit("");  // its first Job is still there
  backup.look("2025-06-01T00:35:00Z");
  CHECK(backup.run() == "nightly-20250601-003500");
}

TEST_CASE("suspend is looked at first, and leaves a run alone") {
  Backup backup(R"(,"suspend":true)");
  backup.view.annotations[std::string(run_now_annotation)] = "a";
  auto actions = backup.look("2025-06-01T00:31:00Z");
  CHECK(!actions.start_job);
  CHECK(reasons(actions) == "Suspended");
  CHECK(reasons(backup.look("2025-06-01T00:31:10Z")).empty());
  CHECK(backup.status.phase == "Pending");
  CHECK(condition(backup.status, "Suspended").status == "True");
  backup.edit("");
  CHECK(reasons(backup.look("2025-06-01T00:32:00Z")) == "BackupStarted Resumed");
  CHECK(condition(backup.status, "Suspended").status == "absent");
  backup.edit(R"(,"suspend":true)");
  actions = backup.look("2025-06-01T00:33:00Z");
  CHECK(actions.delete_jobs.empty());
  CHECK(backup.status.phase == "Running");
}

TEST_CASE("a token runs once, after a run in progress, also when the status forgot it") {
  Backup backup(hourly);
  backup.look("2025-06-01T01:00:01Z");
  backup.view.annotations[std::string(run_now_annotation)] = "a";
  backup.look("2025-06-01T01:00:02Z");
  CHECK(backup.run() == "nightly-20250601-010001");
  backup.succeed();
  backup.look("2025-06-01T01:10:00Z");
  CHECK(backup.status.current_run->trigger == api::RunTrigger::run_now);
  CHECK(backup.status.last_run_now == "a");
  backup.succeed();
  backup.look("2025-06-01T01:20:00Z");
  CHECK(backup.run() == "none");
  backup.view.status.as_object().erase("lastRunNow");
  backup.look("2025-06-01T01:21:00Z");
  CHECK(backup.run() == "none");
  CHECK(backup.status.backup_id == "nightly-20250601-011000");
}

TEST_CASE("a token that was there before runs nothing as long as its Job is known") {
  Backup backup(hourly);
  for (auto* token : {"a", "b"}) {
    backup.view.annotations[std::string(run_now_annotation)] = token;
    CHECK(backup.look("2025-06-01T00:40:00Z").start_job);
    backup.succeed();
    backup.look("2025-06-01T00:41:00Z");
  }
  const auto newest = backup.status.backup_id;
  backup.view.annotations[std::string(run_now_annotation)] = "a";
  backup.look("2025-06-01T00:42:00Z");
  CHECK(backup.run() == "none");
  CHECK(backup.status.backup_id == newest);
}

TEST_CASE("missed ticks are one run, and the others are counted") {
  Backup backup(hourly);
  auto actions = backup.look("2025-06-01T04:10:00Z");
  CHECK(reasons(actions) == "TickSkipped BackupStarted");
  CHECK(backup.status.skipped_ticks == 3);
  CHECK(backup.status.last_schedule_time == at("2025-06-01T04:00:00Z"));
  CHECK(backup.status.current_run->tick == at("2025-06-01T04:00:00Z"));
  CHECK(backup.status.next_scheduled_backup == at("2025-06-01T05:00:00Z"));
}

TEST_CASE("a tick beyond its deadline is skipped and says so") {
  Backup backup(R"(,"schedule":"0 * * * *","startingDeadlineSeconds":60)");
  CHECK(!backup.look("2025-06-01T01:01:01Z").start_job);
  CHECK(backup.status.skipped_ticks == 1);
  CHECK(backup.status.last_skip_reason == "it was 61 s late, more than startingDeadlineSeconds");
  CHECK(backup.look("2025-06-01T02:01:00Z").start_job);
}

TEST_CASE("Forbid skips the ticks of a run in progress") {
  Backup backup(hourly);
  backup.look("2025-06-01T01:00:00Z");
  backup.look("2025-06-01T02:00:03Z");
  CHECK(backup.run() == "nightly-20250601-010000");
  CHECK(backup.status.skipped_ticks == 1);
  CHECK(backup.status.last_skipped_tick == at("2025-06-01T02:00:00Z"));
}

TEST_CASE("Replace stops the run, deletes its Job though it cannot be seen yet, and begins the next") {
  Backup backup(R"(,"schedule":"0 * * * *","concurrencyPolicy":"Replace","startingDeadlineSeconds":10)");
  backup.look("2025-06-01T01:00:00Z");
  const auto first = *backup.status.current_run;
  backup.look("2025-06-01T02:00:01Z");
  CHECK(backup.status.current_run->cancelled);
  SUBCASE("seen") {
    CHECK(backup.look("2025-06-01T02:00:02Z").delete_jobs == std::vector{first.job});
  }
  SUBCASE("unseen") {}
  backup.jobs.clear();
  auto actions = backup.look("2025-06-01T02:01:10Z");  // it took its time to stop
  CHECK(reasons(actions) == "BackupReplaced BackupStarted");
  CHECK(actions.delete_jobs == std::vector{first.job});
  CHECK(backup.status.current_run->tick == at("2025-06-01T02:00:00Z"));
  CHECK(!backup.status.skipped_ticks);
}

TEST_CASE("an edited schedule counts from the edit on, also one that was gone in between") {
  Backup backup(hourly);
  backup.look("2025-06-01T01:00:00Z");
  backup.succeed();
  backup.look("2025-06-01T01:05:00Z");
  SUBCASE("edited") {
    backup.edit(R"(,"schedule":"*/5 * * * *")");
  }
  SUBCASE("gone and back") {
    backup.edit("");
    backup.look("2025-06-01T01:06:00Z");
    backup.edit(hourly);
  }
  SUBCASE("another time zone") {
    backup.edit(R"(,"schedule":"0 * * * *","timeZone":"Asia/Kolkata")");
  }
  CHECK(!backup.look("2025-06-01T09:58:00Z").start_job);
  CHECK(!backup.status.skipped_ticks);
  CHECK(backup.look("2025-06-01T10:30:00Z").start_job);
}

TEST_CASE("a last tick of a clock that was days ahead is not believed, and nothing runs again") {
  Backup backup(hourly);
  backup.look("2025-06-01T01:00:00Z");
  backup.succeed();
  backup.look("2025-06-01T01:05:00Z");
  for (auto* name : {"lastScheduleTime", "scheduleSince"}) {
    CAPTURE(name);
    backup.view.status.as_object()[name] = "2035-01-01T00:00:00Z";
    CHECK(!backup.look("2025-06-01T01:06:00Z").start_job);
    CHECK(!backup.status.skipped_ticks);
    CHECK(backup.status.next_scheduled_backup == at("2025-06-01T02:00:00Z"));
  }
  CHECK(backup.look("2025-06-01T02:00:00Z").start_job);
}

TEST_CASE("a clock that goes back runs nothing twice; ids grow and durations are not negative") {
  Backup backup(hourly);
  backup.look("2025-06-01T05:00:00Z");
  backup.succeed();
  const auto actions = backup.look("2025-06-01T03:00:00Z");
  CHECK(actions.finished->seconds == 0);
  CHECK(backup.run() == "none");
  backup.view.annotations[std::string(run_now_annotation)] = "a";
  backup.look("2025-06-01T03:10:00Z");
  CHECK(backup.run() == "nightly-20250601-050001");
}

TEST_CASE("what was lost on the way is begun again under the same id") {
  Backup backup(R"(,"workers":3)");
  backup.look("2025-06-01T00:31:00Z");
  const auto id = backup.run();
  backup.jobs.clear();  // deleted, or never made
  CHECK(backup.look("2025-06-01T00:32:00Z").start_job);
  CHECK(backup.run() == id);
  backup.end_job(JobState::complete, {});
  CHECK(backup.look("2025-06-01T00:33:00Z").start_job);  // the shards are done
  CHECK(backup.jobs.back().name.ends_with("-f"));
  backup.end_job(JobState::complete, {});  // its report is lost
  CHECK(backup.look("2025-06-01T00:34:00Z").delete_jobs.size() == 1);
  CHECK(backup.look("2025-06-01T00:35:00Z").start_job);
  CHECK(backup.status.phase == "Running");
  backup.pods.clear();
  backup.succeed();
  backup.look("2025-06-01T00:36:00Z");
  CHECK(backup.status.backup_id == id);
}

TEST_CASE("a Job whose status was lost goes on, for the tick and token it was begun for") {
  Backup backup(R"(,"schedule":"0 * * * *","concurrencyPolicy":"Replace")");
  backup.look("2025-06-01T01:00:00Z");
  const auto run = *backup.status.current_run;
  backup.view.status = nullptr;
  backup.look("2025-06-01T01:10:00Z");
  CHECK(backup.status.current_run == run);
  CHECK(backup.status.last_schedule_time == run.tick);
}

TEST_CASE("an older Job that was never recorded does not come back") {
  Backup backup(hourly);
  backup.look("2025-06-01T01:00:00Z");
  backup.succeed();
  backup.look("2025-06-01T01:10:00Z");
  backup.look("2025-06-01T02:00:00Z");
  backup.succeed();
  backup.jobs.front().recorded = false;
  backup.look("2025-06-01T02:10:00Z");
  backup.jobs.front().recorded = false;
  backup.look("2025-06-01T02:11:00Z");
  CHECK(backup.run() == "none");
  CHECK(backup.status.backup_id == "nightly-20250601-020000");
}

TEST_CASE("a Job that was made by who led no longer is deleted") {
  Backup backup(hourly);
  backup.look("2025-06-01T01:00:00Z");
  auto stray = backup.jobs.front();
  backup.succeed();
  backup.look("2025-06-01T01:10:00Z");
  backup.jobs = {stray};
  CHECK(backup.look("2025-06-01T01:11:00Z").delete_jobs == std::vector{stray.name});
  CHECK(backup.run() == "none");
}

TEST_CASE("an invalid spec is told with its fields, and keeps Jobs and the run in progress") {
  Backup backup(hourly);
  backup.look("2025-06-01T01:00:00Z");
  backup.view.spec = boost::json::parse(R"({"topics":[],"metrics":{"port":70000}})");
  ++backup.view.generation;
  const auto actions = backup.look("2025-06-01T01:01:00Z");
  CHECK(actions.delete_jobs.empty());
  CHECK(reasons(actions) == "ValidationFailed");
  CHECK(reasons(backup.look("2025-06-01T01:01:05Z")).empty());
  CHECK(backup.status.phase == "Failed");
  CHECK(backup.status.message->find("spec.kafkaCluster") != std::string::npos);
  CHECK(condition(backup.status, "Ready").reason == "ValidationFailed");
  CHECK(backup.run() == "nightly-20250601-010000");
}

TEST_CASE("restore points are the archive's newest, with the recoverable window") {
  Backup backup;
  backup.look("2025-06-01T00:31:00Z");
  auto said = sample::report(api::WorkOutcome::committed);
  said.points =
      api::ReportedPoints{.count = 2, .bytes = 50, .newest = {1748737860, 1748650000}, .oldest = 1748650000};
  said.retention = api::ReportedRetention{.error = "access denied"};
  said.lost_offsets = 7;
  backup.end_job(JobState::complete, said);
  const auto actions = backup.look("2025-06-01T00:35:00Z");
  CHECK(reasons(actions) == "RetentionFailed BackupCompleted OffsetsLost");
  CHECK(backup.status.restore_points->newest.at(0).backup_id == "nightly-20250601-003100");
  CHECK(backup.status.restore_points->newest.at(0).records == said.records);
  CHECK(!backup.status.restore_points->newest.at(1).records);  // nobody knows any more
  CHECK(backup.status.restore_points->last == at("2025-06-01T00:31:00Z"));
  CHECK(backup.status.restore_points->first == at("2025-05-31T00:06:40Z"));
  CHECK(backup.status.retention_error == "access denied");
  CHECK(backup.status.phase == "Completed");
}

TEST_CASE("progress is shown while a run lasts") {
  Backup backup;
  backup.look("2025-06-01T00:31:00Z");
  auto input = backup.input("2025-06-01T00:32:00Z");
  input.progress = api::WorkProgress{
      .records_done = 25, .records_total = 100, .checkpoints = 1, .seconds = 10, .checkpoint_s = 5};
  auto decision = decide_backup(input);
  CHECK(decision.status.progress->percent == 25);
  CHECK(decision.status.progress->eta_seconds == 30);
  CHECK(decision.status.resumable == true);
  const auto before = decision.status.message.value();
  CHECK(decision.actions.requeue_after == progress_interval);
  input.progress->left_alone = {{"kafka-1:9092", "refused"}};
  decision = decide_backup(input);
  CHECK(decision.status.message == before + "; kafka-1:9092 is left alone for now: refused");
  CHECK(decision.status.progress->circuit_breakers_open == 1);
  CHECK(decision.actions.events.empty());
  backup.succeed();
  backup.look("2025-06-01T00:33:00Z");
  CHECK(!backup.status.progress);
}

TEST_CASE("statuses of another operator are taken over") {
  struct Case {
    const char* name;
    bool scheduled;
    const char *phase, *ready, *reason;
    bool runs;
    const char* becomes;
  };
  for (const auto& c :
       {Case{"complete", false, "Completed", "True", "BackupSucceeded", false, "Completed"},
        Case{"failed", false, "Failed", "False", "BackupFailed", false, "Failed"},
        Case{"found invalid, and is not", false, "Failed", "False", "ValidationFailed", true, "Running"},
        Case{"died", false, "Running", "True", "ScheduleActive", true, "Running"},
        Case{"not begun", false, "Ready", "True", "ScheduleActive", true, "Running"},
        Case{"scheduled, complete", true, "Completed", "True", "BackupSucceeded", false, "Completed"},
        Case{"scheduled, failed", true, "Failed", "False", "BackupFailed", false, "Failed"},
        Case{"scheduled, died", true, "Running", "True", "ScheduleActive", false, "Completed"}}) {
    CAPTURE(c.name);
    Backup backup(c.scheduled ? hourly : "");
    backup.view.status = boost::json::parse(R"({"message":"as it was","observedGeneration":1,
      "backupId":"nightly-20250501-000000","lastScheduleTime":"2025-06-01T01:00:03.123456789Z",
      "lastBackupTime":"2025-06-01T01:02:03.123456789+00:00",
      "conditions":[{"type":"Ready","message":"disk full",
                     "lastTransitionTime":"2025-06-01T01:02:03.123456789+00:00"}]})");
    auto& left = backup.view.status.as_object();
    left["phase"] = c.phase;
    auto& ready = left["conditions"].as_array()[0].as_object();
    ready["status"] = c.ready;
    ready["reason"] = c.reason;
    backup.look("2025-06-01T01:30:00Z");
    INFO(boost::json::serialize(backup.view.status));
    CHECK(backup.status.current_run.has_value() == c.runs);
    CHECK(backup.status.phase == c.becomes);
    if (c.becomes == std::string("Failed")) CHECK(backup.status.failure_reason == "disk full");
    if (condition(backup.status, "Ready").status == c.ready)
      CHECK(condition(backup.status, "Ready").last_transition_time == at("2025-06-01T01:02:03.123456Z"));
    const auto before = backup.view.status;
    backup.look("2025-06-01T01:30:10Z");
    CHECK(!merge_patch_between(before, backup.view.status));
  }
}

TEST_CASE("a status of wrong types does not stop anything") {
  Backup backup;
  for (auto* text : {R"([])", R"("x")", R"({"phase":5,"conditions":{"a":1},"currentRun":"x"})",
                     R"({"conditions":[5,{"type":7}],"lastRunId":{},"skippedTicks":-1})"}) {
    CAPTURE(text);
    backup.view.status = boost::json::parse(text);
    backup.jobs.clear();
    CHECK(backup.look("2025-06-01T00:31:00Z").start_job);
    CHECK(backup.status.phase == "Running");
  }
}

TEST_CASE("the next look is in time for the next tick, and never far away") {
  Backup backup(R"(,"schedule":"0 0 1 1 *")");
  CHECK(backup.look("2025-06-01T00:31:00Z").requeue_after == reconcile_interval_max);
  CHECK(backup.look("2025-12-31T23:59:00Z").requeue_after == std::chrono::seconds(60));
  backup.edit(R"(,"schedule":"0 0 1 1 *","suspend":true)");
  CHECK(!backup.look("2026-01-01T00:00:00Z").requeue_after);
}

TEST_CASE("a Job that cannot be made is told, and fails the run when it never can be") {
  Backup backup;
  backup.look("2025-06-01T00:31:00Z");
  backup.jobs.clear();
  auto input = backup.input("2025-06-01T00:32:00Z");
  input.start_error = "exceeded quota";
  auto decision = decide_backup(input);
  CHECK(decision.status.phase == "Running");
  CHECK(decision.actions.start_job);
  CHECK(decision.status.message == "Backup in progress: its Job cannot be made: exceeded quota");
  CHECK(reasons(decision.actions) == "JobNotMade");
  input.job_is_refused = true;
  CHECK(decide_backup(input).status.phase == "Running");
  input.now = at("2025-06-01T00:37:00Z");
  decision = decide_backup(input);
  CHECK(decision.status.phase == "Failed");
  CHECK(!decision.actions.start_job);
}

TEST_CASE("a Job that gets no pod is told") {
  Backup backup;
  backup.look("2025-06-01T00:31:00Z");
  backup.look("2025-06-01T00:31:10Z");
  CHECK(backup.status.message == "Backup in progress");
  backup.look("2025-06-01T00:32:00Z");
  CHECK(backup.status.message == "Backup in progress: no pod has been made; the events of its Job say why");
}

TEST_CASE("what cannot be read has no next tick") {
  Backup backup(hourly);
  backup.look("2025-06-01T00:31:00Z");
  CHECK(backup.status.next_scheduled_backup);
  backup.edit(R"(,"schedule":"nonsense")");
  CHECK(!backup.look("2025-06-01T00:32:00Z").requeue_after);
  CHECK(!backup.status.next_scheduled_backup);
}

}  // namespace
}  // namespace kb::op
