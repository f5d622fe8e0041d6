#include "kafka/open_transactions.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "kafka/messages.h"
#include "kafka/rounds.h"

namespace kb::kafka {
namespace {

// A broker lists every producer that a partition has heard of lately, which may be thousands.
constexpr std::size_t partitions_per_request_max = 100;

void take_oldest(const TopicPartition& partition, const DescribeProducersResponse::Partition& answer,
                 std::map<TopicPartition, OpenTransaction>& found) {
  for (const auto& producer : answer.active_producers) {
    if (producer.current_txn_start_offset < 0) continue;
    auto& oldest = found[partition];
    if (oldest.first_offset < 0 || producer.current_txn_start_offset < oldest.first_offset)
      oldest = {.producer_id = producer.producer_id,
                .first_offset = producer.current_txn_start_offset,
                .last_timestamp_ms = producer.last_timestamp};
  }
}

void ask_leader(const Context& ctx, Cluster& cluster, std::int32_t leader,
                const std::vector<TopicPartition>& led, std::map<TopicPartition, OpenTransaction>& found) {
  DescribeProducersRequest request;
  request.topics =
      in_topics<DescribeProducersRequest::Topic>(led, [](const TopicPartition& p) { return p.partition; });
  for (const auto& topic : cluster.call_broker_once(ctx, leader, request).message.topics)
    for (const auto& p : topic.partitions)
      if (p.error_code == ErrorCode::none) take_oldest({topic.name, p.partition_index}, p, found);
}

}  // namespace

std::map<TopicPartition, OpenTransaction> open_transactions(const Context& ctx, Cluster& cluster,
                                                            const std::vector<TopicPartition>& partitions) {
  std::map<TopicPartition, OpenTransaction> found;
  for (const auto& [leader, led] : by_leader(cluster, {partitions.begin(), partitions.end()})) {
    if (leader < 0) continue;
    try {
      for (std::size_t first = 0; first < led.size(); first += partitions_per_request_max) {
        const auto begin = led.begin() + static_cast<std::ptrdiff_t>(first);
        const auto count = std::min(partitions_per_request_max, led.size() - first);
        ask_leader(ctx, cluster, leader, {begin, begin + static_cast<std::ptrdiff_t>(count)}, found);
      }
    } catch (const Error& error) {
      ctx.check();
      LOG_DEBUG("broker {} does not tell which transactions are open: {}", leader, error.what());
    }
  }
  return found;
}

}  // namespace kb::kafka
