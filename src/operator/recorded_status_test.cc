// What progress and reports of workers leave in a status, field by field.
#include "operator/backup_decision.h"
#include "operator/labels.h"
#include "operator/restore_decision.h"
#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

using sample::at;
using sample::Backup;

constexpr auto hourly = R"(,"schedule":"0 * * * *","workers":3)";

TEST_CASE("a run in progress stands in the status with what it was begun for") {
  Backup backup(hourly);
  backup.look("2025-06-01T01:00:01Z");
  const auto run = *backup.status.current_run;
  CHECK(run.backup_id == "nightly-20250601-010001");
  CHECK(run.trigger == api::RunTrigger::schedule);
  CHECK(run.tick == at("2025-06-01T01:00:00Z"));
  CHECK(run.spec_sha256.size() == 64);
  CHECK(run.job == backup.jobs.back().name);
  CHECK(run.shards == 3);
  CHECK(run.start_time == at("2025-06-01T01:00:01Z"));
  CHECK(!run.finishing);
  CHECK(!run.cancelled);
  CHECK(!run.continuous);
  backup.end_job(JobState::complete, {});
  backup.look("2025-06-01T01:05:00Z");
  CHECK(backup.status.current_run->finishing);
  backup.succeed();
  backup.look("2025-06-01T01:06:00Z");
  backup.view.annotations[std::string(run_now_annotation)] = "token";
  backup.look("2025-06-01T01:07:00Z");
  CHECK(backup.status.current_run->token == "token");
  CHECK(!backup.status.current_run->tick);
}

TEST_CASE("progress of a backup is what its workers say") {
  Backup backup(R"(,"checkpoint":{"enabled":false})");
  backup.look("2025-06-01T00:31:00Z");
  CHECK(backup.status.checkpoint_enabled == false);
  auto input = backup.input("2025-06-01T00:32:00Z");
  input.progress = api::WorkProgress{.partitions_done = 1,
                                     .partitions_total = 2,
                                     .records_done = 30,
                                     .records_total = 40,
                                     .bytes_done = 500,
                                     .checkpoints = 1,
                                     .seconds = 30,
                                     .checkpoint_s = 1748737900,
                                     .left_alone = {{"kafka-1:9092", "refused"}},
                                     .held_back_offsets = 312,
                                     .hanging_transactions = 1};
  const auto status = decide_backup(input).status;
  CHECK(status.progress->circuit_breakers_open == 1);
  CHECK(status.progress->held_back_offsets == 312);
  CHECK(status.progress->hanging_transactions == 1);
  CHECK(status.progress->partitions_done == 1);
  CHECK(status.progress->partitions_total == 2);
  CHECK(status.progress->records_done == 30);
  CHECK(status.progress->records_total == 40);
  CHECK(status.progress->bytes_done == 500);
  CHECK(status.progress->percent == 75);
  CHECK(status.progress->eta_seconds == 10);
  CHECK(status.last_checkpoint_time == at("2025-06-01T00:31:40Z"));
  CHECK(status.resumable == true);
}

