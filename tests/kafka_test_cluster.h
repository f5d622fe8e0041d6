// Test support: what the tests against real brokers share. What goes wrong is thrown.
#pragma once
#include <cstdlib>
#include <random>
#include <string>

#include "base/error.h"
#include "kafka/cluster.h"
#include "kafka/messages.h"
#include "kafka/record_batch.h"
#include "kafka/record_batch_builder.h"
#include "server_test_support.h"

namespace kb::kafka {

// A cluster that has answered.
struct Connected : Cluster {
  explicit Connected(const ClusterSettings& settings) : Cluster(settings) { connect(soon()); }
};

// Asks the leader until the answer is final: a new leader knows later than others that it is one.
template <class Request, class CodeOf>
Reply<typename Request::Response> ask_leader(Cluster& cluster, const std::string& topic,
                                             const Request& request, CodeOf code_of) {
  for (auto ctx = soon();; ctx.sleep_for(std::chrono::milliseconds(10))) {
    auto reply = cluster.call_broker(ctx, cluster.leader(topic, 0), request);
    ErrorCode code = code_of(reply.message);
    if (retriable(code)) continue;
    require(code, fmt::format("{} of {}", Request::api.name, topic));
    return reply;
  }
}

inline int64_t end_offset(Cluster& cluster, const std::string& topic) {
  ListOffsetsRequest request;
  request.topics.push_back({.name = topic});
  request.topics[0].partitions.push_back({.partition_index = 0, .timestamp = -1});
  auto partition = [](const ListOffsetsResponse& response) { return response.topics.at(0).partitions.at(0); };
  auto code_of = [&](const ListOffsetsResponse& response) { return partition(response).error_code; };
  return partition(ask_leader(cluster, topic, request, code_of).message).offset;
}

// A topic of one partition on one broker, with a name of its own in each run; ready for use.
inline std::string create_topic(Cluster& cluster, int32_t node_id) {
  auto name = fmt::format("broker-test-{}", std::random_device{}());
  CreateTopicsRequest::Topic topic{.name = name, .num_partitions = -1, .replication_factor = -1};
  topic.assignments.push_back({.partition_index = 0, .broker_ids = {node_id}});
  auto reply = cluster.call_controller(soon(), CreateTopicsRequest{.topics = {topic}});
  require(reply.message.topics.at(0).error_code, "creating a topic");
  const std::string topics[] = {name};
  for (auto ctx = soon(); cluster.leader(name, 0) != node_id; cluster.refresh(ctx, topics))
    ctx.sleep_for(std::chrono::milliseconds(10));
  end_offset(cluster, name);
  return name;
}

inline int64_t produce(Cluster& cluster, const std::string& topic, const std::string& value) {
  RecordBatchBuilder builder;
  builder.add(Record{.timestamp = 1, .value = value});
  auto batch = builder.batch({});
  ProduceRequest request{.acks = -1, .timeout_ms = 10000};
  request.topic_data.push_back({.name = topic});
  request.topic_data[0].partition_data.push_back({.index = 0, .records = {batch}});
  auto partition = [](const ProduceResponse& response) {
    return response.responses.at(0).partition_responses.at(0);
  };
  auto code_of = [&](const ProduceResponse& response) { return partition(response).error_code; };
  return partition(ask_leader(cluster, topic, request, code_of).message).base_offset;
}

// Of one batch.
inline FetchRequest fetch_request(const std::string& topic, int64_t offset) {
  FetchRequest request{.max_wait_ms = 500, .min_bytes = 1};
  request.topics.push_back({.topic = topic});
  request.topics[0].partitions.push_back({.partition = 0, .fetch_offset = offset, .partition_max_bytes = 1});
  return request;
}

inline int64_t first_offset(const Reply<FetchResponse>& reply) {
  const auto& partition = reply.message.responses.at(0).partitions.at(0);
  require(partition.error_code, "fetching");
  auto rest = partition.records.bytes;
  auto batch = next_batch(rest);
  if (!batch || !batch->crc_matches()) fail(ErrorKind::corrupt, "no whole batch was fetched");
  return batch->base_offset();
}

}  // namespace kb::kafka
