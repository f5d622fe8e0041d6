#include "cli/restore_result.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/quantities.h"
#include "cli/result_rows.h"
#include "schema/writer.h"

namespace kb::cli {
namespace {

std::string action_name(engine::TargetAction action) {
  switch (action) {
    case engine::TargetAction::create:
      return "create";
    case engine::TargetAction::load:
      return "continue";
    case engine::TargetAction::existing:
      return "append";
    case engine::TargetAction::finished:
      return "keep";
  }
  fail(ErrorKind::internal, "target action {}", static_cast<int>(action));
}

std::string outcome_name(engine::RestoreOutcome outcome) {
  switch (outcome) {
    case engine::RestoreOutcome::restored:
      return "restored";
    case engine::RestoreOutcome::planned:
      return "planned";
    case engine::RestoreOutcome::shard_done:
      return "shardDone";
  }
  fail(ErrorKind::internal, "restore outcome {}", static_cast<int>(outcome));
}

std::string heading(const RestoreResult& result) {
  std::string what = "complete";
  if (result.outcome == "planned") what = "this is the plan, nothing was changed";
  if (result.outcome == "shardDone")
    what = fmt::format("shard {}/{} is done, the finish is still to come", result.shard, result.shards);
  return fmt::format("KafkaRestore {}/{}: {}{}\n", result.resource_namespace, result.name, what,
                     result.resumed ? ", resumed" : "");
}

std::uint64_t records_at(const engine::TargetState& target) {
  std::uint64_t n = 0;
  for (const auto& [partition, end] : target.log_end) {
    auto start = target.log_start.find(partition);
    auto from = start == target.log_start.end() ? 0 : start->second;
    if (end > from) n += static_cast<std::uint64_t>(end - from);
  }
  return n;
}

RestoredTopic summarize(const engine::TargetTopic& topic, const engine::TargetState& target) {
  RestoredTopic out{.name = topic.name,
                    .sources = topic.source_topics,
                    .action = action_name(target.action),
                    .partitions = topic.partitions.size(),
                    .replication_factor = topic.replication_factor,
                    .existing_partitions = target.partitions,
                    .existing_records = records_at(target),
                    .load_configs = topic.load_configs,
                    .final_configs = topic.final_configs,
                    .retention_held = topic.retention_held};
  for (const auto& partition : topic.partitions) {
    out.records += partition.records_max;
    out.raw_bytes += partition.raw_bytes;
  }
  return out;
}

std::string joined(const std::map<std::string, std::string>& configs) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : configs) pairs.push_back(key + "=" + value);
  return pairs.empty() ? "none" : fmt::format("{}", fmt::join(pairs, " "));
}

std::string topic_table(const RestoreResult& result) {
  Table table({"TOPIC", "FROM", "ACTION", "PARTITIONS", "RECORDS", "BYTES", "AT THE TARGET"});
  for (const auto& topic : result.topics)
    table.add({topic.name, fmt::format("{}", fmt::join(topic.sources, ",")), topic.action,
               format_count(topic.partitions), format_count(topic.records), format_bytes(topic.raw_bytes),
               topic.action == "create"
                   ? "nothing"
                   : fmt::format("{} partitions with {} offsets", topic.existing_partitions,
                                 format_count(topic.existing_records))});
  return table.text(2);
}

// What a dry run does not run into, and the restore itself would.
void warn_of_existing_data(RestoreResult& result) {
  for (const auto& topic : result.topics)
    if ((topic.action == "append" || topic.action == "keep") && topic.existing_records > 0)
      result.warnings.push_back(fmt::format(
          "topic {} has records: unless this restore wrote them, it will refuse the topic without "
          "spec.existingData: append",
          topic.name));
}

// What a plan tells beyond the table.
std::string config_rows(const RestoreResult& result) {
  std::string out;
  for (const auto& topic : result.topics) {
    if (topic.action == "append" || topic.action == "keep") continue;  // its settings stay
    out += fmt::format("  {}\n    while it is written: {}\n    afterwards: {}\n", topic.name,
                       joined(topic.load_configs), joined(topic.final_configs));
    if (!topic.retention_held.empty())
      out += fmt::format("    but its retention will be held: {}\n", topic.retention_held);
  }
  return out.empty() ? out : "Settings of topics\n" + out;
}

}  // namespace

RestoreResult summarize(const api::Resource& resource, const engine::RestoreReport& report,
                        const std::string& location) {
  RestoreResult result{.resource_namespace = resource.metadata.namespace_name,
                       .name = resource.metadata.name,
                       .outcome = outcome_name(report.outcome),
                       .shard = report.shard.index,
                       .shards = report.shard.count,
                       .resumed = report.resumed,
                       .backup_id = report.plan.backup_id,
                       .location = location,
                       .records = report.records,
                       .raw_bytes = report.bytes,
                       .records_there = report.records_there,
                       .warnings = report.warnings};
  CHECK(report.target.size() == report.plan.topics.size());
  for (std::size_t i = 0; i < report.plan.topics.size(); ++i) {
    result.topics.push_back(summarize(report.plan.topics[i], report.target[i]));
    result.partitions += result.topics.back().partitions;
    result.planned_records += result.topics.back().records;
    result.planned_bytes += result.topics.back().raw_bytes;
  }
  const auto& spec = std::get<api::KafkaRestoreSpec>(resource.spec);
  if (report.outcome == engine::RestoreOutcome::planned && spec.existing_data == api::ExistingData::refuse)
    warn_of_existing_data(result);
  return result;
}

Result present(const RestoreResult& result) {
  const bool planned = result.outcome == "planned";
  auto text = heading(result);
  text += result_row("backup id", result.backup_id);
  text += result_row("archive", result.location);
  text += result_row(
      "plan", fmt::format("{} topics, {} partitions, {} records, {}", format_count(result.topics.size()),
                          format_count(result.partitions), format_count(result.planned_records),
                          format_bytes(result.planned_bytes)));
  if (!planned) {
    text += result_row("written now", fmt::format("{} records, {}", format_count(result.records),
                                                  format_bytes(result.raw_bytes)));
    text += result_row("at the target", fmt::format("{} records", format_count(result.records_there)));
  }
  text += topic_table(result);
  if (planned) text += config_rows(result);
  text += warning_rows(result.warnings);
  return {std::move(text), schema::write(result)};
}

}  // namespace kb::cli
