// ACLs and client quotas of the cluster, for a set. They are stored and shown; no restore sets them.
#pragma once
#include <string>
#include <vector>

#include "archive/captured_access.h"
#include "kafka/admin_access.h"
#include "kafka/cluster.h"

namespace kb::engine {

// More than these are not captured: each set would carry them.
constexpr std::size_t captured_entries_max = 20'000;

// What may not be read, or cannot, is recorded as not captured with the reason; that fails nothing.
archive::CapturedAcls capture_acls(const Context& ctx, kafka::Cluster& cluster,
                                   const std::vector<std::string>& topics);
archive::CapturedQuotas capture_client_quotas(const Context& ctx, kafka::Cluster& cluster);

// Whether an ACL has to do with a backup of the topics: those of other topics have not. Pure.
bool concerns(const kafka::Acl& acl, const std::vector<std::string>& topics);

}  // namespace kb::engine
