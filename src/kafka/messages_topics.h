// Messages that make and remove topics and their oldest records: CreateTopics, DeleteTopics, DeleteRecords.
// Fields, defaults and versions: as in messages_cluster.h. Topics by name: ids came with DeleteTopics v6.
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"
#include "kafka/messages_configs.h"

namespace kb::kafka {

struct CreateTopicsResponse;
struct CreateTopicsRequest {
  static constexpr ApiSpec api{
      .name = "CreateTopics", .key = 19, .min_version = 2, .max_version = 7, .flexible_from = 5};
  using Response = CreateTopicsResponse;
  struct Assignment {
    int32_t partition_index = 0;
    std::vector<int32_t> broker_ids;
    void fields(auto& f) {
      f(partition_index);
      f(broker_ids);
    }
  };
  struct Config {
    std::string name;
    std::optional<std::string> value = "";
    void fields(auto& f) {
      f(name);
      f(value);
    }
  };
  struct Topic {
    std::string name;
    int32_t num_partitions = 0;      // -1: the broker's default, from v4 on (KIP-464)
    int16_t replication_factor = 0;  // likewise
    std::vector<Assignment> assignments;
    std::vector<Config> configs;
    void fields(auto& f) {
      f(name);
      f(num_partitions);
      f(replication_factor);
      f(assignments);
      f(configs);
    }
  };
  std::vector<Topic> topics;
  int32_t timeout_ms = 60000;
  bool validate_only = false;

  void fields(auto& f) {
    f(topics);
    f(timeout_ms);
    f(validate_only, since(1));
  }
};

struct CreateTopicsResponse {
  static constexpr ApiSpec api = CreateTopicsRequest::api;
  struct Config {
    std::string name;
    std::optional<std::string> value = "";
    bool read_only = false;
    ConfigSource config_source = ConfigSource{-1};
    bool is_sensitive = false;
    void fields(auto& f) {
      f(name);
      f(value);
      f(read_only);
      f(config_source);
      f(is_sensitive);
    }
  };
  struct Topic {
    std::string name;
    Uuid topic_id{};
    ErrorCode error_code{};
    std::optional<std::string> error_message = "";
    ErrorCode topic_config_error_code{};  // why the configs are not told
    int32_t num_partitions = -1;
    int16_t replication_factor = -1;
    std::optional<std::vector<Config>> configs = std::vector<Config>{};
    void fields(auto& f) {
      f(name);
      f(topic_id, since(7));
      f(error_code);
      f(error_message, since(1));
      f.tagged(0, topic_config_error_code, since(5));
      f(num_partitions, since(5));
      f(replication_factor, since(5));
      f(configs, since(5), since(5));
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  void fields(auto& f) {
    f(throttle_time_ms, since(2));
    f(topics);
  }
};

struct DeleteTopicsResponse;
struct DeleteTopicsRequest {
  static constexpr ApiSpec api{
      .name = "DeleteTopics", .key = 20, .min_version = 1, .max_version = 5, .flexible_from = 4};
  using Response = DeleteTopicsResponse;
  std::vector<std::string> topic_names;
  int32_t timeout_ms = 0;

  void fields(auto& f) {
    f(topic_names);
    f(timeout_ms);
  }
};

struct DeleteTopicsResponse {
  static constexpr ApiSpec api = DeleteTopicsRequest::api;
  struct Topic {
    std::string name;
    ErrorCode error_code{};
    std::optional<std::string> error_message;
    void fields(auto& f) {
      f(name);
      f(error_code);
      f(error_message, since(5), since(5));
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Topic> responses;

  void fields(auto& f) {
    f(throttle_time_ms, since(1));
    f(responses);
  }
};

struct DeleteRecordsResponse;
struct DeleteRecordsRequest {
  static constexpr ApiSpec api{
      .name = "DeleteRecords", .key = 21, .min_version = 0, .max_version = 2, .flexible_from = 2};
  using Response = DeleteRecordsResponse;
  struct Partition {
    int32_t partition_index = 0;
    int64_t offset = 0;  // the new log start offset; -1: the high watermark
    void fields(auto& f) {
      f(partition_index);
      f(offset);
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
  std::vector<Topic> topics;
  int32_t timeout_ms = 0;

  void fields(auto& f) {
    f(topics);
    f(timeout_ms);
  }
};

struct DeleteRecordsResponse {
  static constexpr ApiSpec api = DeleteRecordsRequest::api;
  struct Partition {
    int32_t partition_index = 0;
    int64_t low_watermark = 0;
    ErrorCode error_code{};
    void fields(auto& f) {
      f(partition_index);
      f(low_watermark);
      f(error_code);
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
    f(throttle_time_ms);
    f(topics);
  }
};

}  // namespace kb::kafka
