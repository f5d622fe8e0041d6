#include "kafka/error_code.h"

#include <algorithm>
#include <array>

namespace kb::kafka {
namespace {
using enum ErrorCode;
using enum ErrorKind;

constexpr ErrorCodeInfo table[] = {
    {unknown_server_error, "UNKNOWN_SERVER_ERROR", false, unavailable, "the broker failed; its log says why"},
    {none, "NONE", false, internal, "no error"},
    {offset_out_of_range, "OFFSET_OUT_OF_RANGE", false, conflict, "the offset is outside of the log"},
    {corrupt_message, "CORRUPT_MESSAGE", true, corrupt,
     "the batch fails its checksum or cannot be read by the broker"},
    {unknown_topic_or_partition, "UNKNOWN_TOPIC_OR_PARTITION", true, not_found,
     "the broker does not host this topic or partition"},
    {invalid_fetch_size, "INVALID_FETCH_SIZE", false, internal, "the requested fetch size is invalid"},
    {leader_not_available, "LEADER_NOT_AVAILABLE", true, unavailable, "the partition has no leader now"},
    {not_leader_or_follower, "NOT_LEADER_OR_FOLLOWER", true, unavailable,
     "this broker does not lead the partition"},
    {request_timed_out, "REQUEST_TIMED_OUT", true, timed_out, "the broker gave up waiting"},
    {broker_not_available, "BROKER_NOT_AVAILABLE", false, unavailable, "the broker is not available"},
    {replica_not_available, "REPLICA_NOT_AVAILABLE", true, unavailable, "the replica is not available"},
    {message_too_large, "MESSAGE_TOO_LARGE", false, invalid,
     "the batch is larger than max.message.bytes of the topic"},
    {offset_metadata_too_large, "OFFSET_METADATA_TOO_LARGE", false, invalid,
     "the metadata of the commit is longer than offset.metadata.max.bytes"},
    {network_exception, "NETWORK_EXCEPTION", true, unavailable,
     "the broker lost a connection before it could answer"},
    {coordinator_load_in_progress, "COORDINATOR_LOAD_IN_PROGRESS", true, unavailable,
     "the coordinator is starting"},
    {coordinator_not_available, "COORDINATOR_NOT_AVAILABLE", true, unavailable,
     "the coordinator is not available"},
    {not_coordinator, "NOT_COORDINATOR", true, unavailable, "this broker is not the coordinator"},
    {invalid_topic_exception, "INVALID_TOPIC_EXCEPTION", false, invalid,
     "the name cannot be a topic's, or the topic is internal"},
    {record_list_too_large, "RECORD_LIST_TOO_LARGE", false, invalid,
     "the batch is larger than a segment of the topic"},
    {not_enough_replicas, "NOT_ENOUGH_REPLICAS", true, unavailable,
     "fewer replicas are in sync than min.insync.replicas asks for"},
    {not_enough_replicas_after_append, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", true, unavailable,
     "the batch was written to fewer replicas than min.insync.replicas asks for"},
    {invalid_required_acks, "INVALID_REQUIRED_ACKS", false, internal, "acks is invalid"},
    {illegal_generation, "ILLEGAL_GENERATION", false, conflict,
     "the group has active members or another generation"},
    {invalid_group_id, "INVALID_GROUP_ID", false, invalid, "the group id is invalid"},
    {unknown_member_id, "UNKNOWN_MEMBER_ID", false, conflict,
     "the group has active members; stop its consumers"},
    {rebalance_in_progress, "REBALANCE_IN_PROGRESS", false, conflict,
     "the group has active members and rebalances"},
    {invalid_commit_offset_size, "INVALID_COMMIT_OFFSET_SIZE", false, invalid,
     "the committed offsets are too large"},
    {topic_authorization_failed, "TOPIC_AUTHORIZATION_FAILED", false, denied, "not allowed on this topic"},
    {group_authorization_failed, "GROUP_AUTHORIZATION_FAILED", false, denied, "not allowed on this group"},
    {cluster_authorization_failed, "CLUSTER_AUTHORIZATION_FAILED", false, denied,
     "not allowed on the cluster"},
    {invalid_timestamp, "INVALID_TIMESTAMP", false, invalid,
     "a record's timestamp is outside of what the topic accepts"},
    {unsupported_sasl_mechanism, "UNSUPPORTED_SASL_MECHANISM", false, invalid,
     "the listener does not offer this SASL mechanism"},
    {illegal_sasl_state, "ILLEGAL_SASL_STATE", false, invalid,
     "the listener does not expect a login by SASL now"},
    {unsupported_version, "UNSUPPORTED_VERSION", false, invalid, "the broker does not speak this version"},
    {topic_already_exists, "TOPIC_ALREADY_EXISTS", false, conflict, "the topic exists"},
    {invalid_partitions, "INVALID_PARTITIONS", false, invalid, "the number of partitions is invalid"},
    {invalid_replication_factor, "INVALID_REPLICATION_FACTOR", false, invalid,
     "the replication factor is invalid or larger than the number of brokers"},
    {invalid_replica_assignment, "INVALID_REPLICA_ASSIGNMENT", false, invalid,
     "the replica assignment is invalid"},
    {invalid_config, "INVALID_CONFIG", false, invalid, "a configuration is invalid"},
    {not_controller, "NOT_CONTROLLER", true, unavailable, "this broker is not the controller"},
    {invalid_request, "INVALID_REQUEST", false, internal, "the broker cannot make sense of the request"},
    {unsupported_for_message_format, "UNSUPPORTED_FOR_MESSAGE_FORMAT", false, invalid,
     "the message format of the topic is too old for this"},
    {policy_violation, "POLICY_VIOLATION", false, denied,
     "a policy of the cluster or of the topic forbids it"},
    {out_of_order_sequence_number, "OUT_OF_ORDER_SEQUENCE_NUMBER", false, conflict,
     "the batch does not follow the last one of its producer"},
    {duplicate_sequence_number, "DUPLICATE_SEQUENCE_NUMBER", false, conflict, "the batch was written before"},
    {invalid_producer_epoch, "INVALID_PRODUCER_EPOCH", false, conflict,
     "another producer with the same transactional id took over"},
    {invalid_txn_state, "INVALID_TXN_STATE", false, conflict,
     "the transaction is not in a state that allows this"},
    {invalid_producer_id_mapping, "INVALID_PRODUCER_ID_MAPPING", false, conflict,
     "the producer id does not belong to the transactional id"},
    {invalid_transaction_timeout, "INVALID_TRANSACTION_TIMEOUT", false, invalid,
     "the timeout is larger than transaction.max.timeout.ms of the broker"},
    {concurrent_transactions, "CONCURRENT_TRANSACTIONS", true, unavailable,
     "the previous transaction of this transactional id is still being ended"},
    {transaction_coordinator_fenced, "TRANSACTION_COORDINATOR_FENCED", false, conflict,
     "the coordinator that asked has been replaced"},
    {transactional_id_authorization_failed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false, denied,
     "not allowed to use this transactional id"},
    {security_disabled, "SECURITY_DISABLED", false, invalid, "the cluster has no authorizer"},
    {operation_not_attempted, "OPERATION_NOT_ATTEMPTED", false, unavailable,
     "not attempted because another item of the same request failed"},
    {kafka_storage_error, "KAFKA_STORAGE_ERROR", true, unavailable, "the broker's disk failed"},
    {log_dir_not_found, "LOG_DIR_NOT_FOUND", false, not_found, "the broker does not have this log directory"},
    {sasl_authentication_failed, "SASL_AUTHENTICATION_FAILED", false, denied, "the login is refused"},
    {unknown_producer_id, "UNKNOWN_PRODUCER_ID", false, conflict, "the broker has forgotten the producer"},
    {group_id_not_found, "GROUP_ID_NOT_FOUND", false, not_found, "the group does not exist"},
    {fetch_session_id_not_found, "FETCH_SESSION_ID_NOT_FOUND", true, unavailable,
     "the fetch session is gone"},
    {invalid_fetch_session_epoch, "INVALID_FETCH_SESSION_EPOCH", true, unavailable,
     "the fetch session has moved on"},
    {topic_deletion_disabled, "TOPIC_DELETION_DISABLED", false, denied,
     "delete.topic.enable is false on the brokers"},
    {fenced_leader_epoch, "FENCED_LEADER_EPOCH", true, unavailable,
     "the leader epoch is older than the broker's"},
    {unknown_leader_epoch, "UNKNOWN_LEADER_EPOCH", true, unavailable,
     "the leader epoch is newer than the broker's"},
    {unsupported_compression_type, "UNSUPPORTED_COMPRESSION_TYPE", false, invalid,
     "the broker does not support the compression of the batch in this version"},
    {stale_broker_epoch, "STALE_BROKER_EPOCH", false, unavailable, "the broker has been restarted"},
    {offset_not_available, "OFFSET_NOT_AVAILABLE", true, unavailable,
     "the new leader does not know its high watermark yet"},
    {unstable_offset_commit, "UNSTABLE_OFFSET_COMMIT", true, unavailable,
     "a transaction that commits offsets of this group is still open"},
    {throttling_quota_exceeded, "THROTTLING_QUOTA_EXCEEDED", true, throttled,
     "the controller's mutation quota is used up"},
    {producer_fenced, "PRODUCER_FENCED", false, conflict,
     "another producer with the same transactional id took over"},
    {invalid_record, "INVALID_RECORD", false, invalid, "the broker refuses the batch"},
    {unknown_topic_id, "UNKNOWN_TOPIC_ID", true, not_found, "the broker does not host a topic with this id"},
    {inconsistent_topic_id, "INCONSISTENT_TOPIC_ID", true, conflict,
     "the topic was deleted and created again"},
    {fetch_session_topic_id_error, "FETCH_SESSION_TOPIC_ID_ERROR", true, unavailable,
     "the fetch session mixes topic names and ids"},
    {offset_moved_to_tiered_storage, "OFFSET_MOVED_TO_TIERED_STORAGE", false, unavailable,
     "the offset is in remote storage only"},
    {stale_member_epoch, "STALE_MEMBER_EPOCH", false, conflict,
     "the group has active members; stop its consumers"},
    {transaction_abortable, "TRANSACTION_ABORTABLE", false, conflict, "the transaction can only be aborted"},
    {rebootstrap_required, "REBOOTSTRAP_REQUIRED", false, unavailable,
     "the broker asks clients to bootstrap again"},
};

const ErrorCodeInfo* find(ErrorCode code) {
  const auto found = std::ranges::find(table, code, &ErrorCodeInfo::code);
  return found == std::end(table) ? nullptr : found;
}
}  // namespace

std::span<const ErrorCodeInfo> error_codes() {
  return table;
}

std::string_view name(ErrorCode code) {
  const auto* found = find(code);
  return found ? found->name : "UNKNOWN";
}

bool retriable(ErrorCode code) {
  const auto* found = find(code);
  return found && found->retriable;
}

ErrorKind kind(ErrorCode code) {
  const auto* found = find(code);
  return found ? found->kind : ErrorKind::unavailable;
}

std::string describe(ErrorCode code) {
  const auto* found = find(code);
  return fmt::format("{} ({}): {}", name(code), static_cast<int16_t>(code),
                     found ? found->meaning : "an error code that this program does not know");
}

void require(ErrorCode code, std::string_view doing, std::string_view broker_message) {
  if (code == none) return;
  if (broker_message.empty()) fail(kind(code), "{}: {}", doing, describe(code));
  fail(kind(code), "{}: {} (the broker says: {})", doing, describe(code), broker_message);
}

}  // namespace kb::kafka
