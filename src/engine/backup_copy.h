// Copying a shard of a run: what its checkpoints do not list yet is read and stored.
#pragma once
#include "archive/archive.h"
#include "engine/backup.h"
#include "kafka/cluster.h"

namespace kb::engine {

// Claims the request's shard. True when an earlier claim had stored some of it.
bool copy_shard(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                const archive::Plan& plan, const BackupRequest& request, ProgressCounters& progress);

}  // namespace kb::engine