TEST_CASE("the figures of a backup that succeeded are those of its report") {
  Backup backup;
  backup.look("2025-06-01T00:31:00Z");
  const auto run = *backup.status.current_run;
  auto said = sample::report(api::WorkOutcome::committed, run.backup_id);
  said.segments = 4;
  said.lost_offsets = 7;
  said.warnings = {"topic gone does not exist"};
  said.points =
      api::ReportedPoints{.count = 2, .bytes = 50, .newest = {1748737860, 1748650000}, .oldest = 1748650000};
  said.retention = api::ReportedRetention{
      .inspected = 5, .eligible = 3, .deleted = 2, .reclaimed_bytes = 99, .dry_run = true, .error = "denied"};
  backup.end_job(JobState::complete, said);
  backup.look("2025-06-01T00:35:00Z");
  const auto& status = backup.status;
  CHECK(status.last_backup_time == at("2025-06-01T00:35:00Z"));
  CHECK(status.records_processed == 1000);
  CHECK(status.bytes_processed == 2048);
  CHECK(status.segments_completed == 4);
  CHECK(status.throughput_records_per_sec == 500);
  CHECK(status.throughput_bytes_per_sec == 1024);
  CHECK(status.backup_id == run.backup_id);
  CHECK(status.last_run_id == run.backup_id);
  CHECK(status.last_run_spec_sha256 == run.spec_sha256);
  CHECK(status.last_run_seconds == 240);
  CHECK(status.lost_offsets == 7);
  CHECK(status.warnings == said.warnings);
  CHECK(status.resumable == false);
  CHECK(status.last_retention_time == at("2025-06-01T00:35:00Z"));
  CHECK(status.retention_inspected_backups == 5);
  CHECK(status.retention_eligible_backups == 3);
  CHECK(status.retention_deleted_backups == 2);
  CHECK(status.retention_reclaimed_bytes == 99);
  CHECK(status.retention_dry_run == true);
  CHECK(status.retention_error == "denied");
  const auto& points = *status.restore_points;
  CHECK(points.count == 2);
  CHECK(points.bytes == 50);
  CHECK(points.first == at("2025-05-31T00:06:40Z"));
  CHECK(points.last == at("2025-06-01T00:31:00Z"));
  REQUIRE(points.newest.size() == 2);
  CHECK(points.newest[0].backup_id == run.backup_id);
  CHECK(points.newest[0].time == at("2025-06-01T00:31:00Z"));
  CHECK(points.newest[0].records == 1000);
  CHECK(points.newest[0].bytes == 2048);
  CHECK(!points.newest[1].records);  // not known
}

TEST_CASE("a backup that failed says when and why, until one succeeds") {
  Backup backup;
  backup.look("2025-06-01T00:31:00Z");
  backup.fail("access denied");
  backup.look("2025-06-01T00:32:00Z");
  CHECK(backup.status.last_failure_time == at("2025-06-01T00:32:00Z"));
  CHECK(backup.status.failure_reason == "access denied");
  backup.edit(R"(,"excludeTopics":["x"])");
  backup.look("2025-06-01T00:33:00Z");
  backup.succeed();
  backup.look("2025-06-01T00:34:00Z");
  CHECK(!backup.status.failure_reason);
  CHECK(backup.status.last_failure_time == at("2025-06-01T00:32:00Z"));
}

TEST_CASE("the schedule that ticks are counted by, and since when") {
  Backup backup(hourly);
  backup.look("2025-06-01T00:31:00Z");
  CHECK(backup.status.observed_schedule == "0 * * * *");
  CHECK(backup.status.next_scheduled_backup == at("2025-06-01T01:00:00Z"));
  backup.edit(R"(,"schedule":"5 * * * *","timeZone":"Asia/Kolkata")");
  backup.look("2025-06-01T00:32:00Z");
  CHECK(backup.status.observed_schedule == "5 * * * * Asia/Kolkata");
  CHECK(backup.status.schedule_since == at("2025-06-01T00:32:00Z"));
  CHECK(backup.status.next_scheduled_backup == at("2025-06-01T00:35:00Z"));
}

TEST_CASE("failed and successful Jobs are kept as far as the spec says") {
  Backup backup(R"(,"successfulJobsHistoryLimit":0,"failedJobsHistoryLimit":1)");
  for (auto* token : {"a", "b"}) {
    backup.view.annotations[std::string(run_now_annotation)] = token;
    backup.look("2025-06-01T00:31:00Z");
    backup.fail("access denied");
    backup.look("2025-06-01T00:32:00Z");
  }
  backup.look("2025-06-01T00:33:00Z");
  CHECK(backup.jobs.size() == 1);  // failedJobsHistoryLimit
  backup.view.annotations[std::string(run_now_annotation)] = "c";
  backup.look("2025-06-01T00:34:00Z");
  backup.succeed();
  backup.look("2025-06-01T00:35:00Z");
  backup.look("2025-06-01T00:36:00Z");
  CHECK(backup.jobs.size() == 1);  // successfulJobsHistoryLimit: only the failed one
  CHECK(backup.jobs.front().state == JobState::failed);
}

// ---- restores
// ------------------------------------------------------------------------------------------------

struct Restore {
  ResourceView view = sample::resource(
      "KafkaRestore",
      R"({"kafkaCluster":{"bootstrapServers":["kafka:9092"]},"backupRef":{"name":"nightly"},"workers":2})");
  std::vector<JobView> jobs;
  std::vector<PodView> pods;
  std::optional<api::WorkProgress> progress;

