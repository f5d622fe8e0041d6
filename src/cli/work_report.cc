#include "cli/work_report.h"

#include <algorithm>

#include "archive/layout.h"
#include "base/backup_id.h"
#include "engine/held_back.h"

namespace kb::cli {
namespace {

constexpr std::size_t history_warnings_max = 10;

void add_missing(api::WorkReport& out, const archive::Capture& capture) {
  if (capture.groups.captured && !capture.groups.not_captured.empty())
    out.warnings.push_back("some consumer groups may be missing: " + capture.groups.not_captured);
  for (const auto& group : capture.groups.groups)
    if (!group.not_captured.empty())
      out.warnings.push_back("offsets of consumer group " + group.group_id +
                             " were not captured: " + group.not_captured);
  for (const auto& topic : capture.topics)
    if (!topic.configs_not_captured.empty())
      out.warnings.push_back("configuration of topic " + topic.name +
                             " was not captured: " + topic.configs_not_captured);
  for (auto& warning : engine::hanging_warnings(capture)) out.warnings.push_back(std::move(warning));
}

}  // namespace

api::ReportedRetention reported(const engine::RetentionReport& retention) {
  return {.inspected = retention.inspected,
          .eligible = retention.eligible,
          .deleted = retention.deleted.size(),
          .reclaimed_bytes = retention.reclaimed_bytes,
          .dry_run = retention.dry_run,
          .error = retention.error};
}

api::WorkReport work_report(const engine::BackupReport& report) {
  using enum api::WorkOutcome;
  const auto& totals = report.set.totals;
  api::WorkReport out{.outcome = report.outcome == engine::BackupOutcome::committed ? committed
                                 : report.outcome == engine::BackupOutcome::committed_before
                                     ? committed_before
                                     : shard_done,
                      .backup_id = report.set.capture.backup_id,
                      .records = totals.records,
                      .bytes = totals.stored_bytes,
                      .segments = totals.segments,
                      .lost_offsets = totals.lost};
  out.topics = report.set.capture.topics.size();
  for (const auto& topic : report.set.capture.topics) out.partitions += topic.partitions.size();
  for (const auto& topic : report.set.capture.missing_topics)
    out.warnings.push_back("topic " + topic + " does not exist");
  const auto history = report.set.capture.history.value_or(archive::History{});
  if (report.outcome != engine::BackupOutcome::shard_done)
    out.lost_offsets = std::max(totals.lost, archive::lost_offsets(history));
  for (const auto& event : history)
    if (archive::is_warning(event) && out.warnings.size() < history_warnings_max)
      out.warnings.push_back(archive::to_string(event));
  if (!report.set.capture.groups.captured && !report.set.capture.groups.not_captured.empty())
    out.warnings.push_back("consumer groups were not captured: " + report.set.capture.groups.not_captured);
  add_missing(out, report.set.capture);
  for (const auto& warning : report.warnings) out.warnings.push_back(warning);
  if (report.retention) out.retention = reported(*report.retention);
  return out;
}

api::WorkReport work_report(const engine::ContinuousReport& report) {
  const auto& totals = report.totals;
  api::WorkReport out{.outcome = api::WorkOutcome::stopped,
                      .backup_id = report.newest ? report.newest->capture.backup_id : "",
                      .records = totals.records,
                      .bytes = totals.stored_bytes,
                      .segments = totals.segments,
                      .lost_offsets = totals.lost};
  if (report.newest) {
    out.topics = report.newest->capture.topics.size();
    for (const auto& topic : report.newest->capture.topics) out.partitions += topic.partitions.size();
    add_missing(out, report.newest->capture);
  }
  for (const auto& warning : report.warnings) out.warnings.push_back(warning);
  if (report.retention) {
    out.retention = reported(*report.retention);
    for (auto& warning : engine::retention_warnings(*report.retention))
      out.warnings.push_back(std::move(warning));
  }
  return out;
}

api::WorkReport work_report(const engine::RestoreReport& report) {
  using enum api::WorkOutcome;
  if (report.refused) return work_report(*report.refused);
  api::WorkReport out{.outcome = report.outcome == engine::RestoreOutcome::restored  ? restored
                                 : report.outcome == engine::RestoreOutcome::planned ? planned
                                                                                     : shard_done,
                      .backup_id = report.plan.backup_id,
                      .records = report.records_there,
                      .segments = report.plan.objects.size(),
                      .warnings = report.warnings};
  out.topics = report.plan.topics.size();
  for (const auto& topic : report.plan.topics) {
    out.partitions += topic.partitions.size();
    for (const auto& partition : topic.partitions) {
      out.bytes += partition.raw_bytes;
      if (out.outcome == planned) out.records += partition.records_max;
    }
    if (!topic.retention_held.empty()) ++out.retention_held;
  }
  return out;
}

api::WorkReport work_report(const Error& error) {
  const bool was_stopped = error.kind() == ErrorKind::cancelled;
  return {.outcome = was_stopped ? api::WorkOutcome::stopped : api::WorkOutcome::failed,
          .error = api::WorkError{
              .kind = std::string(info(error.kind()).name), .message = error.what(), .hint = error.hint()}};
}

api::ReportedPoints points_of(const Context& ctx, const archive::Archive& archive) {
  api::ReportedPoints points;
  const auto ids = archive.set_ids(ctx);
  points.count = ids.size();
  auto seconds = [](const std::string& id) {
    auto time = time_of_backup_id(id);
    return time ? time->time_since_epoch().count() : 0;
  };
  for (auto id = ids.rbegin(); id != ids.rend() && points.newest.size() < api::restore_points_max; ++id)
    points.newest.push_back(seconds(*id));
  if (!ids.empty()) points.oldest = seconds(ids.front());
  if (const auto newest = archive.newest_set(ctx)) points.captured = newest->capture.captured_at_ms / 1000;
  for (const auto& object : archive.store().list(ctx, archive::segments_prefix()))
    points.bytes += object.bytes;
  return points;
}

}  // namespace kb::cli
