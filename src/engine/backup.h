// A backup run: plan once, copy what is new, commit. Whatever kills it, the same call resumes it.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "api/kafka_backup.h"
#include "archive/archive.h"
#include "engine/progress_counters.h"
#include "storage/object_store.h"

namespace kb::engine {

struct BackupRequest {
  archive::Owner owner;
  api::KafkaBackupSpec spec;
  std::string backup_id;  // empty: the run that was not finished, else a new one named after the time
  std::size_t memory_bytes_max = 128 * 1024 * 1024;  // of data in flight
};

enum class BackupOutcome { committed, committed_before };

struct BackupReport {
  BackupOutcome outcome = BackupOutcome::committed;
  bool resumed = false;
  archive::Set set;
};

// Gives the store of the archive; with `create` its place is made where it is missing, otherwise null says
// that it is.
using OpenStore = std::function<std::shared_ptr<storage::ObjectStore>(bool create)>;

// Nothing is written before the cluster has been reached and has the topics. Throws: invalid, not_found (a
// literal topic), denied, conflict (another owner, another cluster, another worker took over, a topic was
// recreated meanwhile), unavailable and timed_out (resumable), corrupt.
BackupReport backup(const Context& ctx, const BackupRequest& request, const OpenStore& open_store,
                    ProgressCounters& progress);

}  // namespace kb::engine
