// Single batches out of the logs of many partitions, in few requests.
#pragma once
#include <cstdint>
#include <functional>
#include <map>

#include "kafka/admin.h"
#include "kafka/cluster.h"
#include "kafka/record_batch.h"

namespace kb::engine {

// Calls `take` with the batch that holds the offset of each partition, aborted or not; the view ends with the
// call. The offsets must lie inside of the logs. Trouble with brokers is tried again as the cluster's
// settings say, then thrown; what `take` throws ends it.
void read_batches(const Context& ctx, kafka::Cluster& cluster,
                  const std::map<kafka::TopicPartition, std::int64_t>& offsets,
                  const std::function<void(const kafka::TopicPartition&, const kafka::RecordBatch&)>& take);

}  // namespace kb::engine
