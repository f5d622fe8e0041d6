// A continuous backup: an endless row of runs, each of which is opened where the one before ended, follows
// the topics for a while and becomes a restore point. What is stored in between is checkpointed at once, so
// whatever kills it loses nothing that was durable: the next call closes what is open (docs/decisions/0008).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/backup.h"

namespace kb::engine {

struct ContinuousReport {
  std::uint64_t restore_points = 0;    // committed by this call
  std::optional<archive::Set> newest;  // of the archive, as far as this call knows
  std::string still_open;              // a run that trouble kept from becoming one; the next call closes it
  archive::RunTotals totals;           // of all its runs
  std::vector<std::string> warnings;   // of the way, not of what the sets hold
  std::optional<RetentionReport> retention;  // the last time that it acted
};

// Follows the topics until `ctx` stops, then stores, checkpoints and commits what was read, within
// `sealing_time_max`, and returns. Troubles of the cluster or the store that may pass are waited out once the
// first run is open, for ever; topics and partitions that appear, vanish or are made anew are noticed within
// seconds. `request.backup_id` does not matter: runs are named after the times at which they are opened.
// Throws as backup() does.
ContinuousReport follow(const Context& ctx, const BackupRequest& request, const OpenStore& open_store,
                        ProgressCounters& progress);

// Kubernetes gives a pod a minute to end.
inline constexpr Duration sealing_time_max = std::chrono::seconds(45);

}  // namespace kb::engine
