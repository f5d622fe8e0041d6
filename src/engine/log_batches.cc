#include "engine/log_batches.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "base/error.h"
#include "kafka/messages_fetch.h"
#include "kafka/rounds.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;
using Offsets = std::map<TopicPartition, std::int64_t>;

// A broker gives the first partition of a request a batch whatever its size, the others what fits: those that
// come back with nothing are asked for again.
constexpr std::size_t partitions_per_request_max = 500;
constexpr std::int32_t answer_bytes_max = 8 * 1024 * 1024, partition_bytes_max = 1024 * 1024;

kafka::FetchRequest request_for(const std::vector<TopicPartition>& partitions, const Offsets& offsets) {
  kafka::FetchRequest request{.max_wait_ms = 1000, .min_bytes = 1, .max_bytes = answer_bytes_max};
  request.isolation_level = kafka::IsolationLevel::read_uncommitted;
  for (const auto& partition : partitions) {
    if (request.topics.empty() || request.topics.back().topic != partition.topic)
      request.topics.push_back({.topic = partition.topic});  // without its id, so that the name counts
    request.topics.back().partitions.push_back({.partition = partition.partition,
                                                .fetch_offset = offsets.at(partition),
                                                .partition_max_bytes = partition_bytes_max});
  }
  return request;
}

std::optional<kafka::RecordBatch> batch_with(std::int64_t offset, std::string_view batches) {
  while (auto batch = kafka::next_batch(batches))
    if (batch->next_offset() > offset) return batch;
  return std::nullopt;
}

class BatchReading {
 public:
  using Take = std::function<void(const TopicPartition&, const kafka::RecordBatch&)>;
  BatchReading(kafka::Cluster& cluster, const Offsets& offsets, const Take& take)
      : cluster_(cluster),
        offsets_(offsets),
        take_(take),
        rounds_(cluster.settings().retry, "reading the log of") {
    for (const auto& [partition, offset] : offsets) pending_.insert(partition);
  }

  void run(const Context& ctx) {
    bool failed = false;
    do {
      if (failed) cluster_.refresh(ctx, kafka::topics_of(pending_));
      failed = true;
      for (const auto& [leader, led] : kafka::by_leader(cluster_, pending_)) ask_in_turn(ctx, leader, led);
    } while (rounds_.again(ctx));
  }

 private:
  void ask_in_turn(const Context& ctx, std::int32_t leader, const std::vector<TopicPartition>& led) {
    if (leader < 0) {
      rounds_.done(kafka::to_string(led.front()), kafka::ErrorCode::leader_not_available);
      return;
    }
    std::vector<TopicPartition> some;
    for (auto next = led.begin(); next != led.end() || !some.empty();) {
      for (; next != led.end() && some.size() < partitions_per_request_max; ++next) some.push_back(*next);
      if (!ask(ctx, leader, some)) return;
    }
  }

  // Leaves in `some` those to be asked for again at once; false when the broker is in trouble.
  bool ask(const Context& ctx, std::int32_t leader, std::vector<TopicPartition>& some) {
    kafka::Reply<kafka::FetchResponse> reply;
    try {
      reply = cluster_.call_broker_once(ctx, leader, request_for(some, offsets_));
      kafka::require(reply.message.error_code, "Fetch");
    } catch (const Error& error) {
      rounds_.failed(error, kafka::to_string(some.front()));
      return false;
    }
    std::set<TopicPartition> settled;
    for (const auto& topic : reply.message.responses)
      for (const auto& answer : topic.partitions)
        if (const TopicPartition partition{topic.topic, answer.partition_index}; settle(partition, answer))
          settled.insert(partition);
    if (settled.empty()) rounds_.done(kafka::to_string(some.front()), kafka::ErrorCode::request_timed_out);
    std::erase_if(some, [&](const auto& partition) { return settled.contains(partition); });
    return !settled.empty();
  }

  // False when it has to be asked for again at once; what failed is pending until the next round.
  bool settle(const TopicPartition& partition, const kafka::FetchResponse::Partition& answer) {
    if (!rounds_.done(kafka::to_string(partition), answer.error_code)) return true;
    const auto offset = offsets_.at(partition);
    const auto batch = batch_with(offset, answer.records.bytes);
    if (!batch) return false;
    if (pending_.erase(partition) > 0) take_(partition, *batch);
    return true;
  }

  kafka::Cluster& cluster_;
  const Offsets& offsets_;
  const Take& take_;
  kafka::Rounds rounds_;
  std::set<TopicPartition> pending_;
};

}  // namespace

void read_batches(const Context& ctx, kafka::Cluster& cluster, const Offsets& offsets,
                  const BatchReading::Take& take) {
  BatchReading(cluster, offsets, take).run(ctx);
}

}  // namespace kb::engine
