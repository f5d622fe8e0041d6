// Questions to the leaders of partitions.
#include <algorithm>

#include "kafka/admin.h"
#include "kafka/messages.h"
#include "kafka/rounds.h"

namespace kb::kafka {
namespace {

using Offsets = std::map<TopicPartition, std::int64_t>;

Offsets list_offsets_at(const Context& ctx, Cluster& cluster, const std::vector<TopicPartition>& partitions,
                        std::int64_t timestamp, IsolationLevel isolation) {
  return ask_leaders(
      ctx, cluster, "listing offsets of", partitions, [&](std::int32_t leader, const auto& led) {
        ListOffsetsRequest request{.replica_id = replica_id_consumer, .isolation_level = isolation};
        request.topics = in_topics<ListOffsetsRequest::Topic>(led, [&](const TopicPartition& p) {
          return ListOffsetsRequest::Partition{.partition_index = p.partition, .timestamp = timestamp};
        });
        std::vector<OffsetAnswer> answers;
        for (const auto& topic : cluster.call_broker_once(ctx, leader, request).message.topics)
          for (const auto& p : topic.partitions)
            answers.push_back({{topic.name, p.partition_index}, p.error_code, p.offset});
        return answers;
      });
}

void check_known(const Offsets& offsets, std::string_view what) {
  for (const auto& [partition, offset] : offsets)
    if (offset < 0)
      fail(ErrorKind::corrupt, "the broker tells {} as the {} of {}", offset, what, to_string(partition));
}

}  // namespace

Offsets list_offsets(const Context& ctx, Cluster& cluster, const std::vector<TopicPartition>& partitions,
                     OffsetAt at, IsolationLevel isolation) {
  const bool earliest = at == OffsetAt::earliest;
  auto offsets =
      list_offsets_at(ctx, cluster, partitions, earliest ? earliest_timestamp : latest_timestamp, isolation);
  check_known(offsets, earliest ? "log start offset" : "end offset");
  return offsets;
}

std::int64_t list_offset(const Context& ctx, Cluster& cluster, const std::string& topic,
                         std::int32_t partition, OffsetAt at) {
  return list_offsets(ctx, cluster, {{topic, partition}}, at, IsolationLevel::read_uncommitted)
      .at({topic, partition});
}

Offsets list_offsets_at_time(const Context& ctx, Cluster& cluster,
                             const std::vector<TopicPartition>& partitions, std::int64_t timestamp_ms) {
  CHECK(timestamp_ms >= 0);  // negative ones have meanings of their own
  auto offsets = list_offsets_at(ctx, cluster, partitions, timestamp_ms, IsolationLevel::read_uncommitted);
  std::vector<TopicPartition> without;
  for (const auto& [partition, offset] : offsets)
    if (offset < 0) without.push_back(partition);
  if (without.empty()) return offsets;
  const auto ends = list_offsets(ctx, cluster, without, OffsetAt::latest, IsolationLevel::read_uncommitted);
  for (const auto& [partition, end] : ends) offsets[partition] = end;
  return offsets;
}

Offsets end_offsets_of_epochs(const Context& ctx, Cluster& cluster,
                              const std::map<TopicPartition, std::int32_t>& epochs) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, epoch] : epochs) partitions.push_back(partition);
  auto offsets = ask_leaders(
      ctx, cluster, "listing leader epochs of", partitions, [&](std::int32_t leader, const auto& led) {
        OffsetForLeaderEpochRequest request{.replica_id = replica_id_consumer};
        request.topics = in_topics<OffsetForLeaderEpochRequest::Topic>(led, [&](const TopicPartition& p) {
          return OffsetForLeaderEpochRequest::Partition{.partition = p.partition,
                                                        .leader_epoch = epochs.at(p)};
        });
        std::vector<OffsetAnswer> answers;
        for (const auto& topic : cluster.call_broker_once(ctx, leader, request).message.topics)
          for (const auto& p : topic.partitions)
            answers.push_back({{topic.topic, p.partition}, p.error_code, p.end_offset});
        return answers;
      });
  std::erase_if(offsets, [](const auto& entry) { return entry.second < 0; });
  return offsets;
}

Offsets delete_records(const Context& ctx, Cluster& cluster, const Offsets& before) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : before) partitions.push_back(partition);
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(cluster.settings().connection.request_timeout);
  return ask_leaders(
      ctx, cluster, "deleting records of", partitions, [&](std::int32_t leader, const auto& led) {
        DeleteRecordsRequest request{.timeout_ms = static_cast<std::int32_t>(timeout.count() / 2)};
        request.topics = in_topics<DeleteRecordsRequest::Topic>(led, [&](const TopicPartition& p) {
          return DeleteRecordsRequest::Partition{.partition_index = p.partition, .offset = before.at(p)};
        });
        std::vector<OffsetAnswer> answers;
        for (const auto& topic : cluster.call_broker_once(ctx, leader, request).message.topics)
          for (const auto& p : topic.partitions)
            answers.push_back({{topic.name, p.partition_index}, p.error_code, p.low_watermark});
        return answers;
      });
}

namespace {

// What the answer tells of `led`: a partition that it lacks, or that is in a directory that failed, is left
// out.
void add_log_bytes(const DescribeLogDirsResponse& response, const std::set<TopicPartition>& led,
                   std::map<TopicPartition, std::uint64_t>& bytes) {
  for (const auto& directory : response.results)
    for (const auto& topic : directory.topics)
      for (const auto& p : topic.partitions)
        if (const TopicPartition partition{topic.name, p.partition_index};
            !p.is_future_key && led.contains(partition))
          bytes[partition] += static_cast<std::uint64_t>(std::max<std::int64_t>(p.partition_size, 0));
}

}  // namespace

std::map<TopicPartition, std::uint64_t> log_bytes(const Context& ctx, Cluster& cluster,
                                                  const std::vector<TopicPartition>& partitions) {
  std::map<TopicPartition, std::uint64_t> bytes;
  for (const auto& [leader, led] : by_leader(cluster, {partitions.begin(), partitions.end()})) {
    if (leader < 0) continue;
    DescribeLogDirsRequest request;
    request.topics =
        in_topics<DescribeLogDirsRequest::Topic>(led, [](const TopicPartition& p) { return p.partition; });
    const auto response = cluster.call_broker(ctx, leader, request).message;
    // Brokers before v3 of this answer with nothing at all instead.
    if (kind(response.error_code) == ErrorKind::denied) return {};
    require(response.error_code, fmt::format("asking broker {} for the size of its logs", leader));
    add_log_bytes(response, {led.begin(), led.end()}, bytes);
  }
  return bytes;
}

}  // namespace kb::kafka
