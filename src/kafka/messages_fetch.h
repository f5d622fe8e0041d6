// Messages that read a partition: Fetch, ListOffsets, OffsetForLeaderEpoch (KIP-101, KIP-320).
// Fields, defaults and versions: as in messages_cluster.h.
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"

namespace kb::kafka {

enum class IsolationLevel : int8_t { read_uncommitted = 0, read_committed = 1 };
// What clients send as replica id.
constexpr int32_t replica_id_consumer = -1;

struct FetchResponse;
struct FetchRequest {
  static constexpr ApiSpec api{
      .name = "Fetch", .key = 1, .min_version = 4, .max_version = 16, .flexible_from = 12};
  static constexpr int16_t by_topic_id_from = 13;  // KIP-516: ids in the place of names
  using Response = FetchResponse;
  struct Partition {
    int32_t partition = 0, current_leader_epoch = -1;
    int64_t fetch_offset = 0;
    int32_t last_fetched_epoch = -1;
    int64_t log_start_offset = -1;
    int32_t partition_max_bytes = 0;
    void fields(auto& f) {
      f(partition);
      f(current_leader_epoch, since(9));
      f(fetch_offset);
      f(last_fetched_epoch, since(12));
      f(log_start_offset, since(5));
      f(partition_max_bytes);
    }
  };
  struct Topic {
    std::string topic;
    Uuid topic_id{};
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(topic, between(0, 12));
      f(topic_id, since(by_topic_id_from));
      f(partitions);
    }
  };
  struct ForgottenTopic {
    std::string topic;
    Uuid topic_id{};
    std::vector<int32_t> partitions;
    void fields(auto& f) {
      f(topic, between(0, 12));
      f(topic_id, since(by_topic_id_from));
      f(partitions);
    }
  };
  struct ReplicaState {  // of followers
    int32_t replica_id = replica_id_consumer;
    int64_t replica_epoch = -1;
    bool operator==(const ReplicaState&) const = default;
    void fields(auto& f) {
      f(replica_id);
      f(replica_epoch);
    }
  };
  std::optional<std::string> cluster_id;
  int32_t replica_id = replica_id_consumer;
  ReplicaState replica_state;
  int32_t max_wait_ms = 0, min_bytes = 0, max_bytes = 0x7fffffff;
  IsolationLevel isolation_level{};
  int32_t session_id = 0, session_epoch = -1;  // -1: no session
  std::vector<Topic> topics;
  std::vector<ForgottenTopic> forgotten_topics_data;
  std::string rack_id;

  // The newest version that can say what is asked for: topics without an id can only be named.
  int16_t version_max() const {
    for (const auto& each : topics)
      if (each.topic_id == Uuid{}) return by_topic_id_from - 1;
    return api.max_version;
  }

  void fields(auto& f) {
    f.tagged(0, cluster_id, since(12));
    f(replica_id, between(0, 14));
    f.tagged(1, replica_state, since(15));
    f(max_wait_ms);
    f(min_bytes);
    f(max_bytes);
    f(isolation_level);
    f(session_id, since(7));
    f(session_epoch, since(7));
    f(topics);
    f(forgotten_topics_data, since(7));
    f(rack_id, since(11));
  }
};

// KIP-951: whom to ask instead, and where that is.
struct LeaderIdAndEpoch {
  int32_t leader_id = -1, leader_epoch = -1;
  bool operator==(const LeaderIdAndEpoch&) const = default;
  void fields(auto& f) {
    f(leader_id);
    f(leader_epoch);
  }
};

struct NodeEndpoint {
  int32_t node_id = 0;
  std::string host;
  int32_t port = 0;
  std::optional<std::string> rack;
  bool operator==(const NodeEndpoint&) const = default;
  void fields(auto& f) {
    f(node_id);
    f(host);
    f(port);
    f(rack);
  }
};

