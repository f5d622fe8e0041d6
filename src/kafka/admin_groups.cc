// Consumer groups: which there are, and what they have committed.
#include "kafka/admin.h"
#include "kafka/messages.h"
#include "kafka/rounds.h"

namespace kb::kafka {
namespace {

// Share groups (KIP-932) commit no offsets. Brokers differ in the case of the word.
bool is_share_group(const ListGroupsResponse::Group& group) {
  return group.group_type == "share" || group.group_type == "Share";
}

std::string quoted(const std::string& group_id) {
  return fmt::format("'{}'", group_id);
}

// False when the broker has to be asked again.
bool list_groups_of(const Context& ctx, Cluster& cluster, const Broker& broker, Rounds& rounds,
                    std::map<std::string, GroupListing>& found) {
  ListGroupsResponse response;
  try {
    response = cluster.call_broker_once(ctx, broker.node_id, ListGroupsRequest{}).message;
  } catch (const Error& error) {
    rounds.failed(error);
    return false;
  }
  if (!rounds.done(fmt::format("broker {}", broker.node_id), response.error_code)) return false;
  for (const auto& group : response.groups)
    if (!is_share_group(group))
      found[group.group_id] = {group.group_id, group.protocol_type, group.group_state, group.group_type};
  return true;
}

// Notes the errors of single partitions; true when there are none.
bool all_captured(const std::string& group_id, const OffsetFetchResponse& response, Rounds& rounds) {
  bool all = true;
  for (const auto& topic : response.topics)
    for (const auto& p : topic.partitions) {
      const auto item = fmt::format("{} for {}/{}", quoted(group_id), topic.name, p.partition_index);
      all = rounds.done(item, p.error_code) && all;
    }
  return all;
}

std::map<TopicPartition, GroupOffset> as_offsets(const OffsetFetchResponse& response) {
  std::map<TopicPartition, GroupOffset> offsets;
  for (const auto& topic : response.topics)
    for (const auto& p : topic.partitions)
      if (p.committed_offset >= 0)
        offsets[{topic.name, p.partition_index}] = {p.committed_offset, p.committed_leader_epoch,
                                                    p.metadata.value_or("")};
  return offsets;
}

OffsetCommitRequest commit_request(const std::string& group_id,
                                   const std::map<TopicPartition, GroupOffset>& offsets,
                                   const std::set<TopicPartition>& pending) {
  OffsetCommitRequest request{.group_id = group_id};
  const std::vector<TopicPartition> partitions(pending.begin(), pending.end());
  request.topics = in_topics<OffsetCommitRequest::Topic>(partitions, [&](const TopicPartition& p) {
    const auto& offset = offsets.at(p);
    return OffsetCommitRequest::Partition{p.partition, offset.offset, offset.leader_epoch, offset.metadata};
  });
  return request;
}

}  // namespace

std::vector<GroupListing> list_groups(const Context& ctx, Cluster& cluster) {
  Rounds rounds(cluster.settings().retry, "listing the groups of");
  std::map<std::string, GroupListing> found;
  bool failed = false;
  do {
    // The groups of a broker that is away have moved, perhaps to one that was asked before: all are asked
    // again.
    if (failed) cluster.refresh(ctx, {});
    found.clear();
    failed = false;
    for (const auto& broker : cluster.brokers())
      if (!failed) failed = !list_groups_of(ctx, cluster, broker, rounds, found);
  } while (rounds.again(ctx));
  std::vector<GroupListing> groups;
  for (auto& [id, group] : found) groups.push_back(std::move(group));
  return groups;
}

std::map<TopicPartition, GroupOffset> committed_offsets(const Context& ctx, Cluster& cluster,
                                                        const std::string& group_id) {
  Rounds rounds(cluster.settings().retry, "reading the committed offsets of group");
  const OffsetFetchRequest request{.group_id = group_id, .topics = {}};
  for (;; rounds.again(ctx)) {
    const auto response = cluster.call_coordinator(ctx, CoordinatorKind::group, group_id, request).message;
    if (response.error_code == ErrorCode::group_id_not_found) return {};  // deleted since it was listed
    if (rounds.done(quoted(group_id), response.error_code) && all_captured(group_id, response, rounds))
      return as_offsets(response);
  }
}

void commit_offsets(const Context& ctx, Cluster& cluster, const std::string& group_id,
                    const std::map<TopicPartition, GroupOffset>& offsets) {
  std::set<TopicPartition> pending;
  for (const auto& [partition, offset] : offsets) pending.insert(partition);
  if (pending.empty()) return;
  Rounds rounds(cluster.settings().retry, "committing the offsets of group");
  do {
    const auto request = commit_request(group_id, offsets, pending);
    for (const auto& topic :
         cluster.call_coordinator(ctx, CoordinatorKind::group, group_id, request).message.topics)
      for (const auto& p : topic.partitions) {
        const auto item = fmt::format("{} for {}/{}", quoted(group_id), topic.name, p.partition_index);
        if (rounds.done(item, p.error_code)) pending.erase({topic.name, p.partition_index});
      }
  } while (rounds.again(ctx));
  if (!pending.empty())
    fail(ErrorKind::corrupt, "the coordinator's answer for group {} lacks {}", quoted(group_id),
         to_string(*pending.begin()));
}

}  // namespace kb::kafka
