// Which run of an archive a backup goes on with, and whether it may.
#pragma once
#include <optional>
#include <string>

#include "archive/archive.h"
#include "engine/backup.h"
#include "engine/backup_plan.h"
#include "kafka/cluster.h"

namespace kb::engine {

struct Run {
  std::string backup_id;
  bool resumed = false;  // it has its plan already
};

// The archive as an earlier run made it, if one did.
std::optional<archive::Archive> open_existing(const Context& ctx, const BackupRequest& request,
                                              const OpenStore& open_store);

// A run that is decided is not repeated: its report is given again. Throws conflict when it was abandoned or
// deleted.
std::optional<BackupReport> already_decided(const Context& ctx, const archive::Archive& archive,
                                            const std::string& backup_id);

// The plan of the newest undecided run that is older than the new one that the request names, when it
// captures the same of the same cluster and one worker can finish it.
std::optional<archive::Plan> unfinished_before(const Context& ctx, const archive::Archive& archive,
                                               const BackupRequest& request, const std::string& cluster_id);

// The run that the request names, or the newest undecided one when it captures what the resource asks for, or
// a new one. Gives up the undecided runs before a new one: nobody will go on with them.
Run choose_run(const Context& ctx, const archive::Archive& archive, const BackupRequest& request);
void abandon(const Context& ctx, const archive::Archive& archive, const std::string& backup_id,
             const std::string& why);

void abandon_older(const Context& ctx, const archive::Archive& archive, const std::string& backup_id);

// The newest set, which cannot be deleted any more while the run lasts.
std::optional<Base> pin_base(const Context& ctx, const archive::Archive& archive,
                             const std::string& backup_id);

// The run's plan: the one that is there, whoever of its workers made it, or a new one.
archive::Plan plan_once(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                        const BackupRequest& request, const ChosenTopics& topics,
                        const std::string& backup_id);

// Throw conflict.
void refuse_other_cluster(const Context& ctx, const archive::Archive& archive, const std::string& cluster_id);
void refuse_other_plan(const archive::Plan& plan, const BackupRequest& request,
                       const std::string& cluster_id);
void refuse_other_shards(const archive::Plan& plan, const Shard& shard);

}  // namespace kb::engine
