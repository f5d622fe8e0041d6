// Our encoding of every message in every version that we speak, byte for byte that of an independent
// implementation (tests/golden/kafka-messages makes the file and has the same values).
#include "kafka/messages.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

class GoldenMessages {
 public:
  GoldenMessages() {
    std::ifstream file(KB_TEST_DATA "/kafka-messages/messages.txt");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name, variant, hex;
      int16_t version = 0;
      words >> name >> variant >> version >> hex;
      lines_[{name, variant}][version] = from_hex(hex);
    }
  }

  template <class M>
  void compare(std::string_view kind, const std::string& variant, const M& message) {
    const std::string name = std::string(M::api.name) + std::string(kind);
    const auto& versions = lines_[{name, variant}];
    CHECK_MESSAGE(!versions.empty(), name << " " << variant);
    for (const auto& [version, golden] : versions) {
      CAPTURE(name);
      CAPTURE(variant);
      const auto compared_version = version;
      CAPTURE(compared_version);
      const WireBytes encoded = encode(message, version);
      CHECK(encoded.str() == golden);
      CHECK(encoded.size() == golden.size());
      CHECK(encode(decode<M>(golden, version), version).str() == golden);
      compared_.insert({name, version});
    }
    used_.insert({name, variant});
  }
  template <class Request>
  void request(const Request& message, const std::string& variant = "full") {
    compare("Request", variant, message);
  }
  template <class Response>
  void response(const Response& message, const std::string& variant = "full") {
    compare("Response", variant, message);
  }
  const std::string& bytes(const std::string& name, const std::string& variant, int16_t version) {
    used_.insert({name, variant});
    return lines_.at({name, variant}).at(version);
  }

  void check_complete() const {
    AllRequests::for_each([&]<class Request>() {
      for (int16_t version = Request::api.min_version; version <= Request::api.max_version; ++version)
        for (const char* kind : {"Request", "Response"}) {
          const std::string name = std::string(Request::api.name) + kind;
          CHECK_MESSAGE(compared_.contains({name, version}),
                        name << " v" << version << " has no golden bytes");
        }
    });
    for (const auto& line : lines_)
      CHECK_MESSAGE(used_.contains(line.first),
                    line.first.first << " " << line.first.second << " is compared with nothing");
  }

 private:
  std::map<std::pair<std::string, std::string>, std::map<int16_t, std::string>> lines_;
  std::set<std::pair<std::string, int16_t>> compared_;
  std::set<std::pair<std::string, std::string>> used_;
};

constexpr Uuid id{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255};
constexpr int64_t year_2023_ms = 1700000000000;

void api_versions(GoldenMessages& golden) {
  golden.request(ApiVersionsRequest{.client_software_name = "name", .client_software_version = "1.0"});
  golden.response(ApiVersionsResponse{.error_code = ErrorCode::unsupported_version,
                                      .api_keys = {{1, 4, 18}, {18, 0, 4}},
                                      .throttle_time_ms = 7,
                                      .supported_features = {{"metadata.version", 1, 25}},
                                      .finalized_features_epoch = 8,
                                      .finalized_features = {{"group.version", 2, 1}},
                                      .zk_migration_ready = true});
  golden.response(ApiVersionsResponse{}, "bare");
}

void metadata(GoldenMessages& golden) {
  using Topics = std::vector<MetadataRequest::Topic>;
  golden.request(MetadataRequest{.topics = Topics{{.topic_id = id, .name = "orders"}, {}},
                                 .allow_auto_topic_creation = false,
                                 .include_cluster_authorized_operations = true,
                                 .include_topic_authorized_operations = true});
  golden.request(MetadataRequest{.topics = {}}, "all");
  golden.request(
      MetadataRequest{.topics = Topics{{.topic_id = id, .name = {}}}, .allow_auto_topic_creation = false},
      "by_id");
  const MetadataResponse::Partition partition{.error_code = ErrorCode::leader_not_available,
                                              .partition_index = 3,
                                              .leader_id = 1,
                                              .leader_epoch = 9,
                                              .replica_nodes = {1, 2},
                                              .isr_nodes = {2},
                                              .offline_replicas = {4}};
  golden.response(MetadataResponse{.throttle_time_ms = 11,
                                   .brokers = {{1, "h1", 9092, "r"}, {2, "h2", 9093, {}}},
                                   .cluster_id = "cluster",
                                   .controller_id = 2,
                                   .topics = {{.error_code = ErrorCode::unknown_topic_or_partition,
                                               .name = "orders",
                                               .topic_id = id,
                                               .is_internal = true,
                                               .partitions = {partition},
                                               .topic_authorized_operations = 3576}},
                                   .cluster_authorized_operations = 264});
  golden.response(MetadataResponse{.topics = {{.name = {}, .topic_authorized_operations = 0}}}, "nulls");
}