struct FetchResponse {
  static constexpr ApiSpec api = FetchRequest::api;
  struct EpochEndOffset {
    int32_t epoch = -1;
    int64_t end_offset = -1;
    bool operator==(const EpochEndOffset&) const = default;
    void fields(auto& f) {
      f(epoch);
      f(end_offset);
    }
  };
  struct SnapshotId {
    int64_t end_offset = -1;
    int32_t epoch = -1;
    bool operator==(const SnapshotId&) const = default;
    void fields(auto& f) {
      f(end_offset);
      f(epoch);
    }
  };
  struct AbortedTransaction {
    int64_t producer_id = 0, first_offset = 0;
    bool operator==(const AbortedTransaction&) const = default;
    void fields(auto& f) {
      f(producer_id);
      f(first_offset);
    }
  };
  struct Partition {
    int32_t partition_index = 0;
    ErrorCode error_code{};
    int64_t high_watermark = 0, last_stable_offset = -1, log_start_offset = -1;
    EpochEndOffset diverging_epoch;  // since which epoch the caller's log is not the broker's
    LeaderIdAndEpoch current_leader;
    SnapshotId snapshot_id;
    std::optional<std::vector<AbortedTransaction>> aborted_transactions = std::vector<AbortedTransaction>{};
    int32_t preferred_read_replica = -1;
    Records records;  // whole batches, then perhaps a part of one
    void fields(auto& f) {
      f(partition_index);
      f(error_code);
      f(high_watermark);
      f(last_stable_offset, since(4));
      f(log_start_offset, since(5));
      f.tagged(0, diverging_epoch, since(12));
      f.tagged(1, current_leader, since(12));
      f.tagged(2, snapshot_id, since(12));
      f(aborted_transactions, since(4), since(4));
      f(preferred_read_replica, since(11));
      f(records);
    }
  };
  struct Topic {
    std::string topic;  // empty in versions with ids
    Uuid topic_id{};
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(topic, between(0, 12));
      f(topic_id, since(FetchRequest::by_topic_id_from));
      f(partitions);
    }
  };
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};
  int32_t session_id = 0;
  std::vector<Topic> responses;
  std::vector<NodeEndpoint> node_endpoints;

  void fields(auto& f) {
    f(throttle_time_ms, since(1));
    f(error_code, since(7));
    f(session_id, since(7));
    f(responses);
    f.tagged(0, node_endpoints, since(16));
  }
};

// ListOffsets timestamps with a meaning of their own.
constexpr int64_t latest_timestamp =
    -1;  // end offset: high watermark, or last stable offset if read_committed
constexpr int64_t earliest_timestamp = -2;  // log start offset
constexpr int64_t max_timestamp = -3;       // the record with the largest timestamp (KIP-734, from v7 on)

struct ListOffsetsResponse;
struct ListOffsetsRequest {
  static constexpr ApiSpec api{
      .name = "ListOffsets", .key = 2, .min_version = 2, .max_version = 7, .flexible_from = 6};
  using Response = ListOffsetsResponse;
  struct Partition {
    int32_t partition_index = 0, current_leader_epoch = -1;
    int64_t timestamp = 0;
    void fields(auto& f) {
      f(partition_index);
      f(current_leader_epoch, since(4));
      f(timestamp);
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(name);
      f(partitions);
    }
  };
  int32_t replica_id = 0;
  IsolationLevel isolation_level{};
  std::vector<Topic> topics;

  void fields(auto& f) {
    f(replica_id);
    f(isolation_level, since(2));
    f(topics);
  }
};

struct ListOffsetsResponse {
  static constexpr ApiSpec api = ListOffsetsRequest::api;
  struct Partition {
    int32_t partition_index = 0;
    ErrorCode error_code{};
    int64_t timestamp = -1, offset = -1;  // -1: no such record
    int32_t leader_epoch = -1;
    void fields(auto& f) {
      f(partition_index);
      f(error_code);
      f(timestamp, since(1));
      f(offset, since(1));
      f(leader_epoch, since(4));
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(name);
      f(partitions);
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  void fields(auto& f) {
    f(throttle_time_ms, since(2));
    f(topics);
  }
};

struct OffsetForLeaderEpochResponse;
struct OffsetForLeaderEpochRequest {
  static constexpr ApiSpec api{
      .name = "OffsetForLeaderEpoch", .key = 23, .min_version = 2, .max_version = 4, .flexible_from = 4};
  using Response = OffsetForLeaderEpochResponse;
  struct Partition {
    int32_t partition = 0, current_leader_epoch = -1;
    int32_t leader_epoch = 0;  // the one whose end is asked for
    void fields(auto& f) {
      f(partition);
      f(current_leader_epoch, since(2));
      f(leader_epoch);
    }
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(topic);
      f(partitions);
    }
  };
  int32_t replica_id = -2;  // clients send replica_id_consumer
  std::vector<Topic> topics;

  void fields(auto& f) {
    f(replica_id, since(3));
    f(topics);
  }
};

struct OffsetForLeaderEpochResponse {
  static constexpr ApiSpec api = OffsetForLeaderEpochRequest::api;
  struct Partition {
    ErrorCode error_code{};
    int32_t partition = 0;
    int32_t leader_epoch = -1;  // the largest epoch not above the one asked for; -1: none
    int64_t end_offset = -1;
    void fields(auto& f) {
      f(error_code);
      f(partition);
      f(leader_epoch, since(1));
      f(end_offset);
    }
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(topic);
      f(partitions);
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  void fields(auto& f) {
    f(throttle_time_ms, since(2));
    f(topics);
  }
};

}  // namespace kb::kafka
