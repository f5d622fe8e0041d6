// Messages that tell what the cluster is: ApiVersions (KIP-35, KIP-511), Metadata, FindCoordinator.
// Fields, defaults and versions: the files of the same names in Apache Kafka's
// clients/src/main/resources/common/message; tests/kafka_layouts compares them.
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"

namespace kb::kafka {

struct ApiVersionsResponse;
struct ApiVersionsRequest {
  static constexpr ApiSpec api{
      .name = "ApiVersions", .key = api_versions_key, .min_version = 0, .max_version = 3, .flexible_from = 3};
  using Response = ApiVersionsResponse;
  std::string client_software_name, client_software_version;

  void fields(auto& f) {
    f(client_software_name, since(3));
    f(client_software_version, since(3));
  }
};

struct ApiVersionsResponse {
  static constexpr ApiSpec api = ApiVersionsRequest::api;
  struct ApiVersion {
    int16_t api_key = 0, min_version = 0, max_version = 0;
    void fields(auto& f) {
      f(api_key);
      f(min_version);
      f(max_version);
    }
  };
  struct SupportedFeature {
    std::string name;
    int16_t min_version = 0, max_version = 0;
    bool operator==(const SupportedFeature&) const = default;
    void fields(auto& f) {
      f(name);
      f(min_version);
      f(max_version);
    }
  };
  struct FinalizedFeature {
    std::string name;
    int16_t max_version_level = 0, min_version_level = 0;
    bool operator==(const FinalizedFeature&) const = default;
    void fields(auto& f) {
      f(name);
      f(max_version_level);
      f(min_version_level);
    }
  };
  ErrorCode error_code{};
  std::vector<ApiVersion> api_keys;
  int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features;
  int64_t finalized_features_epoch = -1;
  std::vector<FinalizedFeature> finalized_features;
  bool zk_migration_ready = false;

  void fields(auto& f) {
    f(error_code);
    f(api_keys);
    f(throttle_time_ms, since(1));
    f.tagged(0, supported_features, since(3));
    f.tagged(1, finalized_features_epoch, since(3), int64_t{-1});
    f.tagged(2, finalized_features, since(3));
    f.tagged(3, zk_migration_ready, since(3));
  }
};

struct MetadataResponse;
struct MetadataRequest {
  static constexpr ApiSpec api{
      .name = "Metadata", .key = 3, .min_version = 4, .max_version = 12, .flexible_from = 9};
  using Response = MetadataResponse;
  struct Topic {
    Uuid topic_id{};
    std::optional<std::string> name = "";
    void fields(auto& f) {
      f(topic_id, since(10));
      f(name, since(0), since(10));
    }
  };
  std::optional<std::vector<Topic>> topics = std::vector<Topic>{};  // null asks for every topic
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;

  void fields(auto& f) {
    f(topics, since(0), since(1));
    f(allow_auto_topic_creation, since(4));
    f(include_cluster_authorized_operations, between(8, 10));
    f(include_topic_authorized_operations, since(8));
  }
};

// "Not asked for" among authorized operations.
constexpr int32_t no_authorized_operations = std::numeric_limits<int32_t>::min();

struct MetadataResponse {
  static constexpr ApiSpec api = MetadataRequest::api;
  struct Broker {
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
    void fields(auto& f) {
      f(node_id);
      f(host);
      f(port);
      f(rack, since(1), since(1));
    }
  };
  struct Partition {
    ErrorCode error_code{};
    int32_t partition_index = 0;
    int32_t leader_id = 0;  // -1: no leader
    int32_t leader_epoch = -1;
    std::vector<int32_t> replica_nodes, isr_nodes, offline_replicas;
    void fields(auto& f) {
      f(error_code);
      f(partition_index);
      f(leader_id);
      f(leader_epoch, since(7));
      f(replica_nodes);
      f(isr_nodes);
      f(offline_replicas, since(5));
    }
  };
  struct Topic {
    ErrorCode error_code{};
    std::optional<std::string> name = "";
    Uuid topic_id{};  // zero from brokers before 2.8 (KIP-516)
    bool is_internal = false;
    std::vector<Partition> partitions;
    int32_t topic_authorized_operations = no_authorized_operations;
    void fields(auto& f) {
      f(error_code);
      f(name, since(0), since(12));
      f(topic_id, since(10));
      f(is_internal, since(1));
      f(partitions);
      f(topic_authorized_operations, since(8));
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers;
  std::optional<std::string> cluster_id;
  int32_t controller_id = -1;
  std::vector<Topic> topics;
  int32_t cluster_authorized_operations = no_authorized_operations;

  void fields(auto& f) {
    f(throttle_time_ms, since(3));
    f(brokers);
    f(cluster_id, since(2), since(2));
    f(controller_id, since(1));
    f(topics);
    f(cluster_authorized_operations, between(8, 10));
  }
};

enum class CoordinatorKind : int8_t { group = 0, transaction = 1 };

struct FindCoordinatorResponse;
struct FindCoordinatorRequest {
  static constexpr ApiSpec api{
      .name = "FindCoordinator", .key = 10, .min_version = 1, .max_version = 3, .flexible_from = 3};
  using Response = FindCoordinatorResponse;
  std::string key;  // group id or transactional id
  CoordinatorKind key_type{};

  void fields(auto& f) {
    f(key);
    f(key_type, since(1));
  }
};

struct FindCoordinatorResponse {
  static constexpr ApiSpec api = FindCoordinatorRequest::api;
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};
  std::optional<std::string> error_message = "";
  int32_t node_id = 0;
  std::string host;
  int32_t port = 0;

  void fields(auto& f) {
    f(throttle_time_ms, since(1));
    f(error_code);
    f(error_message, since(1), since(1));
    f(node_id);
    f(host);
    f(port);
  }
};

}  // namespace kb::kafka
