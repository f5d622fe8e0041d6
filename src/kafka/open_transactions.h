// Transactions that are open at a partition: behind the first record of the oldest one, nobody who reads only
// what is committed sees anything.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "base/context.h"
#include "kafka/admin.h"
#include "kafka/cluster.h"

namespace kb::kafka {

struct OpenTransaction {
  std::int64_t producer_id = -1;
  std::int64_t first_offset = -1;  // the last stable offset, while it is open
  std::int64_t last_timestamp_ms =
      -1;  // of the producer's last batch there, as the producer or the broker set it
};

// The oldest open one of each partition, as leaders know it (KIP-664). Partitions of which a leader cannot or
// may not tell are left out, and so are those without one. Tries once; throws only when cancelled.
std::map<TopicPartition, OpenTransaction> open_transactions(const Context& ctx, Cluster& cluster,
                                                            const std::vector<TopicPartition>& partitions);

}  // namespace kb::kafka