  api::KafkaRestoreStatus look(std::string_view time) {
    auto reading = read_restore_spec(view);
    REQUIRE_MESSAGE(reading.spec, reading.problems);
    auto decision = decide_restore({.resource = view,
                                    .spec = std::move(reading.spec),
                                    .problems = {},
                                    .source = BackupSource{.backup_namespace = "kafka",
                                                           .backup_name = "nightly",
                                                           .storage = {},
                                                           .backup_id = "nightly-20250601-000000"},
                                    .start_error = {},
                                    .jobs = jobs,
                                    .pods = pods,
                                    .progress = progress,
                                    .now = at(time)});
    const auto& run = decision.status.current_run;
    if (decision.actions.start_job)
      jobs.push_back(
          {.name = run->finishing ? finish_job_name(*run) : run->job, .run = run, .created = at(time)});
    view.status = schema::write(decision.status);
    return decision.status;
  }
  void end(JobState state, std::optional<api::WorkReport> said) {
    jobs.back().state = state;
    pods.push_back({.name = "x",
                    .job = jobs.back().name,
                    .terminated = true,
                    .exit_code = state == JobState::failed ? 5 : 0,
                    .report = std::move(said)});
  }
};

TEST_CASE("a restore in progress stands in the status with its run and how far it is") {
  Restore restore;
  restore.view.annotations[std::string(run_now_annotation)] = "token";
  auto status = restore.look("2025-06-01T01:00:00Z");
  const auto run = *status.current_run;
  CHECK(run.backup_id == "nightly-20250601-000000");
  CHECK(run.trigger == api::RunTrigger::run_now);
  CHECK(run.token == "token");
  CHECK(run.job == restore.jobs.back().name);
  CHECK(run.shards == 2);
  CHECK(run.start_time == at("2025-06-01T01:00:00Z"));
  CHECK(status.job == run.job);
  CHECK(status.last_run_now == "token");
  CHECK(status.start_time == at("2025-06-01T01:00:00Z"));
  CHECK(!status.completion_time);
  restore.progress = api::WorkProgress{
      .topic = "orders", .records_done = 30, .records_total = 40, .bytes_done = 500, .seconds = 30};
  status = restore.look("2025-06-01T01:00:30Z");
  CHECK(status.current_topic == "orders");
  CHECK(status.records_restored == 30);
  CHECK(status.bytes_restored == 500);
  CHECK(status.progress_percent == 75);
  CHECK(status.throughput_records_per_sec == 1);
  CHECK(status.eta_ms == 10'000);
  restore.end(JobState::complete, {});
  CHECK(restore.look("2025-06-01T01:01:00Z").current_run->finishing);
}

TEST_CASE("the figures of a restore that succeeded are those of its report") {
  Restore restore;
  restore.view.spec.as_object().erase("workers");
  restore.progress = api::WorkProgress{.topic = "orders"};
  restore.look("2025-06-01T01:00:00Z");
  restore.look("2025-06-01T01:00:10Z");
  auto said = sample::report(api::WorkOutcome::restored, "nightly-20250601-000000");
  said.segments = 4;
  said.warnings = {"retention is held"};
  restore.end(JobState::complete, said);
  const auto status = restore.look("2025-06-01T01:10:00Z");
  CHECK(status.completion_time == at("2025-06-01T01:10:00Z"));
  CHECK(status.progress_percent == 100);
  CHECK(status.records_restored == 1000);
  CHECK(status.bytes_restored == 2048);
  CHECK(status.segments_processed == 4);
  CHECK(status.backup_id == "nightly-20250601-000000");
  CHECK(status.warnings == said.warnings);
  CHECK(!status.current_topic);
  CHECK(!status.eta_ms);
}

TEST_CASE("a restore that failed says why") {
  Restore restore;
  restore.look("2025-06-01T01:00:00Z");
  auto said = sample::report(api::WorkOutcome::failed);
  said.error = api::WorkError{.kind = "denied", .message = "access denied", .hint = ""};
  restore.end(JobState::failed, said);
  CHECK(restore.look("2025-06-01T01:10:00Z").failure_reason == "access denied");
}

}  // namespace
}  // namespace kb::op
