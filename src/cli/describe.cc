#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "archive/archive.h"
#include "archive/layout.h"
#include "base/quantities.h"
#include "cli/commands.h"
#include "cli/locate_archive.h"
#include "cli/result_rows.h"
#include "cli/set_statistics.h"
#include "engine/held_back.h"
#include "schema/writer.h"
#include "storage/open.h"

namespace kb::cli {
namespace {

struct FoundSet {
  archive::Archive archive;
  archive::Set set;
};

// In the one archive that has it; an id is unique only within an archive.
FoundSet find_set(const Context& ctx, const DescribeFlags& flags) {
  archive::time_of(flags.backup_id);
  auto paths = chosen_archives(flags.where);
  std::optional<FoundSet> found;
  for (const auto& path : paths) {
    auto archive = archive::Archive::open(ctx, storage::open_filesystem(path));
    if (paths.size() > 1 && !archive.store().head(ctx, archive::decision_key(flags.backup_id))) continue;
    auto set = archive.set(ctx, flags.backup_id);
    if (found)
      throw Error(ErrorKind::invalid,
                  fmt::format("backup {} is in {} and in {}", flags.backup_id,
                              found->archive.store().location(), archive.store().location()),
                  "--archive says which is meant");
    found.emplace(FoundSet{std::move(archive), std::move(set)});
  }
  if (!found)
    throw Error(ErrorKind::not_found,
                fmt::format("backup {} is in none of {} archives", flags.backup_id, paths.size()),
                "kafka-backup list shows what there is");
  return std::move(*found);
}

std::string head_of(const FoundSet& found, const SetStatistics& statistics) {
  const auto& capture = found.set.capture;
  auto text = fmt::format("Backup {}\n", capture.backup_id);
  text += result_row("archive", found.archive.store().location());
  text += result_row("captured", capture.captured_at_ms > 0
                                     ? format_time(capture.captured_at_ms)
                                     : "part of what there was: the first reading was not done");
  text += result_row("committed", format_time(found.set.committed_at_ms));
  text += result_row("Kafka cluster",
                     capture.kafka_cluster_id +
                         (capture.source_cluster_id.empty() ? "" : " (" + capture.source_cluster_id + ")"));
  text += result_row("builds on", capture.base.empty() ? "nothing" : capture.base);
  text += result_row(
      "holds", fmt::format("{} records, {} of batches in {} of {} segments",
                           format_count(statistics.total.records), format_bytes(statistics.total.raw_bytes),
                           format_bytes(statistics.total.stored_bytes), format_count(statistics.segments)));
  const auto& totals = found.set.totals;
  text += result_row("of these new",
                     fmt::format("{} records, {} of batches in {} of {} segments",
                                 format_count(totals.records), format_bytes(totals.raw_bytes),
                                 format_bytes(totals.stored_bytes), format_count(totals.segments)));
  const auto& holes = statistics.total.holes;
  text += result_row("holes", fmt::format("{} aborted, {} markers, {} compacted, {} lost",
                                          format_count(holes.aborted), format_count(holes.control),
                                          format_count(holes.compacted), format_count(holes.lost)));
  for (const auto& topic : capture.missing_topics) text += result_row("missing", "topic " + topic);
  return text;
}

std::string topics_of(const archive::Set& set, const SetStatistics& statistics) {
  std::string text;
  for (const auto& topic : set.capture.topics) {
    text += fmt::format("\nTopic {}: id {}, replication factor {}{}\n", topic.name, topic.topic_id,
                        topic.replication_factor, topic.compacted ? ", compacted" : "");
    for (const auto& [key, value] : topic.configs) text += fmt::format("  {}={}\n", key, value);
    if (!topic.configs_not_captured.empty())
      text += "  configuration is not captured: " + topic.configs_not_captured + "\n";
    Table table({"PARTITION", "FIRST", "END", "NEW FROM", "RECORDS", "BYTES", "STORED", "HOLES", "LINEAGE"});
    for (const auto& p : topic.partitions) {
      const auto& numbers = statistics.of({topic.name, p.partition, p.lineage});
      table.add({std::to_string(p.partition), std::to_string(p.start), std::to_string(p.end),
                 std::to_string(p.from), format_count(numbers.records), format_bytes(numbers.raw_bytes),
                 format_bytes(numbers.stored_bytes), format_count(numbers.holes.total()),
                 p.lineage + (p.lineage_reason.empty() ? "" : " (" + p.lineage_reason + ")")});
    }
    text += table.text(2);
  }
  return text;
}

std::string held_back_of(const archive::Capture& capture) {
  if (capture.held_back.empty()) return {};
  auto text = fmt::format("\nHeld back by open transactions: {} partitions\n", capture.held_back.size());
  for (const auto& held : capture.held_back)
    text += fmt::format("  {}{}\n", engine::to_string(held, capture.captured_at_ms),
                        held.hanging ? " (it hangs)" : "");
  return text;
}

std::string history_of(const archive::Capture& capture) {
  if (!capture.history) return {};
  if (capture.history->empty()) return "\nHistory: nothing happened to the logs\n";
  std::string text = "\nHistory:\n";
  for (const auto& event : *capture.history) text += "  " + archive::to_string(event) + "\n";
  return text;
}

std::string groups_of(const archive::CapturedGroups& groups) {
  if (!groups.captured) return "\nConsumer groups: not captured: " + groups.not_captured + "\n";
  auto text = fmt::format("\nConsumer groups: {}\n", groups.groups.size());
  if (!groups.not_captured.empty()) text += "  some may be missing: " + groups.not_captured + "\n";
  Table table({"GROUP", "TYPE", "STATE", "TOPIC", "PARTITION", "OFFSET"});
  for (const auto& group : groups.groups) {
    if (!group.not_captured.empty())
      table.add({group.group_id, group.type, group.state, "not captured: " + group.not_captured});
    for (const auto& offset : group.offsets)
      table.add({group.group_id, group.type, group.state, offset.topic, std::to_string(offset.partition),
                 std::to_string(offset.offset)});
  }
  return table.empty() ? text : text + table.text(2);
}

// "What: 3", or why they are not there.
template <class Captured>
std::string count_of(std::string_view what, const std::optional<Captured>& captured) {
  if (!captured)
    return fmt::format("\n{}: not captured: written by a version that did not ask for them\n", what);
  if (!captured->captured) return fmt::format("\n{}: not captured: {}\n", what, captured->not_captured);
  return fmt::format("\n{}: {}\n", what, captured->entries.size());
}

std::string acls_of(const std::optional<archive::CapturedAcls>& acls) {
  auto text = count_of("ACLs", acls);
  if (!acls || acls->entries.empty()) return text;
  Table table({"PRINCIPAL", "HOST", "PERMISSION", "OPERATION", "RESOURCE", "NAME", "PATTERN"});
  for (const auto& acl : acls->entries)
    table.add({acl.principal, acl.host, acl.permission, acl.operation, acl.resource_type, acl.resource_name,
               acl.pattern_type});
  return text + table.text(2);
}

std::string quotas_of(const std::optional<archive::CapturedQuotas>& quotas) {
  auto text = count_of("Client quotas", quotas);
  if (!quotas || quotas->entries.empty()) return text;
  Table table({"ENTITY", "LIMIT", "VALUE"});
  for (const auto& quota : quotas->entries) {
    std::vector<std::string> entity;
    for (const auto& each : quota.entity) entity.push_back(each.type + " " + each.name.value_or("<default>"));
    for (const auto& [limit, value] : quota.values)
      table.add({fmt::format("{}", fmt::join(entity, ", ")), limit, fmt::format("{}", value)});
  }
  return text + table.text(2);
}

std::string indexes_of(const archive::Set& set) {
  auto text = fmt::format("\nIndexes: {}\n", set.indexes.size());
  Table table({"OBJECT", "LEVEL", "BLOCKS", "BYTES"});
  for (const auto& index : set.indexes)
    table.add(
        {index.key, std::to_string(index.level), format_count(index.blocks), format_bytes(index.bytes)});
  return table.empty() ? text : text + table.text(2);
}

}  // namespace

Outcome describe(const Context& ctx, const DescribeFlags& flags) {
  auto found = find_set(ctx, flags);
  const auto statistics = count(found.archive.load_index(ctx, found.set), found.set);
  const auto& capture = found.set.capture;
  auto json = schema::write(found.set).get_object();
  json["location"] = found.archive.store().location();
  json["statistics"] = schema::write(statistics);
  return {.result = {.text = head_of(found, statistics) + topics_of(found.set, statistics) +
                             history_of(capture) + held_back_of(capture) + groups_of(capture.groups) +
                             acls_of(capture.acls) + quotas_of(capture.client_quotas) + indexes_of(found.set),
                     .json = std::move(json)},
          .failure = {}};
}

}  // namespace kb::cli
