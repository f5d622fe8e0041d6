#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quantities.h"
#include "cli/commands.h"
#include "cli/inventory.h"
#include "cli/locate_archive.h"
#include "schema/writer.h"

namespace kb::cli {
namespace {

std::string text_of(const Inventory& inventory) {
  auto text = inventory.location + "\n";
  if (!inventory.archive_id.empty())
    text += fmt::format("  KafkaBackup {}/{}, archive {}\n", inventory.resource_namespace, inventory.name,
                        inventory.archive_id);
  Table table({"BACKUP ID", "CAPTURED", "TOPICS", "PARTITIONS", "NEW RECORDS", "NEW BYTES", "BUILDS ON"});
  for (const auto& set : inventory.sets)
    table.add({set.backup_id, set.captured_at, format_count(set.topics), format_count(set.partitions),
               format_count(set.records), format_bytes(set.stored_bytes), set.base.empty() ? "-" : set.base});
  text += table.empty() ? "  no complete backup\n" : table.text(2);
  for (const auto& id : inventory.incomplete) text += fmt::format("  not finished: {}\n", id);
  for (const auto& note : inventory.abandoned)
    text += fmt::format("  given up: {}: {}\n", note.backup_id, note.what);
  if (!inventory.deleted.empty()) text += fmt::format("  deleted: {}\n", fmt::join(inventory.deleted, ", "));
  for (const auto& note : inventory.damaged) text += fmt::format("  damaged: {}\n", note.what);
  return text;
}

}  // namespace

Outcome list(const Context& ctx, const ListFlags& flags) {
  Outcome outcome;
  boost::json::array archives;
  std::size_t damaged = 0;
  for (const auto& path : chosen_archives(flags.where)) {
    auto inventory = take_inventory(ctx, path);
    outcome.result.text += text_of(inventory);
    damaged += inventory.damaged.size();
    archives.push_back(schema::write(inventory));
  }
  outcome.result.json = boost::json::object{{"archives", std::move(archives)}};
  if (damaged > 0)
    outcome.failure =
        Error(ErrorKind::corrupt, fmt::format("{} documents of archives are damaged or missing", damaged),
              "kafka-backup verify says what is affected");
  return outcome;
}

}  // namespace kb::cli
