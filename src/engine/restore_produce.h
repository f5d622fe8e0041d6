// Writing a shard's target partitions, each from its position on.
#pragma once
#include <map>
#include <vector>

#include "engine/restore.h"
#include "engine/restore_position.h"

namespace kb::engine {

using Positions = std::map<kafka::TopicPartition, Position>;

// The topics exist; partitions without a position are empty. Counts what is there and what it writes. Throws
// TargetLogDiffers when it can go on behind other positions, after a look at the logs.
void write_share(const Context& ctx, kafka::Cluster& cluster, storage::ObjectStore& store,
                 const RestoreRequest& request, const RestorePlan& plan,
                 const std::vector<TargetState>& target, const Positions& positions,
                 const kafka::ProducerSession& session, ProgressCounters& progress);

}  // namespace kb::engine
