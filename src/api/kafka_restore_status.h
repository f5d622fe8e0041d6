// What is known about a KafkaRestore. Source: the CRD of kafka.oso.sh/v1alpha1; additive fields are marked.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/condition.h"
#include "api/run_status.h"
#include "schema/field.h"

namespace kb::api {

struct RollbackStatus {
  std::string snapshot_id;
  schema::Timestamp snapshot_time{};
  std::string snapshot_path;
  bool rollback_available = false;
  std::optional<schema::Timestamp> expires_at;

  void fields(auto& f) {
    f.required("snapshotId", snapshot_id, "Id of the snapshot.");
    f.required("snapshotTime", snapshot_time, "When it was taken.");
    f.required("snapshotPath", snapshot_path, "Where it is.");
    f.required("rollbackAvailable", rollback_available, "Whether it can be gone back to.");
    f("expiresAt", expires_at, "When it may be deleted.");
  }
};

struct KafkaRestoreStatus : CommonStatus {
  std::optional<schema::Timestamp> start_time;
  std::optional<schema::Timestamp> completion_time;
  std::optional<double> progress_percent;
  std::optional<std::uint64_t> records_restored;
  std::optional<std::uint64_t> bytes_restored;
  std::optional<std::uint64_t> segments_processed;
  std::optional<std::string> current_topic;
  std::optional<double> throughput_records_per_sec;
  std::optional<std::uint64_t> eta_ms;
  std::optional<RollbackStatus> rollback;
  std::optional<std::string> offset_mapping_path;
  std::optional<std::string> backup_id;
  std::optional<std::string> failure_reason;
  std::optional<std::string> job;
  std::optional<CurrentRun> current_run;
  std::optional<std::string> last_run_now;
  std::vector<std::string> warnings;

  void fields(auto& f) {
    CommonStatus::fields(f);
    f("startTime", start_time, "Start of the restore.");
    f("completionTime", completion_time, "Its end.");
    f("progressPercent", progress_percent, "How far it is.");
    f("recordsRestored", records_restored, "Records that were written.");
    f("bytesRestored", bytes_restored, "Bytes of record batches that were written.");
    f("segmentsProcessed", segments_processed, "Segments that were read to their end.");
    f("currentTopic", current_topic, "A topic that is being written.");
    f("throughputRecordsPerSec", throughput_records_per_sec, "Records per second.");
    f("etaMs", eta_ms, "Milliseconds until it is done, at this speed.");
    f("rollback", rollback, "The committed offsets before the restore.");
    f("offsetMappingPath", offset_mapping_path, "Where the translation of offsets is.");
    f("backupId", backup_id, "The backup that is restored: chosen once. Additive.");
    f("failureReason", failure_reason, "Why it failed. Additive.");
    f("job", job, "The Job that does the work. Additive.");
    f("currentRun", current_run, "The run in progress. Additive.");
    f("lastRunNow", last_run_now,
      "The last token of the annotation kafka.oso.sh/run-now acted on. Additive.");
    f("warnings", warnings, "What somebody should look at. Additive.");
  }
};

}  // namespace kb::api
