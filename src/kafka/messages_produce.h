// Messages that write to a partition: Produce, and what fences its producer: InitProducerId,
// AddPartitionsToTxn, EndTxn (KIP-98, KIP-360). Fields, defaults and versions: as in messages_cluster.h. In
// transactions kept below the versions of their "second version" (KIP-890), in which Produce adds partitions
// to a transaction by itself and EndTxn raises the epoch.
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"
#include "kafka/messages_fetch.h"

namespace kb::kafka {

struct ProduceResponse;
struct ProduceRequest {
  static constexpr ApiSpec api{
      .name = "Produce", .key = 0, .min_version = 3, .max_version = 13, .flexible_from = 9};
  static constexpr int16_t by_topic_id_from = 13;  // KIP-516: ids in the place of names
  using Response = ProduceResponse;
  struct Partition {
    int32_t index = 0;
    Records records;  // exactly one batch: brokers refuse more
    void fields(auto& f) {
      f(index);
      f(records);
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partition_data;
    Uuid topic_id{};
    void fields(auto& f) {
      f(name, between(0, by_topic_id_from - 1));
      f(topic_id, since(by_topic_id_from));
      f(partition_data);
    }
  };
  std::optional<std::string> transactional_id;
  int16_t acks = 0;  // -1: all replicas in sync
  int32_t timeout_ms = 0;
  std::vector<Topic> topic_data;

  // The newest version that can say what is asked for: topics without an id can only be named. And not in a
  // transaction, to which brokers would add partitions by themselves from version 12 on (KIP-890).
  int16_t version_max() const {
    if (transactional_id) return 11;
    for (const auto& each : topic_data)
      if (each.topic_id == Uuid{}) return by_topic_id_from - 1;
    return api.max_version;
  }

  void fields(auto& f) {
    f(transactional_id, since(3), since(3));
    f(acks);
    f(timeout_ms);
    f(topic_data);
  }
};

struct ProduceResponse {
  static constexpr ApiSpec api = ProduceRequest::api;
  struct BatchIndexAndErrorMessage {
    int32_t batch_index = 0;
    std::optional<std::string> batch_index_error_message;
    void fields(auto& f) {
      f(batch_index);
      f(batch_index_error_message, since(8), since(8));
    }
  };
  struct Partition {
    int32_t index = 0;
    ErrorCode error_code{};
    int64_t base_offset = 0, log_append_time_ms = -1, log_start_offset = -1;
    std::vector<BatchIndexAndErrorMessage> record_errors;
    std::optional<std::string> error_message;
    LeaderIdAndEpoch current_leader;
    void fields(auto& f) {
      f(index);
      f(error_code);
      f(base_offset);
      f(log_append_time_ms, since(2));
      f(log_start_offset, since(5));
      f(record_errors, since(8));
      f(error_message, since(8), since(8));
      f.tagged(0, current_leader, since(10));
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partition_responses;
    Uuid topic_id{};
    void fields(auto& f) {
      f(name, between(0, ProduceRequest::by_topic_id_from - 1));
      f(topic_id, since(ProduceRequest::by_topic_id_from));
      f(partition_responses);
    }
  };
  std::vector<Topic> responses;
  int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints;

  void fields(auto& f) {
    f(responses);
    f(throttle_time_ms, since(1));
    f.tagged(0, node_endpoints, since(10));
  }
};

struct InitProducerIdResponse;
struct InitProducerIdRequest {
  static constexpr ApiSpec api{
      .name = "InitProducerId", .key = 22, .min_version = 0, .max_version = 5, .flexible_from = 2};
  using Response = InitProducerIdResponse;
  std::optional<std::string> transactional_id = "";  // null: idempotent only
  int32_t transaction_timeout_ms = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;

