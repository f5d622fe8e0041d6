// A restore: plan, look at the target, then act. Whatever kills it, the same call resumes it behind what is
// already in the target's log.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/kafka_restore.h"
#include "archive/archive.h"
#include "engine/progress_counters.h"
#include "engine/restore_plan.h"
#include "engine/restore_target.h"

namespace kb::engine {

struct RestoreRequest {
  std::string restore_namespace;
  std::string restore_name;
  api::KafkaRestoreSpec spec;
  std::size_t memory_bytes_max = 128 * 1024 * 1024;  // of data in flight
};

struct RestoreReport {
  RestorePlan plan;
  std::vector<TargetState> target;  // as it was found, a row per topic of the plan
  bool dry_run = false;
  std::optional<Error> refused;  // of a dry run: what the restore itself would throw
  bool resumed = false;          // an earlier run had written some
  std::uint64_t records = 0;     // written by this run
  std::uint64_t bytes = 0;       // of their batches
  std::vector<std::string> warnings;
};

// Throws: invalid, not_found, denied, conflict (existing data, another producer, another run took over),
// corrupt (naming object, partition and offsets), unavailable and timed_out (resumable).
RestoreReport restore(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive,
                      ProgressCounters& progress);

}  // namespace kb::engine
