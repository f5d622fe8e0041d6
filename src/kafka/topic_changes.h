// Changing the settings of topics that are there, of many in one request.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "kafka/admin.h"

namespace kb::kafka {

using ConfigChanges = std::map<std::string, std::optional<std::string>>;  // an empty optional deletes

// Sets and deletes overrides, by topic (KIP-339).
void alter_topic_configs(const Context& ctx, Cluster& cluster,
                         const std::map<std::string, ConfigChanges>& changes);

}  // namespace kb::kafka
