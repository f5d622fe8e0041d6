// Who coordinates the consumer groups, and whether a listing made meanwhile can have passed some over.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "kafka/error_code.h"
#include "kafka/messages_cluster.h"

namespace kb::kafka {

inline constexpr const char* offsets_topic = "__consumer_offsets";

// What one broker knows of the offsets topic. The leader of a partition coordinates the groups kept there; a
// broker lists the groups of the partitions that it leads, and says nothing of those it has just lost, or
// whose leader is dead.
struct GroupCoordinators {
  struct Leader {
    std::int32_t node_id = -1;  // -1: none
    std::int32_t epoch = -1;    // -1: the broker does not tell
    bool operator==(const Leader&) const = default;
  };
  ErrorCode error_code = ErrorCode::none;  // of the topic as a whole
  std::map<std::int32_t, Leader> leaders;  // by partition
  bool operator==(const GroupCoordinators&) const = default;
};
GroupCoordinators group_coordinators(const MetadataResponse& response);

// Why a listing may lack groups.
struct ListingDoubt {
  std::string reason;
  bool passing = false;  // another listing, later, may be without doubt
};
// `before` was told before the first broker was asked; `after` by a broker just after it listed its groups,
// the first that differs from `before` where one does.
std::optional<ListingDoubt> doubt_about_listing(const GroupCoordinators& before,
                                                const GroupCoordinators& after, bool has_groups);

}  // namespace kb::kafka
