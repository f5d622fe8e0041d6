#include "kafka/group_coordinators.h"

#include <algorithm>

#include <fmt/ranges.h>

namespace kb::kafka {
namespace {

constexpr std::size_t named_max = 10;  // partitions in a reason

std::string partitions_text(const std::vector<std::int32_t>& partitions) {
  if (partitions.size() == 1) return fmt::format("partition {} of {} has", partitions[0], offsets_topic);
  const std::vector<std::int32_t> named(
      partitions.begin(),
      partitions.begin() + static_cast<std::ptrdiff_t>(std::min(partitions.size(), named_max)));
  const auto more =
      named.size() < partitions.size() ? fmt::format(" and {} more", partitions.size() - named.size()) : "";
  return fmt::format("partitions {}{} of {} have", fmt::join(named, ", "), more, offsets_topic);
}

std::optional<ListingDoubt> doubt_about_leaders(const GroupCoordinators& coordinators) {
  std::vector<std::int32_t> leaderless;
  for (const auto& [partition, leader] : coordinators.leaders)
    if (leader.node_id < 0) leaderless.push_back(partition);
  if (leaderless.empty()) return std::nullopt;
  return ListingDoubt{
      fmt::format("{} no leader, so no broker tells the groups there", partitions_text(leaderless)), true};
}

ListingDoubt not_known(std::string_view why) {
  return {fmt::format("{}, so whether every group's coordinator was asked is not known", why)};
}

std::optional<ListingDoubt> doubt_about_topic(ErrorCode code, bool has_groups) {
  switch (code) {
    case ErrorCode::none:
      return std::nullopt;
    case ErrorCode::unknown_topic_or_partition:
      // It is made for the first group. Brokers that have groups without it are not Apache Kafka's.
      if (!has_groups) return std::nullopt;
      return not_known(fmt::format("the cluster has no topic {}", offsets_topic));
    case ErrorCode::topic_authorization_failed:
      return not_known(fmt::format("the principal may not describe the topic {}", offsets_topic));
    default:
      return ListingDoubt{not_known(fmt::format("describing {}: {}", offsets_topic, describe(code))).reason,
                          retriable(code)};
  }
}

}  // namespace

GroupCoordinators group_coordinators(const MetadataResponse& response) {
  const auto topic = std::ranges::find(response.topics, offsets_topic, &MetadataResponse::Topic::name);
  if (topic == response.topics.end()) return {.error_code = ErrorCode::unknown_topic_or_partition};
  GroupCoordinators coordinators{.error_code = topic->error_code};
  for (const auto& partition : topic->partitions) {
    auto& leader = coordinators.leaders[partition.partition_index];
    // One that is not among the brokers cannot be asked.
    if (std::ranges::count(response.brokers, partition.leader_id, &MetadataResponse::Broker::node_id) > 0)
      leader.node_id = partition.leader_id;
    leader.epoch = partition.leader_epoch;
  }
  return coordinators;
}

std::optional<ListingDoubt> doubt_about_listing(const GroupCoordinators& before,
                                                const GroupCoordinators& after, bool has_groups) {
  if (auto doubt = doubt_about_topic(before.error_code, has_groups)) return doubt;
  if (auto doubt = doubt_about_leaders(before)) return doubt;
  if (after == before) return std::nullopt;
  if (auto doubt = doubt_about_leaders(after)) return doubt;
  return ListingDoubt{
      fmt::format("leaders of {} changed while brokers listed their groups, so some may be passed over",
                  offsets_topic),
      true};
}

}  // namespace kb::kafka
