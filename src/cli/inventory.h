// What an archive holds, as far as it can be read: a damaged document is a row of its own, so that it hides
// nothing else.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "storage/place.h"

namespace kb::cli {

struct InventorySet {
  std::string backup_id, captured_at, base;
  std::uint64_t topics = 0, partitions = 0;
  std::uint64_t records = 0, raw_bytes = 0, stored_bytes = 0;  // that this run added
  void fields(auto& f) {
    f("backupId", backup_id, "The backup.");
    f("capturedAt", captured_at,
      "It has all that the logs had then; empty: a continuous backup had not come that far yet.");
    f("base", base, "The backup it builds on.");
    f("topics", topics, "Topics.");
    f("partitions", partitions, "Partitions.");
    f("newRecords", records, "Records that this run added to the archive.");
    f("newRawBytes", raw_bytes, "Bytes of their batches.");
    f("newStoredBytes", stored_bytes, "Bytes of the segments it wrote.");
  }
};

struct InventoryNote {
  std::string backup_id, what;
  void fields(auto& f) {
    f("backupId", backup_id, "The run.");
    f("what", what, "Why.");
  }
};

struct Inventory {
  std::string location, archive_id, resource_namespace, name;
  std::vector<InventorySet> sets;        // oldest first
  std::vector<std::string> incomplete;   // begun and not decided
  std::vector<std::string> deleted;      // tombstones
  std::vector<InventoryNote> abandoned;  // and why
  std::vector<InventoryNote> damaged;    // documents that cannot be read, and why; id empty for the header
  void fields(auto& f) {
    f("location", location, "Where the archive is.");
    f("archiveId", archive_id, "Its id.");
    f("namespace", resource_namespace, "Namespace of the KafkaBackup.");
    f("name", name, "Name of the KafkaBackup.");
    f("backups", sets, "Complete backups, oldest first.");
    f("incomplete", incomplete, "Runs that were not finished.");
    f("deleted", deleted, "Backups that were deleted.");
    f("abandoned", abandoned, "Runs that were given up.");
    f("damaged", damaged, "Documents that cannot be read.");
  }
};

Inventory take_inventory(const Context& ctx, const storage::Place& place);

}  // namespace kb::cli
