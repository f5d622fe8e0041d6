// Consumer groups: which there are, and what they have committed.
#include <array>

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

using FoundGroups = std::map<std::string, GroupListing>;

// Adds the broker's groups; absent when it has to be asked again, else what it knows of coordinators then.
std::optional<GroupCoordinators> list_groups_of(const Context& ctx, Cluster& cluster, std::int32_t node_id,
                                                Rounds& rounds, FoundGroups& found) {
  const MetadataRequest metadata{.topics = {{{.name = offsets_topic}}}, .allow_auto_topic_creation = false};
  ListGroupsResponse response;
  GroupCoordinators after;
  try {
    response = cluster.call_broker_once(ctx, node_id, ListGroupsRequest{}).message;
    after = group_coordinators(cluster.call_broker_once(ctx, node_id, metadata).message);
  } catch (const Error& error) {
    rounds.failed(error, fmt::format("broker {}", node_id));
    return std::nullopt;
  }
  if (!rounds.done(fmt::format("broker {}", node_id), response.error_code)) return std::nullopt;
  for (const auto& group : response.groups)
    if (!is_share_group(group))
      found[group.group_id] = {group.group_id, group.protocol_type, group.group_state, group.group_type};
  return after;
}

// One round. The groups of a broker that is away have moved, perhaps to one that was asked before: the first
// failure ends it.
std::optional<ListingDoubt> list_groups_of_all(const Context& ctx, Cluster& cluster, Rounds& rounds,
                                               FoundGroups& found) {
  const auto response = cluster.metadata(ctx, std::array{std::string(offsets_topic)});
  const auto before = group_coordinators(response);
  auto differs = before;
  for (const auto& broker : response.brokers) {
    // Its own view, since another broker may learn later of the partitions that this one has just lost.
    auto after = list_groups_of(ctx, cluster, broker.node_id, rounds, found);
    if (!after) return std::nullopt;
    if (differs == before) differs = std::move(*after);
  }
  auto doubt = doubt_about_listing(before, differs, !found.empty());
  if (doubt && doubt->passing) rounds.failed(Error(ErrorKind::unavailable, doubt->reason), "the cluster");
  return doubt;
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

ListedGroups list_groups(const Context& ctx, Cluster& cluster) {
  Rounds rounds(cluster.settings().retry, "listing the groups of");
  FoundGroups found;
  ListedGroups listed;
  try {
    do {
      listed.doubt.reset();
      listed.doubt = list_groups_of_all(ctx, cluster, rounds, found);
    } while (rounds.again(ctx));
  } catch (const Error&) {
    ctx.check();
    if (!listed.doubt) throw;
  }
  for (auto& [id, group] : found) listed.groups.push_back(std::move(group));
  return listed;
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
