#include "cli/backup_result.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/quantities.h"
#include "cli/result_rows.h"
#include "engine/held_back.h"
#include "schema/writer.h"

namespace kb::cli {
namespace {

constexpr std::size_t lineages_shown_max = 10, events_shown_max = 10;

void add_groups(BackupResult& result, const archive::CapturedGroups& groups) {
  result.groups_captured = groups.captured;
  for (const auto& group : groups.groups) {
    if (group.not_captured.empty())
      ++result.groups;
    else
      result.warnings.push_back(fmt::format("offsets of consumer group {} are not captured: {}",
                                            group.group_id, group.not_captured));
  }
  if (!groups.captured && !groups.not_captured.empty())
    result.warnings.push_back(fmt::format("consumer groups are not captured: {}", groups.not_captured));
  if (groups.captured && !groups.not_captured.empty())
    result.warnings.push_back(fmt::format("some consumer groups may be missing: {}", groups.not_captured));
}

template <class Captured>
std::string number_or_reason(const std::optional<Captured>& captured) {
  if (!captured) return "not captured";
  return captured->captured ? format_count(captured->entries.size())
                            : "not captured: " + captured->not_captured;
}

void add_access(BackupResult& result, const archive::Capture& capture) {
  result.acls = number_or_reason(capture.acls);
  result.client_quotas = number_or_reason(capture.client_quotas);
  result.held_back_offsets = engine::held_back_offsets(capture);
  for (const auto& topic : capture.topics)
    if (!topic.configs_not_captured.empty())
      result.warnings.push_back(fmt::format("configuration of topic {} is not captured: {}", topic.name,
                                            topic.configs_not_captured));
  for (auto& warning : engine::hanging_warnings(capture)) result.warnings.push_back(std::move(warning));
}

// The first few in words; the set has them all.
void add_event_warning(BackupResult& result, const archive::HistoryEvent& event) {
  ++result.history_warnings;
  if (result.history_warnings <= events_shown_max)
    result.warnings.push_back(archive::to_string(event));
  else if (result.history_warnings == events_shown_max + 1)
    result.warnings.push_back("more happened to the logs: kafka-backup describe shows the history");
}

std::string lineage_rows(const std::vector<NewLineage>& lineages) {
  std::string out;
  for (std::size_t i = 0; i < lineages.size() && i < lineages_shown_max; ++i)
    out += result_row(i == 0 ? "read afresh" : "",
                      fmt::format("{}/{}: {}", lineages[i].topic, lineages[i].partition, lineages[i].reason));
  if (lineages.size() > lineages_shown_max)
    out += result_row("", fmt::format("and {} more", lineages.size() - lineages_shown_max));
  return out;
}

std::string retention_row(const engine::RetentionReport& retention) {
  auto text =
      fmt::format("{} of {} backups {}, {} {}",
                  format_count(retention.dry_run ? retention.eligible : retention.deleted.size()),
                  format_count(retention.inspected), retention.dry_run ? "would be deleted" : "deleted",
                  format_bytes(retention.reclaimed_bytes),
                  retention.dry_run ? "could be reclaimed (dry run)" : "reclaimed");
  if (!retention.error.empty())
    text = fmt::format("not completed; {} of {} backups may go", format_count(retention.eligible),
                       format_count(retention.inspected));
  return result_row("retention", text);
}

std::string outcome_name(engine::BackupOutcome outcome) {
  switch (outcome) {
    case engine::BackupOutcome::committed:
      return "committed";
    case engine::BackupOutcome::committed_before:
      return "committedBefore";
    case engine::BackupOutcome::shard_done:
      return "shardDone";
  }
  fail(ErrorKind::internal, "backup outcome {}", static_cast<int>(outcome));
}

std::string heading(const BackupResult& result) {
  std::string what = "complete";
  if (result.outcome == "committedBefore") what = "was complete already";
  if (result.outcome == "shardDone")
    what = fmt::format("shard {}/{} is done, nothing is committed yet", result.shard, result.shards);
  return fmt::format("KafkaBackup {}/{}: {}{}\n", result.resource_namespace, result.name, what,
                     result.resumed ? ", resumed" : "");
}

}  // namespace

BackupResult summarize(const api::ObjectMeta& metadata, const engine::BackupReport& report,
                       const std::string& location) {
  const auto& capture = report.set.capture;
  const auto& totals = report.set.totals;
  BackupResult result{.resource_namespace = metadata.namespace_name,
                      .name = metadata.name,
                      .outcome = outcome_name(report.outcome),
                      .shard = report.shard.index,
                      .shards = report.shard.count,
                      .resumed = report.resumed,
                      .backup_id = capture.backup_id,
                      .base = capture.base,
                      .location = location,
                      .topics = capture.topics.size(),
                      .records = totals.records,
                      .raw_bytes = totals.raw_bytes,
                      .stored_bytes = totals.stored_bytes,
                      .segments = totals.segments,
                      .holes = {totals.aborted, totals.control, totals.compacted, totals.lost}};
  for (const auto& topic : capture.topics) {
    result.partitions += topic.partitions.size();
    for (const auto& p : topic.partitions)
      if (!p.lineage_reason.empty())
        result.new_lineages.push_back({topic.name, p.partition, p.lineage_reason});
  }
  for (const auto& topic : capture.missing_topics)
    result.warnings.push_back(fmt::format("topic {} does not exist", topic));
  if (!capture.history && totals.lost > 0)
    result.warnings.push_back(
        fmt::format("{} offsets were deleted by retention before they were read", format_count(totals.lost)));
  for (const auto& event : capture.history.value_or(archive::History{})) {
    result.history.push_back(archive::to_string(event));
    if (archive::is_warning(event)) add_event_warning(result, event);
  }
  for (const auto& warning : report.warnings) result.warnings.push_back(warning);
  add_groups(result, capture.groups);
  add_access(result, capture);
  result.retention = report.retention;
  if (report.retention && !report.retention->error.empty())
    result.warnings.push_back(fmt::format("retention was not completed: {}", report.retention->error));
  return result;
}

Result present(const BackupResult& result) {
  auto text = heading(result);
  text += result_row("backup id", result.backup_id);
  text += result_row("archive", result.location);
  text += result_row("builds on", result.base.empty() ? "nothing: the first of this archive" : result.base);
  text += result_row("topics", fmt::format("{} with {} partitions", format_count(result.topics),
                                           format_count(result.partitions)));
  text += result_row("records", format_count(result.records) + (result.base.empty() ? "" : " new"));
  text += result_row("bytes",
                     fmt::format("{} of batches, {} stored in {} segments", format_bytes(result.raw_bytes),
                                 format_bytes(result.stored_bytes), format_count(result.segments)));
  text +=
      result_row("holes", fmt::format("{} aborted, {} markers, {} compacted, {} lost",
                                      format_count(result.holes.aborted), format_count(result.holes.control),
                                      format_count(result.holes.compacted), format_count(result.holes.lost)));
  text += result_row("groups", result.groups_captured ? format_count(result.groups) : "not captured");
  text += result_row("ACLs", result.acls);
  text += result_row("quotas", result.client_quotas);
  if (result.held_back_offsets > 0)
    text += result_row("held back", fmt::format("{} offsets behind open transactions are not captured",
                                                format_count(result.held_back_offsets)));
  if (result.retention) text += retention_row(*result.retention);
  text += lineage_rows(result.new_lineages);
  text += warning_rows(result.warnings);
  return {std::move(text), schema::write(result)};
}

}  // namespace kb::cli
