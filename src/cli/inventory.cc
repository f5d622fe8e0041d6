#include "cli/inventory.h"

#include <optional>

#include "base/error.h"
#include "cli/output.h"
#include "storage/open.h"

namespace kb::cli {
namespace {

bool is_damage(const Error& error) {
  return error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::invalid ||
         error.kind() == ErrorKind::not_found;
}

InventorySet row_of(const archive::Set& set) {
  const auto& capture = set.capture;
  InventorySet row{.backup_id = capture.backup_id,
                   .captured_at = capture.captured_at_ms > 0 ? format_time(capture.captured_at_ms) : "",
                   .base = capture.base,
                   .topics = capture.topics.size(),
                   .records = set.totals.records,
                   .raw_bytes = set.totals.raw_bytes,
                   .stored_bytes = set.totals.stored_bytes};
  for (const auto& topic : capture.topics) row.partitions += topic.partitions.size();
  return row;
}

void add_decision(const Context& ctx, const archive::Archive& archive, const std::string& id,
                  Inventory& inventory) {
  try {
    auto decision = archive.decision(ctx, id);
    if (!decision) return;  // deleted meanwhile
    if (decision->set)
      inventory.sets.push_back(row_of(*decision->set));
    else
      inventory.abandoned.push_back({id, decision->abandoned});
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
    inventory.damaged.push_back({id, error.what()});
  }
}

}  // namespace

Inventory take_inventory(const Context& ctx, const storage::Place& place) {
  auto store = storage::open_filesystem(place);
  Inventory inventory{.location = store->location()};
  std::optional<archive::Archive> archive;
  try {
    archive = archive::Archive::open(ctx, store);
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
    inventory.damaged.push_back({"", error.what()});
    return inventory;
  }
  const auto& header = archive->header();
  inventory.archive_id = header.archive_id;
  inventory.resource_namespace = header.owner.resource_namespace;
  inventory.name = header.owner.name;
  auto catalog = archive->catalog(ctx);
  for (const auto& id : catalog.decided) add_decision(ctx, *archive, id, inventory);
  inventory.incomplete = std::move(catalog.undecided);
  inventory.deleted = std::move(catalog.deleted);
  return inventory;
}

}  // namespace kb::cli
