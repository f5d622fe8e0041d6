// Where logs end on the broker that leads them, for whoever has to know what became of a write without an
// answer.
#pragma once
#include <cstdint>
#include <map>

#include "base/context.h"
#include "kafka/admin.h"
#include "kafka/connection.h"
#include "kafka/error_code.h"

namespace kb::kafka {

struct LogEnd {
  ErrorCode error_code{};  // none: the offsets are right
  std::int64_t log_end_offset = -1;
  std::int64_t high_watermark = -1;  // all before it is on every replica that is in sync
};

// One attempt. `leader_epochs`: as the metadata have them; a broker that knows of another one answers with
// FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH; so is -1 answered. The log end is what it tells as the end of
// its newest epoch, as it does to replicas (KIP-101); ListOffsets tells high watermarks. Errors: as
// Connection; corrupt when a partition is left out.
std::map<TopicPartition, LogEnd> log_ends(const Context& ctx, Connection& connection,
                                          const std::map<TopicPartition, std::int32_t>& leader_epochs);

}  // namespace kb::kafka
