// Messages about settings and disks: DescribeConfigs, IncrementalAlterConfigs (KIP-339), DescribeLogDirs
// (KIP-113). Fields, defaults and versions: as in messages_cluster.h.
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"

namespace kb::kafka {

enum class ConfigResourceType : int8_t { unknown = 0, topic = 2, broker = 4 };

// Where an effective value comes from (KIP-226); other values can arrive.
enum class ConfigSource : int8_t {
  unknown = 0,
  dynamic_topic = 1,  // an explicit override of the topic
  dynamic_broker = 2,
  dynamic_default_broker = 3,
  static_broker = 4,
  default_config = 5,
  dynamic_broker_logger = 6,
  client_metrics = 7,
  group = 8
};

enum class ConfigOperation : int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

struct DescribeConfigsResponse;
struct DescribeConfigsRequest {
  static constexpr ApiSpec api{
      .name = "DescribeConfigs", .key = 32, .min_version = 1, .max_version = 4, .flexible_from = 4};
  using Response = DescribeConfigsResponse;
  struct Resource {
    ConfigResourceType resource_type{};
    std::string resource_name;
    std::optional<std::vector<std::string>> configuration_keys = std::vector<std::string>{};  // null: all
    void fields(auto& f) {
      f(resource_type);
      f(resource_name);
      f(configuration_keys);
    }
  };
  std::vector<Resource> resources;
  bool include_synonyms = false, include_documentation = false;

  void fields(auto& f) {
    f(resources);
    f(include_synonyms, since(1));
    f(include_documentation, since(3));
  }
};

struct DescribeConfigsResponse {
  static constexpr ApiSpec api = DescribeConfigsRequest::api;
  struct Synonym {
    std::string name;
    std::optional<std::string> value = "";
    ConfigSource source{};
    void fields(auto& f) {
      f(name);
      f(value);
      f(source);
    }
  };
  struct Config {
    std::string name;
    std::optional<std::string> value = "";  // null when it is sensitive
    bool read_only = false;
    ConfigSource config_source = ConfigSource{-1};
    bool is_sensitive = false;
    std::vector<Synonym> synonyms;
    int8_t config_type = 0;
    std::optional<std::string> documentation = "";
    void fields(auto& f) {
      f(name);
      f(value);
      f(read_only);
      f(config_source, since(1));
      f(is_sensitive);
      f(synonyms, since(1));
      f(config_type, since(3));
      f(documentation, since(3));
    }
  };
  struct Result {
    ErrorCode error_code{};
    std::optional<std::string> error_message = "";
    ConfigResourceType resource_type{};
    std::string resource_name;
    std::vector<Config> configs;
    void fields(auto& f) {
      f(error_code);
      f(error_message);
      f(resource_type);
      f(resource_name);
      f(configs);
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  void fields(auto& f) {
    f(throttle_time_ms);
    f(results);
  }
};

struct IncrementalAlterConfigsResponse;
struct IncrementalAlterConfigsRequest {
  static constexpr ApiSpec api{
      .name = "IncrementalAlterConfigs", .key = 44, .min_version = 0, .max_version = 1, .flexible_from = 1};
  using Response = IncrementalAlterConfigsResponse;
  struct Config {
    std::string name;
    ConfigOperation config_operation{};
    std::optional<std::string> value = "";
    void fields(auto& f) {
      f(name);
      f(config_operation);
      f(value);
    }
  };
  struct Resource {
    ConfigResourceType resource_type{};
    std::string resource_name;
    std::vector<Config> configs;
    void fields(auto& f) {
      f(resource_type);
      f(resource_name);
      f(configs);
    }
  };
  std::vector<Resource> resources;
  bool validate_only = false;

  void fields(auto& f) {
    f(resources);
    f(validate_only);
  }
};

struct IncrementalAlterConfigsResponse {
  static constexpr ApiSpec api = IncrementalAlterConfigsRequest::api;
  struct Result {
    ErrorCode error_code{};
    std::optional<std::string> error_message = "";
    ConfigResourceType resource_type{};
    std::string resource_name;
    void fields(auto& f) {
      f(error_code);
      f(error_message);
      f(resource_type);
      f(resource_name);
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Result> responses;

  void fields(auto& f) {
    f(throttle_time_ms);
    f(responses);
  }
};

struct DescribeLogDirsResponse;
struct DescribeLogDirsRequest {
  static constexpr ApiSpec api{
      .name = "DescribeLogDirs", .key = 35, .min_version = 1, .max_version = 4, .flexible_from = 2};
  using Response = DescribeLogDirsResponse;
  struct Topic {
    std::string topic;
    std::vector<int32_t> partitions;
    void fields(auto& f) {
      f(topic);
      f(partitions);
    }
  };
  std::optional<std::vector<Topic>> topics = std::vector<Topic>{};  // null: all

  void fields(auto& f) { f(topics); }
};

struct DescribeLogDirsResponse {
  static constexpr ApiSpec api = DescribeLogDirsRequest::api;
  struct Partition {
    int32_t partition_index = 0;
    int64_t partition_size = 0;  // bytes of its log segments
    int64_t offset_lag = 0;
    bool is_future_key = false;  // of a replica that is being moved between directories
    void fields(auto& f) {
      f(partition_index);
      f(partition_size);
      f(offset_lag);
      f(is_future_key);
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
  struct Result {
    ErrorCode error_code{};
    std::string log_dir;
    std::vector<Topic> topics;
    int64_t total_bytes = -1, usable_bytes = -1;  // of the volume
    void fields(auto& f) {
      f(error_code);
      f(log_dir);
      f(topics);
      f(total_bytes, since(4));
      f(usable_bytes, since(4));
    }
  };
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};
  std::vector<Result> results;

  void fields(auto& f) {
    f(throttle_time_ms);
    f(error_code, since(3));
    f(results);
  }
};

}  // namespace kb::kafka
