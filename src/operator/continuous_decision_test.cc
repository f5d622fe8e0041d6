// A continuous backup: there is always a run, unless it is suspended; what is done to the resource acts at
// once.
#include "operator/backup_decision.h"
#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using sample::at;
using sample::Backup;
using sample::condition;
using sample::reasons;

constexpr auto spec = R"(,"continuous":true)";

// Job and pod stay until the pod has stored what it has read.
Actions look_while_ending(Backup& backup, std::string_view time) {
  const auto jobs = backup.jobs;
  auto actions = backup.look(time);
  if (!actions.delete_jobs.empty()) {
    CHECK(actions.delete_pods_first);
    backup.jobs = jobs;
    backup.jobs.back().deleting = true;
  }
  return actions;
}

TEST_CASE("a continuous backup runs, and its restore points come while it does") {
  Backup backup(spec);
  CHECK(backup.look("2025-06-01T00:31:00Z").start_job);
  CHECK(backup.status.current_run->continuous);
  CHECK(backup.status.phase == "Running");
  auto input = backup.input("2025-06-01T00:33:00Z");
  input.progress =
      api::WorkProgress{.checkpoints = 3,
                        .restore_points = 7,
                        .restore_point_s = at("2025-06-01T00:31:02Z").time_since_epoch().count() / 1'000'000,
                        .captured_s = at("2025-06-01T00:32:02Z").time_since_epoch().count() / 1'000'000};
  auto decision = decide_backup(input);
  const auto& status = decision.status;
  CHECK(status.phase == "Running");
  CHECK(status.backup_id == "nightly-20250601-003102");
  CHECK(status.restore_points->count == 7);
  CHECK(status.restore_points->newest.front().backup_id == "nightly-20250601-003102");
  CHECK(status.restore_points->last == at("2025-06-01T00:32:02Z"));
  CHECK(condition(status, "Ready").status == "True");
  CHECK(condition(status, "Progressing").status == "True");
  CHECK(condition(status, "Complete").status == "absent");
  CHECK(decision.actions.requeue_after == progress_interval);
}

TEST_CASE("suspending stops a continuous backup, and it goes on when that is over") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  const auto first = backup.run();
  backup.edit(R"(,"continuous":true,"suspend":true)");
  CHECK(look_while_ending(backup, "2025-06-01T00:32:00Z").delete_jobs.size() == 1);
  CHECK(backup.run() == first);
  CHECK(reasons(look_while_ending(backup, "2025-06-01T00:32:05Z")).empty());  // its pod is still at work
  auto said = sample::report(api::WorkOutcome::stopped, "nightly-20250601-003155");
  said.points = api::ReportedPoints{
      .count = 2, .newest = {at("2025-06-01T00:31:55Z").time_since_epoch().count() / 1'000'000}};
  backup.pods.push_back(
      {.name = "p", .job = backup.jobs.back().name, .terminated = true, .exit_code = 130, .report = said});
  look_while_ending(backup, "2025-06-01T00:32:06Z");
  CHECK(backup.status.backup_id == "nightly-20250601-003155");
  backup.jobs.clear();
  backup.pods.clear();
  CHECK(reasons(backup.look("2025-06-01T00:32:07Z")).find("BackupStopped") != std::string::npos);
  CHECK(backup.run() == "none");
  CHECK(backup.status.phase == "Pending");
  CHECK(backup.status.message == "Suspended; the newest restore point is nightly-20250601-003155");
  CHECK_FALSE(backup.look("2025-06-01T00:40:00Z").start_job);
  backup.edit(spec);
  CHECK(backup.look("2025-06-01T00:41:00Z").start_job);
  CHECK(backup.run() > first);
}

TEST_CASE("an edit replaces the run, also of what a run that ends by itself would not notice") {
  for (auto* edit :
       {R"(,"continuous":true,"excludeTopics":["x"])", R"(,"continuous":true,"pollIntervalMs":5)",
        R"(,"continuous":true,"restorePointIntervalSecs":5)",
        R"(,"continuous":true,"retention":{"enabled":true,"keepLast":3})",
        R"(,"continuous":true,"podTemplate":{"env":[]})"}) {
    CAPTURE(std::string(edit));
    Backup backup(spec);
    backup.look("2025-06-01T00:31:00Z");
    const auto first = backup.run();
    backup.edit(edit);
    CHECK(backup.look("2025-06-01T00:32:00Z").delete_jobs.size() == 1);
    CHECK(backup.look("2025-06-01T00:32:01Z").start_job);  // its Job is gone
    CHECK(backup.run() > first);
  }
}

TEST_CASE("a mistake in an edit stops nothing, and neither does what only the operator goes by") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  backup.edit(R"(,"continuous":true,"ttlSecondsAfterFinished":5,"failedJobsHistoryLimit":1)");
  CHECK(backup.look("2025-06-01T00:32:00Z").delete_jobs.empty());
  backup.edit(R"(,"continuous":true,"compression":"brotli")");
  CHECK(backup.look("2025-06-01T00:33:00Z").delete_jobs.empty());
  CHECK(backup.status.phase == "Failed");
}

TEST_CASE("a continuous backup that becomes another kind of backup is stopped first") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  backup.edit("");
  CHECK(backup.look("2025-06-01T00:32:00Z").delete_jobs.size() == 1);
  CHECK(backup.look("2025-06-01T00:32:01Z").start_job);
  CHECK_FALSE(backup.status.current_run->continuous);
}

TEST_CASE("a continuous backup that failed says why and is begun again, after a while") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  backup.fail("topic orders: access denied");
  CHECK_FALSE(backup.look("2025-06-01T00:32:00Z").start_job);
  CHECK(backup.status.phase == "Failed");
  CHECK(backup.status.message == "Backup failed: topic orders: access denied; it is tried again in a minute");
  CHECK_FALSE(backup.look("2025-06-01T00:32:59Z").start_job);
  CHECK(backup.look("2025-06-01T00:33:00Z").start_job);
  backup.fail("again");
  backup.look("2025-06-01T00:34:00Z");
  backup.edit(R"(,"continuous":true,"excludeTopics":["x"])");
  CHECK(backup.look("2025-06-01T00:34:01Z").start_job);
}

TEST_CASE("a Job that somebody deleted is made again, and one without a status is gone on with") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  const auto first = backup.run();
  const auto job = backup.jobs.back();
  backup.jobs.clear();
  CHECK(backup.look("2025-06-01T00:32:00Z").start_job);
  CHECK(backup.run() == first);
  backup.view.status = nullptr;
  CHECK_FALSE(backup.look("2025-06-01T00:33:00Z").start_job);
  CHECK(backup.run() == first);
}

}  // namespace
}  // namespace kb::op
