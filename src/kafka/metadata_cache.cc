#include "kafka/metadata_cache.h"

#include "base/error.h"

namespace kb::kafka {

void MetadataCache::update(const MetadataResponse& response) {
  std::lock_guard lock(mutex_);
  auto cluster_id = response.cluster_id.value_or("");
  if (!cluster_id_.empty() && cluster_id != cluster_id_)
    throw Error(ErrorKind::conflict,
                fmt::format("the bootstrap servers now lead to cluster '{}', before it was '{}'", cluster_id,
                            cluster_id_),
                "a name or address of the bootstrap servers must stay with one cluster during a run");
  cluster_id_ = cluster_id;
  controller_id_ = response.controller_id;
  brokers_.clear();
  for (const auto& broker : response.brokers)
    brokers_[broker.node_id] = {broker.node_id, {broker.host, broker.port}, broker.rack};
  for (const auto& topic : response.topics) update_topic(topic);
}

void MetadataCache::update_topic(const MetadataResponse::Topic& topic) {
  if (!topic.name) return;
  if (topic.error_code != ErrorCode::none) {
    topics_.erase(*topic.name);
    return;
  }
  auto& known = topics_[*topic.name];
  Topic fresh{.topic_id = topic.topic_id};
  for (const auto& partition : topic.partitions) {
    PartitionLeader leader{partition.leader_id, partition.leader_epoch};
    auto before = known.partitions.find(partition.partition_index);
    bool comparable = known.topic_id == topic.topic_id && topic.topic_id != Uuid{};
    bool stale =
        comparable && before != known.partitions.end() && leader.leader_epoch < before->second.leader_epoch;
    fresh.partitions[partition.partition_index] = stale ? before->second : leader;
  }
  known = std::move(fresh);
}

std::string MetadataCache::cluster_id() const {
  std::lock_guard lock(mutex_);
  return cluster_id_;
}

int32_t MetadataCache::controller_id() const {
  std::lock_guard lock(mutex_);
  return controller_id_;
}

void MetadataCache::forget_controller() {
  std::lock_guard lock(mutex_);
  controller_id_ = -1;
}

std::vector<Broker> MetadataCache::brokers() const {
  std::lock_guard lock(mutex_);
  std::vector<Broker> brokers;
  for (const auto& [node_id, broker] : brokers_) brokers.push_back(broker);
  return brokers;
}

std::optional<Endpoint> MetadataCache::endpoint(int32_t node_id) const {
  std::lock_guard lock(mutex_);
  auto found = brokers_.find(node_id);
  return found == brokers_.end() ? std::nullopt : std::optional(found->second.endpoint);
}

bool MetadataCache::learn_leader(std::string_view topic, int32_t partition, const LeaderIdAndEpoch& leader,
                                 std::span<const NodeEndpoint> endpoints) {
  std::lock_guard lock(mutex_);
  auto found = topics_.find(topic);
  if (found == topics_.end() || leader.leader_id < 0) return false;
  auto known = found->second.partitions.find(partition);
  if (known == found->second.partitions.end() || leader.leader_epoch <= known->second.leader_epoch)
    return false;
  for (const auto& each : endpoints)
    if (each.node_id == leader.leader_id)
      brokers_[each.node_id] = {each.node_id, {each.host, each.port}, each.rack};
  if (!brokers_.contains(leader.leader_id)) return false;
  known->second = {leader.leader_id, leader.leader_epoch};
  return true;
}

PartitionLeader MetadataCache::leader(std::string_view topic, int32_t partition) const {
  std::lock_guard lock(mutex_);
  auto found = topics_.find(topic);
  if (found == topics_.end()) return {};
  auto leader = found->second.partitions.find(partition);
  return leader == found->second.partitions.end() ? PartitionLeader{} : leader->second;
}

Uuid MetadataCache::topic_id(std::string_view topic) const {
  std::lock_guard lock(mutex_);
  auto found = topics_.find(topic);
  return found == topics_.end() ? Uuid{} : found->second.topic_id;
}

}  // namespace kb::kafka
