// Consumer groups and their committed offsets, for a restore point.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "archive/set.h"
#include "kafka/cluster.h"

namespace kb::engine {

// Groups with a committed offset in one of the topics. `wanted` as spec.consumerGroupSnapshot: absent
// captures where permitted, true makes a failure an error, false captures nothing. A failure is recorded,
// never an empty list.
archive::CapturedGroups capture_groups(const Context& ctx, kafka::Cluster& cluster,
                                       const std::vector<std::string>& topics, std::optional<bool> wanted);

}  // namespace kb::engine
