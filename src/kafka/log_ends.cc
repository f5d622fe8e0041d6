#include "kafka/log_ends.h"

#include <vector>

#include "base/error.h"
#include "kafka/messages.h"
#include "kafka/rounds.h"

namespace kb::kafka {
namespace {

using LeaderEpochs = std::map<TopicPartition, std::int32_t>;

OffsetForLeaderEpochRequest ask_epoch_ends(const std::vector<TopicPartition>& partitions,
                                           const LeaderEpochs& epochs) {
  OffsetForLeaderEpochRequest request{.replica_id = replica_id_consumer};
  request.topics = in_topics<OffsetForLeaderEpochRequest::Topic>(partitions, [&](const TopicPartition& p) {
    return OffsetForLeaderEpochRequest::Partition{
        .partition = p.partition, .current_leader_epoch = epochs.at(p), .leader_epoch = epochs.at(p)};
  });
  return request;
}

ListOffsetsRequest ask_high_watermarks(const std::vector<TopicPartition>& partitions,
                                       const LeaderEpochs& epochs) {
  ListOffsetsRequest request{.replica_id = replica_id_consumer,
                             .isolation_level = IsolationLevel::read_uncommitted};
  request.topics = in_topics<ListOffsetsRequest::Topic>(partitions, [&](const TopicPartition& p) {
    return ListOffsetsRequest::Partition{
        .partition_index = p.partition, .current_leader_epoch = epochs.at(p), .timestamp = latest_timestamp};
  });
  return request;
}

// The end of an older epoch, or of none that is known, is not that of the log.
ErrorCode of_epoch(const OffsetForLeaderEpochResponse::Partition& answer, std::int32_t leader_epoch) {
  if (answer.error_code != ErrorCode::none) return answer.error_code;
  return leader_epoch >= 0 && answer.leader_epoch == leader_epoch ? ErrorCode::none
                                                                  : ErrorCode::unknown_leader_epoch;
}

}  // namespace

std::map<TopicPartition, LogEnd> log_ends(const Context& ctx, Connection& connection,
                                          const LeaderEpochs& leader_epochs) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, epoch] : leader_epochs) partitions.push_back(partition);
  // In this order, so that a high watermark is never older than the log end it is compared with.
  const auto epoch_ends = connection.call(ctx, ask_epoch_ends(partitions, leader_epochs)).message;
  const auto high_watermarks = connection.call(ctx, ask_high_watermarks(partitions, leader_epochs)).message;
  std::map<TopicPartition, LogEnd> ends;
  for (const auto& topic : epoch_ends.topics)
    for (const auto& p : topic.partitions)
      ends[{topic.topic, p.partition}] = {
          .error_code = of_epoch(p, leader_epochs.at({topic.topic, p.partition})),
          .log_end_offset = p.end_offset};
  for (const auto& topic : high_watermarks.topics)
    for (const auto& p : topic.partitions) {
      auto& end = ends[{topic.name, p.partition_index}];
      end.high_watermark = p.offset;
      if (end.error_code == ErrorCode::none) end.error_code = p.error_code;
    }
  for (const auto& partition : partitions)
    if (auto it = ends.find(partition);
        it == ends.end() || (it->second.error_code == ErrorCode::none &&
                             (it->second.log_end_offset < 0 || it->second.high_watermark < 0)))
      fail(ErrorKind::corrupt, "broker {} does not tell where {} ends", to_string(connection.endpoint()),
           to_string(partition));
  return ends;
}

}  // namespace kb::kafka
