// The error codes that brokers answer with. They are outcomes of single items (a partition, a topic, a
// group), so they are values; require() turns one into an Error where the caller has no better answer.
// Source: the error code table of the Apache Kafka protocol guide,
// https://kafka.apache.org/protocol#protocol_error_codes
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"

namespace kb::kafka {

// Those that brokers give to the requests we send; any other value can still arrive.
enum class ErrorCode : int16_t {
  unknown_server_error = -1,
  none = 0,
  offset_out_of_range = 1,
  corrupt_message = 2,
  unknown_topic_or_partition = 3,
  invalid_fetch_size = 4,
  leader_not_available = 5,
  not_leader_or_follower = 6,
  request_timed_out = 7,
  broker_not_available = 8,
  replica_not_available = 9,
  message_too_large = 10,
  offset_metadata_too_large = 12,
  network_exception = 13,
  coordinator_load_in_progress = 14,
  coordinator_not_available = 15,
  not_coordinator = 16,
  invalid_topic_exception = 17,
  record_list_too_large = 18,
  not_enough_replicas = 19,
  not_enough_replicas_after_append = 20,
  invalid_required_acks = 21,
  illegal_generation = 22,
  invalid_group_id = 24,
  unknown_member_id = 25,
  rebalance_in_progress = 27,
  invalid_commit_offset_size = 28,
  topic_authorization_failed = 29,
  group_authorization_failed = 30,
  cluster_authorization_failed = 31,
  invalid_timestamp = 32,
  unsupported_sasl_mechanism = 33,
  illegal_sasl_state = 34,
  unsupported_version = 35,
  topic_already_exists = 36,
  invalid_partitions = 37,
  invalid_replication_factor = 38,
  invalid_replica_assignment = 39,
  invalid_config = 40,
  not_controller = 41,
  invalid_request = 42,
  unsupported_for_message_format = 43,
  policy_violation = 44,
  out_of_order_sequence_number = 45,
  duplicate_sequence_number = 46,
  invalid_producer_epoch = 47,
  invalid_txn_state = 48,
  invalid_producer_id_mapping = 49,
  invalid_transaction_timeout = 50,
  concurrent_transactions = 51,
  transaction_coordinator_fenced = 52,
  transactional_id_authorization_failed = 53,
  security_disabled = 54,
  operation_not_attempted = 55,
  kafka_storage_error = 56,
  log_dir_not_found = 57,
  sasl_authentication_failed = 58,
  unknown_producer_id = 59,
  group_id_not_found = 69,
  fetch_session_id_not_found = 70,
  invalid_fetch_session_epoch = 71,
  topic_deletion_disabled = 73,
  fenced_leader_epoch = 74,
  unknown_leader_epoch = 75,
  unsupported_compression_type = 76,
  stale_broker_epoch = 77,
  offset_not_available = 78,
  unstable_offset_commit = 88,
  throttling_quota_exceeded = 89,
  producer_fenced = 90,
  invalid_record = 87,
  unknown_topic_id = 100,
  inconsistent_topic_id = 103,
  fetch_session_topic_id_error = 106,
  offset_moved_to_tiered_storage = 109,
  stale_member_epoch = 113,
  transaction_abortable = 120,
  rebootstrap_required = 129,
};

struct ErrorCodeInfo {
  ErrorCode code;
  std::string_view name;  // as in the protocol guide
  bool retriable;         // the same request may succeed later, perhaps after a look at fresh metadata
  ErrorKind kind;         // of the Error when it is not retried
  std::string_view meaning;
};

// Every code above, once.
std::span<const ErrorCodeInfo> error_codes();

// "NOT_LEADER_OR_FOLLOWER"; "UNKNOWN" for a code that is not in the table.
std::string_view name(ErrorCode code);
bool retriable(ErrorCode code);  // false for a code that is not in the table
ErrorKind kind(ErrorCode code);
// "NOT_LEADER_OR_FOLLOWER (6): this broker does not lead the partition"
std::string describe(ErrorCode code);

// Throws when `code` is an error: "<doing>: NAME (number): meaning (the broker says: message)".
void require(ErrorCode code, std::string_view doing, std::string_view broker_message = {});

}  // namespace kb::kafka
