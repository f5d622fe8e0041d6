#include "operator/backup_figures.h"

#include <array>
#include <chrono>

#include "api/cron_schedule.h"
#include "operator/lenient_reading.h"

namespace kb::op {
namespace {

using Resource = ResourceView;
using Spec = api::KafkaBackupSpec;
using Status = api::KafkaBackupStatus;
using Figure = std::optional<double>;

Figure unix_seconds(const std::optional<schema::Timestamp>& time) {
  if (!time) return std::nullopt;
  return std::chrono::duration<double>(time->time_since_epoch()).count();
}

template <class T>
Figure number(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}

double flag(bool value) {
  return value ? 1 : 0;
}

// Seconds between the next tick and the one after it.
Figure schedule_interval(const Resource& resource, const Spec& spec, const Status& status) {
  if (!spec.schedule) return std::nullopt;
  try {
    const auto schedule = api::CronSchedule::parse(*spec.schedule);
    const auto zone = api::load_time_zone(spec.time_zone.value_or(""));
    const auto from =
        std::chrono::floor<std::chrono::seconds>(status.next_scheduled_backup.value_or(resource.created));
    const auto first = schedule.next(from - std::chrono::seconds(1), zone);
    const auto second = first ? schedule.next(*first, zone) : std::nullopt;
    if (!second) return std::nullopt;
    return static_cast<double>((*second - *first).count());
  } catch (const Error&) {
    return std::nullopt;  // the status says what is wrong with it
  }
}

constexpr std::array<BackupFigure, 24> figures{{
    {"kafka_backup_operator_backup_size_bytes", "Bytes that the last successful run stored.", false,
     [](const Resource&, const Spec&, const Status& s) { return number(s.bytes_processed); }},
    {"kafka_backup_operator_backup_records_total", "Records that the last successful run stored.", false,
     [](const Resource&, const Spec&, const Status& s) { return number(s.records_processed); }},
    {"kafka_backup_backup_size_bytes", "The same as kafka_backup_operator_backup_size_bytes.", false,
     [](const Resource&, const Spec&, const Status& s) { return number(s.bytes_processed); }},
    {"kafka_backup_backup_records", "The same as kafka_backup_operator_backup_records_total.", false,
     [](const Resource&, const Spec&, const Status& s) { return number(s.records_processed); }},
    {"kafka_backup_created_timestamp_seconds", "When the KafkaBackup was created.", false,
     [](const Resource& r, const Spec&, const Status&) { return unix_seconds(r.created); }},
    {"kafka_backup_last_success_timestamp_seconds", "End of the last successful run.", false,
     [](const Resource&, const Spec&, const Status& s) { return unix_seconds(s.last_backup_time); }},
    {"kafka_backup_last_failure_timestamp_seconds", "End of the last run that failed.", false,
     [](const Resource&, const Spec&, const Status& s) { return unix_seconds(s.last_failure_time); }},
    {"kafka_backup_never_succeeded", "1 as long as no run has succeeded.", false,
     [](const Resource&, const Spec&, const Status& s) { return Figure(flag(!s.last_backup_time)); }},
    {"kafka_backup_schedule_interval_seconds", "Seconds between the next two ticks of the schedule.", false,
     schedule_interval},
    {"kafka_backup_next_expected_timestamp_seconds", "The next tick of the schedule.", false,
     [](const Resource&, const Spec&, const Status& s) { return unix_seconds(s.next_scheduled_backup); }},
    {"kafka_backup_suspended", "1 while spec.suspend is true.", false,
     [](const Resource&, const Spec& spec, const Status&) { return Figure(flag(spec.suspend)); }},
    {"kafka_backup_run_in_progress", "1 while a run is in progress.", false,
     [](const Resource&, const Spec&, const Status& s) { return Figure(flag(s.current_run.has_value())); }},
    {"kafka_backup_run_start_timestamp_seconds", "When the run in progress began.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.current_run ? unix_seconds(s.current_run->start_time) : std::nullopt;
     }},
    {"kafka_backup_run_progress_ratio", "How far the run in progress is, 0 to 1.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.progress && s.progress->percent ? Figure(*s.progress->percent / 100.0) : std::nullopt;
     }},
    {"kafka_backup_run_circuit_breakers_open",
     "Brokers and storages that the run in progress leaves alone for now.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.progress ? number(s.progress->circuit_breakers_open) : std::nullopt;
     }},
    {"kafka_backup_run_held_back_offsets",
     "Offsets behind open transactions, which the run in progress does not capture.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.progress ? number(s.progress->held_back_offsets) : std::nullopt;
     }},
    {"kafka_backup_run_hanging_transactions",
     "Partitions whose open transaction nobody seems to be going to end, as the run in progress sees it.",
     false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.progress ? number(s.progress->hanging_transactions) : std::nullopt;
     }},
    {"kafka_backup_lost_offsets",
     "Offsets that Kafka's retention deleted before the last run could read them.", false,
     [](const Resource&, const Spec&, const Status& s) { return number(s.lost_offsets); }},
    {"kafka_backup_restore_points", "Complete backups of the archive.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.restore_points ? number(s.restore_points->count) : std::nullopt;
     }},
    {"kafka_backup_archive_bytes", "Bytes of the archive's segments.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.restore_points ? number(s.restore_points->bytes) : std::nullopt;
     }},
    {"kafka_backup_recoverable_window_start_timestamp_seconds", "The oldest complete backup.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.restore_points ? unix_seconds(s.restore_points->first) : std::nullopt;
     }},
    {"kafka_backup_recoverable_window_end_timestamp_seconds", "The newest complete backup.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.restore_points ? unix_seconds(s.restore_points->last) : std::nullopt;
     }},
    {"kafka_backup_retention_error", "1 when retention failed after the last successful run.", false,
     [](const Resource&, const Spec&, const Status& s) {
       return s.last_retention_time ? Figure(flag(s.retention_error.has_value())) : std::nullopt;
     }},
    {"kafka_backup_skipped_ticks_total", "Ticks of the schedule that were skipped.", true,
     [](const Resource&, const Spec&, const Status& s) { return number(s.skipped_ticks); }},
}};

}  // namespace

std::span<const BackupFigure> backup_figures() {
  return figures;
}

std::vector<std::optional<double>> figures_of(const ResourceView& backup) {
  const auto spec = read_leniently<api::KafkaBackupSpec>(backup.spec);
  const auto status = read_leniently<api::KafkaBackupStatus>(backup.status);
  std::vector<std::optional<double>> values;
  for (const auto& figure : figures) values.push_back(figure.value(backup, spec, status));
  return values;
}

}  // namespace kb::op