void find_coordinator(GoldenMessages& golden) {
  golden.request(FindCoordinatorRequest{.key = "group", .key_type = CoordinatorKind::transaction});
  golden.response(FindCoordinatorResponse{.throttle_time_ms = 1,
                                          .error_code = ErrorCode::coordinator_not_available,
                                          .error_message = "why",
                                          .node_id = 3,
                                          .host = "h",
                                          .port = 9092});
  golden.response(FindCoordinatorResponse{.error_message = {}}, "nulls");
}

void fetch(GoldenMessages& golden) {
  golden.request(FetchRequest{.cluster_id = "c",
                              .max_wait_ms = 500,
                              .min_bytes = 1,
                              .max_bytes = 1 << 20,
                              .isolation_level = IsolationLevel::read_committed,
                              .session_id = 77,
                              .session_epoch = 5,
                              .topics = {{"orders",
                                          id,
                                          {{.partition = 2,
                                            .current_leader_epoch = 6,
                                            .fetch_offset = int64_t{1} << 40,
                                            .last_fetched_epoch = 4,
                                            .log_start_offset = 10,
                                            .partition_max_bytes = 65536}}}},
                              .forgotten_topics_data = {{"old", id, {0, 9}}},
                              .rack_id = "rack"});
  golden.request(FetchRequest{}, "bare");
  const FetchResponse::Partition full{
      .partition_index = 2,
      .error_code = ErrorCode::offset_out_of_range,
      .high_watermark = 50,
      .last_stable_offset = 49,
      .log_start_offset = 3,
      .diverging_epoch = {.epoch = 2, .end_offset = 40},
      .current_leader = {.leader_id = 3, .leader_epoch = 9},
      .snapshot_id = {.end_offset = 30, .epoch = 1},
      .aborted_transactions = std::vector<FetchResponse::AbortedTransaction>{{4000, 12}},
      .preferred_read_replica = 7,
      .records = {"RAW BATCHES"}};
  const FetchResponse::Partition bare{.aborted_transactions = {}};
  FetchResponse::Partition second = bare;
  second.partition_index = 3;
  second.records = {"MORE"};
  golden.response(FetchResponse{.throttle_time_ms = 5,
                                .error_code = ErrorCode::fetch_session_id_not_found,
                                .session_id = 77,
                                .responses = {{"orders", id, {full, bare, second}}},
                                .node_endpoints = {{3, "h3", 9093, "r"}, {4, "h4", 9094, {}}}});
}

TEST_CASE("a fetch of a topic without an id speaks a version with names") {
  FetchRequest request{.topics = {{.topic = "orders", .topic_id = id}}};
  CHECK(request.version_max() == FetchRequest::api.max_version);
  request.topics.push_back({.topic = "users"});
  CHECK(request.version_max() == 12);
}

TEST_CASE("what is written to a topic without an id, or in a transaction, names it") {
  ProduceRequest request{.topic_data = {{.name = "orders", .topic_id = id}}};
  CHECK(request.version_max() == ProduceRequest::api.max_version);
  request.topic_data.push_back({.name = "users"});
  CHECK(request.version_max() == 12);
  request.transactional_id = "t";
  CHECK(request.version_max() == 11);
}

void offsets(GoldenMessages& golden) {
  golden.request(
      ListOffsetsRequest{.replica_id = replica_id_consumer,
                         .isolation_level = IsolationLevel::read_committed,
                         .topics = {{"orders", {{2, 6, earliest_timestamp}, {3, -1, year_2023_ms}}}}});
  golden.response(ListOffsetsResponse{.throttle_time_ms = 5,
                                      .topics = {{"orders",
                                                  {{.partition_index = 2,
                                                    .error_code = ErrorCode::not_leader_or_follower,
                                                    .timestamp = year_2023_ms,
                                                    .offset = int64_t{1} << 33,
                                                    .leader_epoch = 8}}}}});
  golden.request(OffsetForLeaderEpochRequest{
      .replica_id = replica_id_consumer,
      .topics = {{"orders", {{.partition = 2, .current_leader_epoch = 6, .leader_epoch = 5}}}}});
  golden.response(OffsetForLeaderEpochResponse{.throttle_time_ms = 5,
                                               .topics = {{"orders",
                                                           {{.error_code = ErrorCode::fenced_leader_epoch,
                                                             .partition = 2,
                                                             .leader_epoch = 4,
                                                             .end_offset = 1234567890123}}}}});
}

