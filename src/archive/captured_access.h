// What a set says about its cluster besides topics and groups: ACLs, client quotas, open transactions.
// Every list is one fields() list; the JSON of it is described in docs/archive-format.md.
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kb::archive {

// In Kafka's own words: TOPIC, LITERAL, User:alice, READ, ALLOW.
struct CapturedAcl {
  std::string resource_type, resource_name, pattern_type, principal, host, operation, permission;
  bool operator==(const CapturedAcl&) const = default;
  void fields(auto& f) {
    f("resourceType", resource_type, "TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, DELEGATION_TOKEN or USER.");
    f("resourceName", resource_name, "Name, or what it begins with.");
    f("patternType", pattern_type, "LITERAL or PREFIXED.");
    f("principal", principal, "Who.");
    f("host", host, "From where.");
    f("operation", operation, "What.");
    f("permission", permission, "ALLOW or DENY.");
  }
};

// What could not be read is "not captured", never "empty".
struct CapturedAcls {
  bool captured = false;
  std::string not_captured;
  std::vector<CapturedAcl> entries;
  void fields(auto& f) {
    f("captured", captured, "Whether they were read.");
    f("notCaptured", not_captured, "Why not.");
    f("entries", entries, "ACLs.");
  }
};

struct QuotaEntity {
  std::string type;
  std::optional<std::string> name;
  auto operator<=>(const QuotaEntity&) const = default;
  void fields(auto& f) {
    f("type", type, "user, client-id or ip.");
    f("name", name, "Absent: whatever of the type has no quota of its own.");
  }
};

struct CapturedQuota {
  std::vector<QuotaEntity> entity;
  std::map<std::string, double> values;
  void fields(auto& f) {
    f("entity", entity, "What the quota applies to, all together.");
    f("values", values, "Limits.");
  }
};

struct CapturedQuotas {
  bool captured = false;
  std::string not_captured;
  std::vector<CapturedQuota> entries;
  void fields(auto& f) {
    f("captured", captured, "Whether they were read.");
    f("notCaptured", not_captured, "Why not.");
    f("entries", entries, "Client quotas.");
  }
};

// A partition whose last stable offset lay before its high watermark at capture: the set ends there.
struct HeldBack {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;           // the last stable offset, where the oldest open transaction begins
  std::uint64_t offsets = 0;         // from there to the high watermark
  std::int64_t producer_id = -1;     // whose transaction it is; -1 not known
  std::int64_t last_record_ms = -1;  // timestamp of that producer's last batch; -1 not known
  bool hanging = false;              // nobody seems to be going to end it
  void fields(auto& f) {
    f("topic", topic, "Topic.");
    f("partition", partition, "Partition.");
    f("offset", offset, "Where the oldest open transaction begins.");
    f("offsets", offsets, "Number of offsets from there to the high watermark.");
    f("producerId", producer_id, "Its producer; -1 not known.");
    f("lastRecordMs", last_record_ms, "Timestamp of the producer's last batch; -1 not known.");
    f("hanging", hanging, "Whether nobody seems to be going to end it.");
  }
};

}  // namespace kb::archive
