// A backup run: plan once, copy what is new, commit. Whatever kills it, the same call resumes it. A large run
// is divided into shards: each worker copies one, in any order and at any time, and finish_backup() commits.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/kafka_backup.h"
#include "archive/archive.h"
#include "base/secret_files.h"
#include "engine/progress_counters.h"
#include "engine/retention.h"
#include "engine/shard.h"
#include "storage/object_store.h"

namespace kb::engine {

struct BackupRequest {
  archive::Owner owner;
  api::KafkaBackupSpec spec;
  // Empty: the run that was not finished, else a new one named after the time. Shards need one. Before a new
  // one the newest undecided run is finished, if it can be by one worker; others that are older are
  // abandoned.
  std::string backup_id;
  Shard shard;
  std::vector<std::string> kept_backup_ids;  // retention leaves them: they are being restored
  std::string adopt_archive;  // id of an archive that is written to though it belongs to another owner
  std::size_t memory_bytes_max = 256 * 1024 * 1024;  // of data in flight
  SecretFiles secrets;                               // that spec.kafkaCluster names
};

enum class BackupOutcome {
  committed,
  committed_before,
  shard_done,  // stored and checkpointed; nothing is committed
};

struct BackupReport {
  BackupOutcome outcome = BackupOutcome::committed;
  bool resumed = false;
  Shard shard;       // of a shard that is done
  archive::Set set;  // of a shard only its partitions and what they come to; there is no such set
  std::vector<std::string> warnings;         // of the run's way, not of what the set holds
  std::optional<RetentionReport> retention;  // when spec.retention is enabled and the set is committed
};

// Gives the store of the archive; with `create` its place is made where it is missing, otherwise null says
// that it is.
using OpenStore = std::function<std::shared_ptr<storage::ObjectStore>(bool create)>;

// After the commit, spec.retention acts; a failure of that is in the report and fails nothing. A repeated
// call acts again: the one before may have been killed in between. Shards leave it to the finish. Nothing is
// written before the cluster has been reached and has the topics. Throws: invalid, not_found (a literal
// topic), denied, conflict (another owner, another cluster, another worker took over, a topic was recreated
// meanwhile, the run was begun with another number of shards), unavailable and timed_out (resumable),
// corrupt.
BackupReport backup(const Context& ctx, const BackupRequest& request, const OpenStore& open_store,
                    ProgressCounters& progress);

// Commits the run that the request names, when its shards have stored everything, whoever ran them; can be
// repeated. Throws unavailable, naming shard, partition and offset, as long as something is missing; else as
// backup().
BackupReport finish_backup(const Context& ctx, const BackupRequest& request, const OpenStore& open_store);

}  // namespace kb::engine