void produce(GoldenMessages& golden) {
  golden.request(ProduceRequest{.transactional_id = "restore",
                                .acks = -1,
                                .timeout_ms = 30000,
                                .topic_data = {{"orders", {{1, {"BATCH ONE"}}, {2, {"BATCH TWO"}}}, id},
                                               {"users", {{0, {"B3"}}}, id}}});
  golden.request(ProduceRequest{.acks = 1}, "nulls");
  const ProduceResponse::Partition partition{.index = 1,
                                             .error_code = ErrorCode::invalid_record,
                                             .base_offset = int64_t{1} << 35,
                                             .log_append_time_ms = year_2023_ms + 1,
                                             .log_start_offset = 4,
                                             .record_errors = {{6, "no key"}, {7, {}}},
                                             .error_message = "refused",
                                             .current_leader = {.leader_id = 3, .leader_epoch = 9}};
  golden.response(ProduceResponse{.responses = {{"orders", {partition, {}}, id}},
                                  .throttle_time_ms = 5,
                                  .node_endpoints = {{3, "h3", 9094, "r"}}});
}

void transactions(GoldenMessages& golden) {
  golden.request(InitProducerIdRequest{.transactional_id = "restore",
                                       .transaction_timeout_ms = 60000,
                                       .producer_id = 4000,
                                       .producer_epoch = 3});
  golden.request(InitProducerIdRequest{.transactional_id = {}}, "nulls");
  golden.response(InitProducerIdResponse{.throttle_time_ms = 5,
                                         .error_code = ErrorCode::concurrent_transactions,
                                         .producer_id = 4001,
                                         .producer_epoch = 4});
  golden.request(AddPartitionsToTxnRequest{.transactional_id = "restore",
                                           .producer_id = 4000,
                                           .producer_epoch = 3,
                                           .topics = {{"orders", {1, 2}}}});
  golden.response(AddPartitionsToTxnResponse{
      .throttle_time_ms = 5, .results_by_topic = {{"orders", {{1, ErrorCode::concurrent_transactions}}}}});
  golden.request(EndTxnRequest{
      .transactional_id = "restore", .producer_id = 4000, .producer_epoch = 3, .committed = true});
  golden.response(EndTxnResponse{.throttle_time_ms = 5, .error_code = ErrorCode::invalid_producer_epoch});
}

void topics(GoldenMessages& golden) {
  golden.request(
      CreateTopicsRequest{.topics = {{.name = "orders",
                                      .num_partitions = 12,
                                      .replication_factor = 3,
                                      .assignments = {{.partition_index = 4, .broker_ids = {1, 2}}},
                                      .configs = {{"retention.ms", "-1"}, {"cleanup.policy", {}}}}},
                          .timeout_ms = 30000,
                          .validate_only = true});
  using Configs = std::vector<CreateTopicsResponse::Config>;
  golden.response(CreateTopicsResponse{
      .throttle_time_ms = 5,
      .topics = {{.name = "orders",
                  .topic_id = id,
                  .error_code = ErrorCode::topic_already_exists,
                  .error_message = "exists",
                  .topic_config_error_code = ErrorCode::topic_authorization_failed,
                  .num_partitions = 12,
                  .replication_factor = 3,
                  .configs = Configs{{"retention.ms", "-1", true, ConfigSource::dynamic_topic, true},
                                     {"secret", {}, false, ConfigSource::default_config, false}}}}});
  golden.response(CreateTopicsResponse{.topics = {{.name = "orders", .error_message = {}, .configs = {}}}},
                  "nulls");
  golden.request(DeleteTopicsRequest{.topic_names = {"orders", "users"}, .timeout_ms = 30000});
  golden.response(
      DeleteTopicsResponse{.throttle_time_ms = 5,
                           .responses = {{"orders", ErrorCode::topic_deletion_disabled, "disabled"},
                                         {"users", ErrorCode::none, {}}}});
  golden.request(DeleteRecordsRequest{.topics = {{"orders", {{2, 1800000}}}}, .timeout_ms = 30000});
  golden.response(DeleteRecordsResponse{.throttle_time_ms = 5,
                                        .topics = {{"orders", {{2, 1800000, ErrorCode::policy_violation}}}}});
}

