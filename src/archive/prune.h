// Deleting sets and the objects that nothing refers to any more, while other runs write. The order of its
// steps is what makes it safe: docs/archive-format.md, "Deleting".
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "archive/archive.h"
#include "base/unix_time.h"

namespace kb::archive {

struct RetentionPolicy {
  std::uint32_t max_age_days = 0;  // 0: age does not matter
  std::uint32_t keep_last = 0;     // 0: the count does not matter
};

// Which of the sets (oldest first) a policy lets go. With max_age_days, keep_last is only a floor; alone it
// is the count. The newest set is always kept. Pure.
std::vector<std::string> expired(const std::vector<Set>& sets, const RetentionPolicy& policy,
                                 std::int64_t now_ms);

enum class PruneMode { dry_run, act };

struct PruneReport {
  std::vector<std::string> deleted;     // sets
  std::vector<std::string> abandoned;   // undecided runs that were given up
  std::vector<std::string> incomplete;  // undecided runs, whose objects are left alone
  // Sets that were named and are left, with the restores that read them, for people.
  std::vector<std::string> being_restored;
  std::uint64_t objects = 0;  // removed, or in a dry run removable
  std::uint64_t bytes = 0;
  void fields(auto& f) {
    f("deleted", deleted, "Sets that were deleted.");
    f("abandoned", abandoned, "Runs that were not decided and are given up.");
    f("incomplete", incomplete, "Runs that are not decided; their objects stay.");
    f("beingRestored", being_restored, "Sets that stay because restores are reading them, and who does.");
    f("objects", objects, "Objects removed.");
    f("bytes", bytes, "Their size.");
  }
};

enum class UndecidedRuns { keep, abandon };

// Deletes the named sets and every object that no remaining set, no undecided run and no restore needs, after
// giving the undecided runs up if asked to: none of them may be running. Sets that a restore has pinned are
// left out; `now_ms` is asked when these are listed. Interrupted anywhere, it can simply be repeated. Throws
// not_found, before anything is deleted, when a name is not that of a set.
PruneReport prune(const Context& ctx, const Archive& archive, const std::vector<std::string>& delete_ids,
                  PruneMode mode, UndecidedRuns undecided = UndecidedRuns::keep,
                  const UnixClock& now_ms = unix_now_ms);

}  // namespace kb::archive
