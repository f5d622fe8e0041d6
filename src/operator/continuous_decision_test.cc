// A continuous backup: there is always a run, unless it is suspended; what is done to the resource acts at
// once.
#include "operator/backup_decision.h"
#include "operator/labels.h"
#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using sample::at;
using sample::Backup;
using sample::condition;
using sample::reasons;

constexpr auto spec = R"(,"continuous":true)";

std::int64_t unix_seconds(std::string_view time) {
  return at(time).time_since_epoch().count() / 1'000'000;
}

api::WorkProgress progress_with(std::initializer_list<std::string_view> newest, std::uint64_t count) {
  api::WorkProgress progress{.partitions_total = 1, .checkpoints = 3};
  progress.points = api::ReportedPoints{.count = count, .bytes = 10};
  for (const auto& time : newest) progress.points->newest.push_back(unix_seconds(time));
  progress.points->oldest = progress.points->newest.back();
  return progress;
}

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
  input.progress = progress_with({"2025-06-01T00:31:02Z", "2025-05-31T23:00:00Z"}, 7);
  input.progress->points->captured = unix_seconds("2025-06-01T00:32:02Z");
  auto decision = decide_backup(input);
  const auto& status = decision.status;
  CHECK(status.phase == "Running");
  CHECK(status.backup_id == "nightly-20250601-003102");
  CHECK(status.restore_points->count == 7);
  CHECK(status.restore_points->newest.front().backup_id == "nightly-20250601-003102");
  CHECK(status.restore_points->last == at("2025-06-01T00:32:02Z"));
  CHECK(status.restore_points->newest.back().backup_id == "nightly-20250531-230000");
  CHECK(status.restore_points->first == at("2025-05-31T23:00:00Z"));
  CHECK(condition(status, "Ready").status == "True");
  CHECK(condition(status, "Progressing").status == "True");
  CHECK(condition(status, "Complete").status == "absent");
  CHECK(decision.actions.requeue_after == progress_interval);
}

TEST_CASE("what retention took is not offered any more, and what it could not do is said") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  backup.look("2025-06-01T00:33:00Z",
              progress_with({"2025-06-01T00:32:00Z", "2025-06-01T00:31:00Z", "2025-05-31T23:00:00Z"}, 3));
  auto progress = progress_with({"2025-06-01T00:32:00Z", "2025-06-01T00:31:00Z"}, 2);
  progress.retention = api::ReportedRetention{.inspected = 3, .eligible = 1, .error = "disk full"};
  progress.retention_s = unix_seconds("2025-06-01T00:33:30Z");
  progress.lost_offsets = 5;
  const auto told = reasons(backup.look("2025-06-01T00:34:00Z", progress));
  CHECK(backup.status.restore_points->count == 2);
  CHECK(backup.status.restore_points->newest.size() == 2);
  CHECK(backup.status.restore_points->first == at("2025-06-01T00:31:00Z"));
  CHECK(backup.status.retention_error == "disk full");
  CHECK(backup.status.last_retention_time == at("2025-06-01T00:33:30Z"));
  CHECK(backup.status.lost_offsets == 5);
  CHECK(told.find("RetentionFailed") != std::string::npos);
  CHECK(told.find("OffsetsLost") != std::string::npos);
  CHECK(reasons(backup.look("2025-06-01T00:34:05Z", progress)).empty());
}

TEST_CASE("the last words of a pod that another one came after change nothing") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  auto said = sample::report(api::WorkOutcome::stopped, "nightly-20250601-003155");
  said.points = api::ReportedPoints{.count = 1, .newest = {unix_seconds("2025-06-01T00:31:55Z")}};
  backup.pods.push_back(
      {.name = "p", .job = backup.jobs.back().name, .terminated = true, .exit_code = 130, .report = said});
  backup.look("2025-06-01T00:32:00Z");
  CHECK(backup.status.backup_id == "nightly-20250601-003155");
  backup.look("2025-06-01T00:40:00Z", progress_with({"2025-06-01T00:39:00Z", "2025-06-01T00:31:55Z"}, 2));
  backup.look("2025-06-01T00:40:05Z");
  CHECK(backup.status.backup_id == "nightly-20250601-003900");
  CHECK(backup.status.restore_points->count == 2);
}

TEST_CASE("a token begins it at once after a failure, as a continuous run that suspending stops") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  backup.fail("topic orders: access denied");
  CHECK_FALSE(backup.look("2025-06-01T00:31:10Z").start_job);
  backup.view.annotations[std::string(run_now_annotation)] = "again";
  CHECK(backup.look("2025-06-01T00:31:20Z").start_job);
  CHECK(backup.status.current_run->continuous);
  backup.edit(R"(,"continuous":true,"suspend":true)");
  CHECK(backup.look("2025-06-01T00:32:00Z").delete_jobs.size() == 1);
}

TEST_CASE("a run whose Job was never made is not made as one of the other kind") {
  Backup backup("");
  backup.look("2025-06-01T00:31:00Z");
  const auto first = backup.run();
  backup.jobs.clear();
  backup.edit(spec);
  CHECK(backup.look("2025-06-01T00:32:00Z").start_job);
  CHECK(backup.run() > first);
  CHECK(backup.status.current_run->continuous);
}

TEST_CASE("another digest without an edit, as a newer operator makes it, stops nothing") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  backup.status.current_run->spec_sha256 = "of-the-last-release";
  backup.view.status = schema::write(backup.status);
  CHECK(backup.look("2025-06-01T00:32:00Z").delete_jobs.empty());
  backup.edit(R"(,"continuous":true,"pollIntervalMs":5)");
  CHECK(backup.look("2025-06-01T00:33:00Z").delete_jobs.size() == 1);
}

TEST_CASE("a failure is over once the logs are followed, not before") {
  Backup backup(spec);
  backup.look("2025-06-01T00:31:00Z");
  backup.fail("no broker answers");
  backup.look("2025-06-01T00:31:10Z");
  CHECK(backup.look("2025-06-01T00:33:00Z").start_job);
  backup.look("2025-06-01T00:33:05Z", api::WorkProgress{});
  CHECK(condition(backup.status, "Ready").status == "False");
  backup.look("2025-06-01T00:33:10Z", api::WorkProgress{.partitions_total = 3});
  CHECK(condition(backup.status, "Ready").status != "False");
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