void configs(GoldenMessages& golden) {
  using enum ConfigSource;
  constexpr auto topic = ConfigResourceType::topic;
  constexpr auto broker = ConfigResourceType::broker;
  golden.request(DescribeConfigsRequest{
      .resources = {{topic, "orders", std::vector<std::string>{"retention.ms"}}, {broker, "1", {}}},
      .include_synonyms = true,
      .include_documentation = true});
  const DescribeConfigsResponse::Config retention{
      .name = "retention.ms",
      .value = "-1",
      .read_only = true,
      .config_source = dynamic_topic,
      .is_sensitive = true,
      .synonyms = {{"log.retention.ms", "5", static_broker}, {"x", {}, default_config}},
      .config_type = 5,
      .documentation = "doc"};
  const DescribeConfigsResponse::Config password{
      .name = "password", .value = {}, .config_source = default_config, .documentation = {}};
  golden.response(DescribeConfigsResponse{
      .throttle_time_ms = 5,
      .results = {{ErrorCode::topic_authorization_failed, "denied", topic, "orders", {retention, password}},
                  {ErrorCode::none, {}, broker, "1", {}}}});
  golden.request(
      IncrementalAlterConfigsRequest{.resources = {{topic,
                                                    "orders",
                                                    {{"retention.ms", ConfigOperation::set, "-1"},
                                                     {"cleanup.policy", ConfigOperation::remove, {}}}}},
                                     .validate_only = true});
  golden.response(
      IncrementalAlterConfigsResponse{.throttle_time_ms = 5,
                                      .responses = {{ErrorCode::invalid_config, "bad", topic, "orders"},
                                                    {ErrorCode::none, {}, topic, "users"}}});
}

void log_dirs(GoldenMessages& golden) {
  golden.request(
      DescribeLogDirsRequest{.topics = std::vector<DescribeLogDirsRequest::Topic>{{"orders", {0, 5}}}});
  golden.request(DescribeLogDirsRequest{.topics = {}}, "all");
  golden.response(
      DescribeLogDirsResponse{.throttle_time_ms = 5,
                              .error_code = ErrorCode::cluster_authorization_failed,
                              .results = {{.error_code = ErrorCode::kafka_storage_error,
                                           .log_dir = "/data",
                                           .topics = {{"orders", {{5, int64_t{1} << 34, 3, true}}}},
                                           .total_bytes = int64_t{1} << 42,
                                           .usable_bytes = int64_t{1} << 41}}});
}

void groups(GoldenMessages& golden) {
  golden.request(ListGroupsRequest{.states_filter = {"Stable", "Empty"}, .types_filter = {"consumer"}});
  golden.response(ListGroupsResponse{.throttle_time_ms = 5,
                                     .error_code = ErrorCode::coordinator_load_in_progress,
                                     .groups = {{"billing", "consumer", "Stable", "classic"}}});
  golden.request(
      DescribeGroupsRequest{.groups = {"billing", "audit"}, .include_authorized_operations = true});
  const DescribeGroupsResponse::Member member{.member_id = "m",
                                              .group_instance_id = "i",
                                              .client_id = "c",
                                              .client_host = "/10.0.0.1",
                                              .member_metadata = {from_hex("00ff")},
                                              .member_assignment = {"\1\2\3"}};
  golden.response(DescribeGroupsResponse{.throttle_time_ms = 5,
                                         .groups = {{.error_code = ErrorCode::group_id_not_found,
                                                     .error_message = "gone",
                                                     .group_id = "billing",
                                                     .group_state = "Stable",
                                                     .protocol_type = "consumer",
                                                     .protocol_data = "range",
                                                     .members = {member, {.member_id = "m2"}},
                                                     .authorized_operations = 328},
                                                    {}}});
}

void group_offsets(GoldenMessages& golden) {
  golden.request(OffsetFetchRequest{.group_id = "billing",
                                    .topics = std::vector<OffsetFetchRequest::Topic>{{"orders", {0, 1}}},
                                    .require_stable = true});
  golden.request(OffsetFetchRequest{.group_id = "billing", .topics = {}}, "all");
  golden.response(
      OffsetFetchResponse{.throttle_time_ms = 5,
                          .topics = {{"orders",
                                      {{1, int64_t{1} << 36, 7, "note", ErrorCode::unstable_offset_commit},
                                       {.partition_index = 2, .committed_offset = -1, .metadata = {}}}}},
                          .error_code = ErrorCode::not_coordinator});
  golden.request(
      OffsetCommitRequest{.group_id = "billing",
                          .generation_id_or_member_epoch = 4,
                          .member_id = "m",
                          .group_instance_id = "i",
                          .retention_time_ms = 86400000,
                          .topics = {{"orders", {{1, int64_t{1} << 36, 7, "note"}, {2, 5, -1, {}}}}}});
  golden.request(OffsetCommitRequest{.group_id = "billing"}, "nulls");
  golden.response(OffsetCommitResponse{.throttle_time_ms = 5,
                                       .topics = {{"orders", {{1, ErrorCode::unknown_member_id}}}}});
}

