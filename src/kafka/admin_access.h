// Who may do what in a cluster, and how much of it; in Kafka's own words. Retries and thread safety: as in
// admin.h.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "kafka/cluster.h"

namespace kb::kafka {

struct Acl {
  std::string resource_type, resource_name, pattern_type;  // "TOPIC", "orders", "LITERAL"
  std::string principal, host, operation, permission;      // "User:alice", "*", "READ", "ALLOW"
  bool operator==(const Acl&) const = default;
};
// All of the cluster; none where the brokers have no authorizer. Throws denied when the principal may not
// read them.
std::vector<Acl> list_acls(const Context& ctx, Cluster& cluster);

struct ClientQuota {
  struct Entity {
    std::string type;                 // "user", "client-id", "ip"
    std::optional<std::string> name;  // absent: whatever has no quota of its own
    bool operator==(const Entity&) const = default;
  };
  std::vector<Entity> entity;            // what it applies to, all together
  std::map<std::string, double> values;  // {"consumer_byte_rate", 1048576}
};
// All of the cluster. Throws denied when the principal may not read them.
std::vector<ClientQuota> list_client_quotas(const Context& ctx, Cluster& cluster);

// Whether list_groups() shows every group. Brokers leave out what the principal may not describe, and say
// nothing. Absent when they cannot tell.
std::optional<bool> sees_every_group(const Context& ctx, Cluster& cluster);

}  // namespace kb::kafka
