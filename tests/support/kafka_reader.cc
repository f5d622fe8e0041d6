#include "kafka_reader.h"

#include <array>
#include <map>
#include <stdexcept>

#include <fmt/core.h>

namespace tool {
namespace {

constexpr std::size_t batch_max = 4096;
constexpr int batch_wait_ms = 10;  // librdkafka waits that long for a batch to become full, whatever is there
constexpr std::int64_t latest = -1,
                       earliest = -2;  // the timestamps of ListOffsets that mean the ends of the log

PartitionList make_list(const std::vector<PartitionBounds>& bounds) {
  return PartitionList(rd_kafka_topic_partition_list_new(static_cast<int>(bounds.size())));
}

// Which partition a message belongs to, without a string lookup per record where possible.
class PartitionIndex {
 public:
  explicit PartitionIndex(const std::vector<PartitionBounds>& bounds) {
    for (std::size_t i = 0; i < bounds.size(); i++) index_[{bounds[i].topic, bounds[i].partition}] = i;
  }
  std::size_t of(const rd_kafka_message_t& message) {
    if (message.rkt != last_topic_ || message.partition != last_partition_) {
      last_ = index_.at({rd_kafka_topic_name(message.rkt), message.partition});
      last_topic_ = message.rkt;
      last_partition_ = message.partition;
    }
    return last_;
  }

 private:
  std::map<std::pair<std::string, std::int32_t>, std::size_t> index_;
  const rd_kafka_topic_t* last_topic_ = nullptr;
  std::int32_t last_partition_ = -1;
  std::size_t last_ = 0;
};

}  // namespace

Reader::Reader(const std::string& bootstrap, const std::string& isolation) {
  client_ = make_client(RD_KAFKA_CONSUMER, bootstrap,
                        {{"group.id", "kafka-test-reader"},
                         {"isolation.level", isolation},
                         {"enable.auto.commit", "false"},
                         {"enable.auto.offset.store", "false"},
                         {"auto.offset.reset", "error"},
                         {"enable.partition.eof", "true"},
                         {"check.crcs", "true"},
                         {"fetch.wait.max.ms", "20"},
                         {"fetch.error.backoff.ms", "20"},
                         {"queued.max.messages.kbytes", "131072"},
                         {"fetch.message.max.bytes", "4194304"}},
                        nullptr);
  require(rd_kafka_poll_set_consumer(client_.get()), "redirect events");
}

void Reader::list_offsets(std::vector<PartitionBounds>& bounds, std::int64_t which) {
  PartitionList list = make_list(bounds);
  for (const PartitionBounds& each : bounds) {
    rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition)->offset = which;
  }
  require(rd_kafka_offsets_for_times(client_.get(), list.get(), silence_max_ms), "list offsets");
  for (std::size_t i = 0; i < bounds.size(); i++) {
    require(list->elems[i].err, fmt::format("offset of {}-{}", bounds[i].topic, bounds[i].partition));
    (which == earliest ? bounds[i].start : bounds[i].end) = list->elems[i].offset;
  }
}

std::vector<PartitionBounds> Reader::bounds(const std::vector<std::string>& topics) {
  const rd_kafka_metadata_t* metadata = nullptr;
  require(rd_kafka_metadata(client_.get(), 1, nullptr, &metadata, silence_max_ms), "list topics");
  std::map<std::string, int> counts;
  for (int i = 0; i < metadata->topic_cnt; i++) {
    counts[metadata->topics[i].topic] = metadata->topics[i].partition_cnt;
  }
  rd_kafka_metadata_destroy(metadata);
  std::vector<PartitionBounds> bounds;
  for (const std::string& topic : topics) {
    if (!counts.contains(topic)) throw std::runtime_error("there is no topic " + topic);
    for (int partition = 0; partition < counts[topic]; partition++)
      bounds.push_back({topic, partition, 0, 0});
  }
  if (bounds.empty()) return bounds;
  list_offsets(bounds, latest);
  list_offsets(bounds, earliest);
  return bounds;
}

void Reader::read(const std::vector<PartitionBounds>& bounds, const Visit& visit) {
  PartitionIndex index(bounds);
  PartitionList assignment = make_list(bounds);
  std::vector<bool> done(bounds.size(), true);
  std::size_t open = 0;
  for (std::size_t i = 0; i < bounds.size(); i++) {
    if (bounds[i].start >= bounds[i].end) continue;
    auto* each =
        rd_kafka_topic_partition_list_add(assignment.get(), bounds[i].topic.c_str(), bounds[i].partition);
    each->offset = bounds[i].start;
    done[i] = false;
    open++;
  }
  if (open == 0) return;
  require(rd_kafka_assign(client_.get(), assignment.get()), "assign");
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(client_.get());
  std::array<rd_kafka_message_t*, batch_max> messages;
  int silent_ms = 0;
  while (open > 0) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, batch_wait_ms, messages.data(), messages.size());
    silent_ms = count > 0 ? 0 : silent_ms + batch_wait_ms;
    if (count < 0 || silent_ms > silence_max_ms) {
      throw std::runtime_error(fmt::format("nothing arrived; {} partitions are unfinished", open));
    }
    for (ssize_t i = 0; i < count; i++) {
      const rd_kafka_message_t& message = *messages[static_cast<std::size_t>(i)];
      bool at_end = message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
      if (!at_end) require(message.err, "fetch");
      std::size_t which = index.of(message);
      bool wanted = !done[which] && message.offset < bounds[which].end;
      if (wanted && !at_end) visit(which, message);
      // At the end: the last record, or, behind markers and compacted records, the reader's position.
      bool finished = at_end ? message.offset >= bounds[which].end : message.offset + 1 >= bounds[which].end;
      if (!done[which] && finished) {
        done[which] = true;
        open--;
      }
      rd_kafka_message_destroy(messages[static_cast<std::size_t>(i)]);
    }
  }
  rd_kafka_queue_destroy(queue);
  require(rd_kafka_assign(client_.get(), nullptr), "unassign");
}

}  // namespace tool
