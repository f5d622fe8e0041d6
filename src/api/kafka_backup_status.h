// What is known about a KafkaBackup. Source: the CRD of kafka.oso.sh/v1alpha1; additive fields are marked.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/condition.h"
#include "api/run_status.h"
#include "schema/field.h"

namespace kb::api {

// A committed set.
struct RestorePoint {
  std::string backup_id;
  std::optional<schema::Timestamp> time;
  std::optional<std::uint64_t> records;
  std::optional<std::uint64_t> bytes;

  void fields(auto& f) {
    f.required("backupId", backup_id, "Id of the backup.");
    f("time", time, "What the topics held at this time.");
    f("records", records, "Records that the run added.");
    f("bytes", bytes, "Bytes that the run stored.");
  }
};

struct RestorePoints {
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> bytes;
  std::optional<schema::Timestamp> first;
  std::optional<schema::Timestamp> last;
  std::vector<RestorePoint> newest;

  void fields(auto& f) {
    f("count", count, "How many there are.");
    f("bytes", bytes, "Bytes of the archive.");
    f("first", first, "The oldest: start of the recoverable window.");
    f("last", last, "The newest: end of the recoverable window.");
    f("newest", newest, "The newest 30, newest first.");
  }
};

struct KafkaBackupStatus : CommonStatus {
  std::optional<schema::Timestamp> last_backup_time;
  std::optional<schema::Timestamp> last_schedule_time;
  std::optional<schema::Timestamp> next_scheduled_backup;
  std::optional<std::uint64_t> records_processed;
  std::optional<std::uint64_t> bytes_processed;
  std::optional<std::uint64_t> segments_completed;
  std::optional<bool> checkpoint_enabled;
  std::optional<schema::Timestamp> last_checkpoint_time;
  std::optional<bool> resumable;
  std::optional<double> throughput_records_per_sec;
  std::optional<double> throughput_bytes_per_sec;
  std::optional<std::string> backup_id;
  std::optional<schema::Timestamp> last_retention_time;
  std::optional<std::uint64_t> retention_inspected_backups;
  std::optional<std::uint64_t> retention_eligible_backups;
  std::optional<std::uint64_t> retention_deleted_backups;
  std::optional<std::uint64_t> retention_reclaimed_bytes;
  std::optional<bool> retention_dry_run;
  std::optional<std::string> retention_error;
  std::optional<schema::Timestamp> last_failure_time;
  std::optional<std::string> failure_reason;
  std::optional<std::string> last_run_now;
  std::optional<CurrentRun> current_run;
  std::optional<RunProgress> progress;
  std::optional<std::string> last_run_id;
  std::optional<std::string> last_run_spec_sha256;
  std::optional<double> last_run_seconds;
  std::optional<std::uint64_t> lost_offsets;
  std::vector<std::string> warnings;
  std::optional<std::string> observed_schedule;
  std::optional<schema::Timestamp> schedule_since;
  std::optional<std::uint64_t> skipped_ticks;
  std::optional<schema::Timestamp> last_skipped_tick;
  std::optional<std::string> last_skip_reason;
  std::optional<RestorePoints> restore_points;

  void fields(auto& f) {
    CommonStatus::fields(f);
    run_fields(f);
    retention_fields(f);
    additive_fields(f);
  }

 private:
  void run_fields(auto& f) {
    f("lastBackupTime", last_backup_time, "End of the last successful run.");
    f("lastScheduleTime", last_schedule_time, "The last tick of the schedule that was acted on.");
    f("nextScheduledBackup", next_scheduled_backup, "The next tick of the schedule.");
    f("recordsProcessed", records_processed, "Records that the last successful run stored.");
    f("bytesProcessed", bytes_processed, "Bytes that it stored.");
    f("segmentsCompleted", segments_completed, "Segments that it stored.");
    f("checkpointEnabled", checkpoint_enabled, "Whether runs write checkpoints.");
    f("lastCheckpointTime", last_checkpoint_time, "The last checkpoint of the run in progress.");
    f("resumable", resumable, "Whether an interrupted run can go on where it was.");
    f("throughputRecordsPerSec", throughput_records_per_sec, "Records per second of the last run.");
    f("throughputBytesPerSec", throughput_bytes_per_sec, "Bytes per second of the last run.");
    f("backupId", backup_id, "Id of the last successful run.");
  }
  void retention_fields(auto& f) {
    f("lastRetentionTime", last_retention_time, "When retention last ran.");
    f("retentionInspectedBackups", retention_inspected_backups, "Backups that it looked at.");
    f("retentionEligibleBackups", retention_eligible_backups, "Backups that may go.");
    f("retentionDeletedBackups", retention_deleted_backups, "Backups that it deleted.");
    f("retentionReclaimedBytes", retention_reclaimed_bytes, "Bytes it freed; in a dry run, would free.");
    f("retentionDryRun", retention_dry_run, "Whether it only counted.");
    f("retentionError", retention_error, "Why it failed.");
  }
  void additive_fields(auto& f) {
    f("lastFailureTime", last_failure_time, "When a run last failed. Additive.");
    f("failureReason", failure_reason, "Why. Additive.");
    f("lastRunNow", last_run_now,
      "The last token of the annotation kafka.oso.sh/run-now acted on. Additive.");
    f("currentRun", current_run, "The run in progress. Additive.");
    f("progress", progress, "How far it is. Additive.");
    f("lastRunId", last_run_id, "Id of the last run that ended, well or not. Additive.");
    f("lastRunSpecSha256", last_run_spec_sha256,
      "Digest of the part of the spec that the last run was made of. Additive.");
    f("lastRunSeconds", last_run_seconds, "How long the last successful run took. Additive.");
    f("lostOffsets", lost_offsets,
      "Offsets that retention in Kafka deleted before the last run could read them. Additive.");
    f("warnings", warnings, "What somebody should look at in the last run. Additive.");
    schedule_fields(f);
    f("restorePoints", restore_points, "What can be restored. Additive.");
  }
  void schedule_fields(auto& f) {
    f("observedSchedule", observed_schedule, "The schedule that ticks are counted by. Additive.");
    f("scheduleSince", schedule_since, "When it was first seen: earlier ticks do not count. Additive.");
    f("skippedTicks", skipped_ticks, "Ticks of the schedule that were skipped. Additive.");
    f("lastSkippedTick", last_skipped_tick, "The last one. Additive.");
    f("lastSkipReason", last_skip_reason, "Why. Additive.");
  }
};

}  // namespace kb::api
