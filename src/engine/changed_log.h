// What a broker's refusal says about a log that is being read: is it shorter by now, another one, or gone?
// The leader of the partition must have refused; a follower may only be behind.
#pragma once
#include <optional>

#include "archive/history.h"
#include "engine/fetch_scheduler.h"
#include "kafka/cluster.h"

namespace kb::engine {

// What lies between the cursor and `next` will never be read.
struct LogChange {
  std::int64_t next = 0;
  std::optional<archive::HistoryEvent> event;  // none when retention did it: the gap says all
};

// After OFFSET_OUT_OF_RANGE. Nothing when the log has the position after all. Throws as list_offsets().
std::optional<LogChange> after_out_of_range(const Context& ctx, kafka::Cluster& cluster,
                                            const FetchCursor& cursor);
// The log agrees with what was read only up to `end_offset` (KIP-320).
LogChange after_divergence(const FetchCursor& cursor, std::int64_t end_offset);
// After an answer as if there were no such topic, or one with another id. Nothing as long as that may be
// because a broker does not know yet; brokers learn of topics one after the other.
std::optional<LogChange> after_unknown_topic(const Context& ctx, kafka::Cluster& cluster,
                                             FetchCursor& cursor);

}  // namespace kb::engine
