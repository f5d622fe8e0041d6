// What spec.retention asks for after a backup: old sets go, and every object that nothing needs any more.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "api/kafka_backup.h"
#include "archive/archive.h"
#include "base/unix_time.h"

namespace kb::engine {

struct RetentionReport {
  bool dry_run = false;
  std::uint64_t inspected = 0;  // sets
  std::uint64_t eligible = 0;   // of them, those that may go
  std::vector<std::string> deleted;
  std::vector<std::string> being_restored;  // left though they may go, with who restores them; for people
  std::uint64_t reclaimed_bytes = 0;        // in a dry run what would be
  std::string error;  // why it did not come to its end; some of the eligible may be gone
  void fields(auto& f) {
    f("dryRun", dry_run, "Whether it was only counted.");
    f("inspected", inspected, "Complete backups of the archive.");
    f("eligible", eligible, "Those that may go.");
    f("deleted", deleted, "Those that were deleted.");
    f("beingRestored", being_restored, "Those that stay because restores are reading them, and who does.");
    f("reclaimedBytes", reclaimed_bytes, "Bytes of the objects that went, or in a dry run would.");
    f("error", error, "Why it was not completed; empty when it was.");
  }
};

// Never deletes the sets of `kept`, nor the newest, nor what a restore has pinned. Does not throw: the backup
// before it is committed whatever becomes of this, and the next one does what is left.
RetentionReport apply_retention(const Context& ctx, const archive::Archive& archive,
                                const api::Retention& retention, const std::vector<std::string>& kept,
                                const UnixClock& now_ms = unix_now_ms);
// What it left though the policy lets it go.
std::vector<std::string> retention_warnings(const RetentionReport& report);

}  // namespace kb::engine
