// Reads partitions from their beginning to an end captured before, with librdkafka. Belongs to one thread.
#pragma once
#include <functional>

#include "kafka_client.h"

namespace tool {

// Offsets [start, end) of a partition. For a read_committed reader `end` is the last stable offset.
struct PartitionBounds {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t start = 0;
  std::int64_t end = 0;
};

class Reader {
 public:
  // `isolation` is read_committed or read_uncommitted.
  Reader(const std::string& bootstrap, const std::string& isolation);

  // Start and end of every partition of the topics, as the brokers report them now; ordered as asked.
  std::vector<PartitionBounds> bounds(const std::vector<std::string>& topics);

  // Calls `visit` for every record within the bounds, in offset order within a partition, partitions
  // interleaved; `index` is the place in `bounds`. Throws if nothing arrives for `silence_max_ms`.
  using Visit = std::function<void(std::size_t index, const rd_kafka_message_t& message)>;
  void read(const std::vector<PartitionBounds>& bounds, const Visit& visit);

  static constexpr int silence_max_ms = 60'000;

 private:
  void list_offsets(std::vector<PartitionBounds>& bounds, std::int64_t which);

  ClientPtr client_;
};

}  // namespace tool
