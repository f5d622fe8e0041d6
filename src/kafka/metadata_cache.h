// What is known of the cluster: brokers, controller, who leads which partition. A memory, not a source: it
// asks nobody.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/messages_cluster.h"
#include "kafka/messages_fetch.h"
#include "net/endpoint.h"

namespace kb::kafka {

struct Broker {
  int32_t node_id = -1;
  Endpoint endpoint;  // as advertised
  std::optional<std::string> rack;
};

struct PartitionLeader {
  int32_t node_id = -1;       // -1: none, or not known
  int32_t leader_epoch = -1;  // -1: not known
};

// Thread-safe.
class MetadataCache {
 public:
  // Takes over what a broker answered. A leader of an older epoch than the known one of the same topic id is
  // ignored: brokers learn of changes at different times (KIP-320). Throws conflict when the answer is of
  // another cluster.
  void update(const MetadataResponse& response);

  std::string cluster_id() const;  // empty until known
  int32_t controller_id() const;   // -1: not known
  void forget_controller();
  std::vector<Broker> brokers() const;
  std::optional<Endpoint> endpoint(int32_t node_id) const;
  PartitionLeader leader(std::string_view topic, int32_t partition) const;
  Uuid topic_id(std::string_view topic) const;  // zeros when the topic is not known, or has none
  // What a broker says that no longer leads (KIP-951). True when it is news, and the leader's address is
  // known or among `endpoints`.
  bool learn_leader(std::string_view topic, int32_t partition, const LeaderIdAndEpoch& leader,
                    std::span<const NodeEndpoint> endpoints);

 private:
  struct Topic {
    Uuid topic_id{};
    std::map<int32_t, PartitionLeader> partitions;
  };
  void update_topic(const MetadataResponse::Topic& topic);

  mutable std::mutex mutex_;
  // guarded by mutex_
  std::string cluster_id_;
  int32_t controller_id_ = -1;
  std::map<int32_t, Broker> brokers_;
  std::map<std::string, Topic, std::less<>> topics_;
};

}  // namespace kb::kafka
