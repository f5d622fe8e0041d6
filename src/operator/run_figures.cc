#include "operator/run_figures.h"

#include <fmt/format.h>

#include "base/quantities.h"

namespace kb::op {

void record_figures(api::KafkaBackupStatus& status, const api::WorkReport& report,
                    const std::string& backup_id, std::chrono::sys_seconds now, double seconds) {
  status.backup_id = backup_id;
  status.last_backup_time = now;
  status.records_processed = report.records;
  status.bytes_processed = report.bytes;
  status.segments_completed = report.segments;
  status.lost_offsets = report.lost_offsets;
  status.warnings = report.warnings;
  status.last_run_seconds = seconds;
  if (report.seconds <= 0) return;
  status.throughput_records_per_sec = static_cast<double>(report.records) / report.seconds;
  status.throughput_bytes_per_sec = static_cast<double>(report.bytes) / report.seconds;
}

void record_retention(api::KafkaBackupStatus& status, const api::ReportedRetention& retention,
                      std::chrono::sys_seconds now) {
  status.last_retention_time = now;
  status.retention_inspected_backups = retention.inspected;
  status.retention_eligible_backups = retention.eligible;
  status.retention_deleted_backups = retention.deleted;
  status.retention_reclaimed_bytes = retention.reclaimed_bytes;
  status.retention_dry_run = retention.dry_run;
  status.retention_error.reset();
  if (!retention.error.empty()) status.retention_error = retention.error;
}

std::string success_text(const api::KafkaBackupStatus& status) {
  return fmt::format("Backup {} completed: {} records, {}", status.backup_id.value_or(""),
                     format_count(status.records_processed.value_or(0)),
                     format_bytes(status.bytes_processed.value_or(0)));
}

std::string lost_text(std::uint64_t offsets, const std::string& backup_id) {
  return fmt::format("{} offsets were deleted by retention in Kafka before backup {} could read them",
                     offsets, backup_id);
}

}  // namespace kb::op