  void fields(auto& f) {
    f(transactional_id);
    f(transaction_timeout_ms);
    f(producer_id, since(3));
    f(producer_epoch, since(3));
  }
};

struct InitProducerIdResponse {
  static constexpr ApiSpec api = InitProducerIdRequest::api;
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};
  int64_t producer_id = -1;
  int16_t producer_epoch = 0;

  void fields(auto& f) {
    f(throttle_time_ms);
    f(error_code);
    f(producer_id);
    f(producer_epoch);
  }
};

struct AddPartitionsToTxnResponse;
struct AddPartitionsToTxnRequest {
  static constexpr ApiSpec api{
      .name = "AddPartitionsToTxn", .key = 24, .min_version = 0, .max_version = 3, .flexible_from = 3};
  using Response = AddPartitionsToTxnResponse;
  struct Topic {
    std::string name;
    std::vector<int32_t> partitions;
    void fields(auto& f) {
      f(name);
      f(partitions);
    }
  };
  std::string transactional_id;
  int64_t producer_id = 0;
  int16_t producer_epoch = 0;
  std::vector<Topic> topics;

  void fields(auto& f) {
    f(transactional_id);
    f(producer_id);
    f(producer_epoch);
    f(topics);
  }
};

struct AddPartitionsToTxnResponse {
  static constexpr ApiSpec api = AddPartitionsToTxnRequest::api;
  struct Partition {
    int32_t partition_index = 0;
    ErrorCode partition_error_code{};
    void fields(auto& f) {
      f(partition_index);
      f(partition_error_code);
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> results_by_partition;
    void fields(auto& f) {
      f(name);
      f(results_by_partition);
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Topic> results_by_topic;

  void fields(auto& f) {
    f(throttle_time_ms);
    f(results_by_topic);
  }
};

struct EndTxnResponse;
struct EndTxnRequest {
  static constexpr ApiSpec api{
      .name = "EndTxn", .key = 26, .min_version = 0, .max_version = 4, .flexible_from = 3};
  using Response = EndTxnResponse;
  std::string transactional_id;
  int64_t producer_id = 0;
  int16_t producer_epoch = 0;
  bool committed = false;

  void fields(auto& f) {
    f(transactional_id);
    f(producer_id);
    f(producer_epoch);
    f(committed);
  }
};

struct EndTxnResponse {
  static constexpr ApiSpec api = EndTxnRequest::api;
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};

  void fields(auto& f) {
    f(throttle_time_ms);
    f(error_code);
  }
};

// Which producers have state at a partition (KIP-664): open transactions, too.
struct DescribeProducersResponse;
struct DescribeProducersRequest {
  static constexpr ApiSpec api{
      .name = "DescribeProducers", .key = 61, .min_version = 0, .max_version = 0, .flexible_from = 0};
  using Response = DescribeProducersResponse;
  struct Topic {
    std::string name;
    std::vector<int32_t> partition_indexes;
    void fields(auto& f) {
      f(name);
      f(partition_indexes);
    }
  };
  std::vector<Topic> topics;

  void fields(auto& f) { f(topics); }
};

struct DescribeProducersResponse {
  static constexpr ApiSpec api = DescribeProducersRequest::api;
  struct Producer {
    int64_t producer_id = 0;
    int32_t producer_epoch = 0;
    int32_t last_sequence = -1;
    int64_t last_timestamp = -1;  // of its last batch here, ms
    int32_t coordinator_epoch = 0;
    int64_t current_txn_start_offset = -1;  // -1: no transaction is open here
    void fields(auto& f) {
      f(producer_id);
      f(producer_epoch);
      f(last_sequence);
      f(last_timestamp);
      f(coordinator_epoch);
      f(current_txn_start_offset);
    }
  };
  struct Partition {
    int32_t partition_index = 0;
    ErrorCode error_code{};
    std::optional<std::string> error_message;
    std::vector<Producer> active_producers;
    void fields(auto& f) {
      f(partition_index);
      f(error_code);
      f(error_message, since(0), since(0));
      f(active_producers);
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
