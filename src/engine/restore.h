// A restore: plan, look at the target, then act. Whatever kills it, the same call resumes it behind what is
// already in the target's log. A large restore is divided into shards: each worker writes one, in any order
// and at any time, and finish_restore() gives the topics their final settings.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/kafka_restore.h"
#include "archive/archive.h"
#include "base/secret_files.h"
#include "engine/progress_counters.h"
#include "engine/restore_plan.h"
#include "engine/restore_target.h"

namespace kb::engine {

struct RestoreRequest {
  std::string restore_namespace;
  std::string restore_name;
  api::KafkaRestoreSpec spec;
  Shard shard;  // of several, only with spec.backupRef.backupId and without spec.dryRun
  std::size_t memory_bytes_max = 256 * 1024 * 1024;  // of data in flight
  SecretFiles secrets;                               // that spec.kafkaCluster names
};

enum class RestoreOutcome {
  restored,
  planned,     // a dry run
  shard_done,  // its partitions are written; topics have load settings until the finish
};

struct RestoreReport {
  RestoreOutcome outcome = RestoreOutcome::restored;
  Shard shard;                      // of a shard that is done
  RestorePlan plan;                 // of a shard only what it writes
  std::vector<TargetState> target;  // as it was found, a row per topic of the plan
  std::optional<Error> refused;     // of a dry run: what the restore itself would throw
  bool resumed = false;             // an earlier run had written some
  std::uint64_t records = 0;        // written by this run
  std::uint64_t bytes = 0;          // of their batches, as far as they were acknowledged
  std::uint64_t records_there = 0;  // of the plan, in the target in the end
  std::vector<std::string> warnings;
};

// Throws: invalid, not_found, denied, conflict (existing data, another producer, another run took over),
// corrupt (naming object, partition and offsets), unavailable and timed_out (resumable).
RestoreReport restore(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive,
                      ProgressCounters& progress);

// Gives the topics their final settings when every target partition holds everything, whoever wrote it; can
// be repeated. Throws unavailable, naming partition and offset, as long as something is missing; else as
// restore().
RestoreReport finish_restore(const Context& ctx, const RestoreRequest& request,
                             const archive::Archive& archive);

}  // namespace kb::engine