void access(GoldenMessages& golden) {
  golden.request(DescribeClusterRequest{.include_cluster_authorized_operations = true});
  golden.response(DescribeClusterResponse{.throttle_time_ms = 5,
                                          .error_code = ErrorCode::cluster_authorization_failed,
                                          .error_message = "denied",
                                          .cluster_id = "cluster",
                                          .controller_id = 2,
                                          .brokers = {{1, "h1", 9092, "r"}, {2, "h2", 9093, {}}},
                                          .cluster_authorized_operations = 264});
  golden.request(DescribeAclsRequest{.resource_type_filter = AclResource::topic,
                                     .resource_name_filter = "orders",
                                     .pattern_type_filter = AclPattern::prefixed,
                                     .principal_filter = "User:a",
                                     .host_filter = "*",
                                     .operation = AclOperation::describe,
                                     .permission_type = AclPermission::allow});
  golden.request(DescribeAclsRequest{.resource_type_filter = AclResource::any,
                                     .resource_name_filter = {},
                                     .pattern_type_filter = AclPattern::any,
                                     .principal_filter = {},
                                     .host_filter = {},
                                     .operation = AclOperation::any,
                                     .permission_type = AclPermission::any},
                 "all");
  golden.response(DescribeAclsResponse{
      .throttle_time_ms = 5,
      .error_code = ErrorCode::security_disabled,
      .error_message = "none",
      .resources = {{AclResource::group,
                     "billing",
                     AclPattern::literal,
                     {{"User:a", "10.0.0.1", AclOperation::read, AclPermission::deny}}}}});
  golden.request(
      DescribeClientQuotasRequest{.components = {{"user", 0, "a"}, {"client-id", 1, {}}}, .strict = true});
  golden.response(DescribeClientQuotasResponse{
      .throttle_time_ms = 5,
      .error_code = ErrorCode::cluster_authorization_failed,
      .error_message = "denied",
      .entries = std::vector<DescribeClientQuotasResponse::Entry>{
          {.entity = {{"user", "a"}, {"client-id", {}}},
           .values = {{"producer_byte_rate", 1048576.5}, {"consumer_byte_rate", -0.25}}}}});
}

void open_transactions(GoldenMessages& golden) {
  golden.request(DescribeProducersRequest{.topics = {{"orders", {0, 7}}}});
  golden.response(DescribeProducersResponse{
      .throttle_time_ms = 5,
      .topics = {{"orders",
                  {{.partition_index = 7,
                    .error_code = ErrorCode::topic_authorization_failed,
                    .error_message = "denied",
                    .active_producers = {{.producer_id = 4000,
                                          .producer_epoch = 3,
                                          .last_sequence = 11,
                                          .last_timestamp = year_2023_ms,
                                          .coordinator_epoch = 2,
                                          .current_txn_start_offset = int64_t{1} << 34}}}}}}});
}

void sasl(GoldenMessages& golden) {
  golden.request(SaslHandshakeRequest{.mechanism = "SCRAM-SHA-512"});
  golden.response(SaslHandshakeResponse{.error_code = ErrorCode::unsupported_sasl_mechanism,
                                        .mechanisms = {"PLAIN", "GSSAPI"}});
  golden.request(SaslAuthenticateRequest{.auth_bytes = {from_hex("00ff")}});
  golden.response(SaslAuthenticateResponse{.error_code = ErrorCode::sasl_authentication_failed,
                                           .error_message = "no",
                                           .auth_bytes = {"\1\2\3"},
                                           .session_lifetime_ms = int64_t{1} << 34});
  golden.response(SaslAuthenticateResponse{.error_message = {}}, "nulls");
}

void frames(GoldenMessages& golden) {
  for (int16_t version = 2; version <= 3; ++version)
    CHECK(encode_request("kafka-backup", 0x12345678, ListGroupsRequest{}, version).str() ==
          golden.bytes("Frame", "ListGroups", version));
}

TEST_CASE("messages are encoded and decoded as an independent implementation does it") {
  GoldenMessages golden;
  api_versions(golden);
  metadata(golden);
  find_coordinator(golden);
  fetch(golden);
  offsets(golden);
  produce(golden);
  transactions(golden);
  topics(golden);
  configs(golden);
  log_dirs(golden);
  groups(golden);
  group_offsets(golden);
  access(golden);
  open_transactions(golden);
  sasl(golden);
  frames(golden);
  golden.check_complete();
}

}  // namespace
}  // namespace kb::kafka
