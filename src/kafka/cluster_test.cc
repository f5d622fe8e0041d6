#include "kafka/cluster.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "kafka/scripted_broker.h"
#include "net/loopback_listener.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

// Answers one connection, request by request, as a test says; what it is asked for is counted.
class AnsweringBroker {
 public:
  using Answer = std::function<std::string(int16_t api_key, int32_t correlation_id)>;  // framed

  ~AnsweringBroker() { serving_.join(); }
  void serve(Answer answer) {
    serving_ = std::jthread([this, answer = std::move(answer)] {
      LoopbackPeer peer(listener_.accept());
      for (;;) {
        const auto size = peer.receive(4);
        if (size.size() < 4) return;
        const auto request = peer.receive(static_cast<std::size_t>(read_big_endian<int32_t>(size.data())));
        const auto api_key = read_big_endian<int16_t>(request.data());
        const auto correlation_id = read_big_endian<int32_t>(request.data() + 4);
        if (api_key == CreateTopicsRequest::api.key || api_key == OffsetFetchRequest::api.key) ++asked_;
        peer.send(api_key == ApiVersionsRequest::api.key ? versions(correlation_id)
                                                         : answer(api_key, correlation_id));
      }
    });
  }
  const Endpoint& endpoint() const { return listener_.endpoint(); }
  int asked() const { return asked_; }

 private:
  static std::string versions(int32_t correlation_id) {
    ApiVersionsResponse response;
    for (const auto& api : {MetadataRequest::api, CreateTopicsRequest::api, FindCoordinatorRequest::api,
                            OffsetFetchRequest::api})
      response.api_keys.push_back(
          {.api_key = api.key, .min_version = api.max_version, .max_version = api.max_version});
    return kafka::answer(correlation_id, response, ApiVersionsRequest::api.max_version);
  }
  LoopbackListener listener_;
  std::atomic<int> asked_ = 0;
  std::jthread serving_;
};

template <class Response>
std::string newest(int32_t correlation_id, const Response& response) {
  return answer(correlation_id, response, Response::api.max_version);
}

// Two brokers, of which the first one leads until it has said that it does not any more.
struct TwoBrokers {
  AnsweringBroker first, second;
  std::atomic<bool> moved = false;

  void serve(const std::function<std::string(int32_t correlation_id, ErrorCode)>& act) {
    first.serve([this, act](int16_t api_key, int32_t correlation_id) {
      if (api_key == MetadataRequest::api.key || api_key == FindCoordinatorRequest::api.key)
        return about_the_cluster(api_key, correlation_id);
      moved = true;
      return act(correlation_id, api_key == CreateTopicsRequest::api.key ? ErrorCode::not_controller
                                                                         : ErrorCode::not_coordinator);
    });
    second.serve([this, act](int16_t api_key, int32_t correlation_id) {
      if (api_key == MetadataRequest::api.key || api_key == FindCoordinatorRequest::api.key)
        return about_the_cluster(api_key, correlation_id);
      return act(correlation_id, ErrorCode::none);
    });
  }
  ClusterSettings settings() const {
    return {.bootstrap_servers = {first.endpoint()},
            .connection = {},
            .retry = {.backoff_first = std::chrono::milliseconds(1)}};
  }

 private:
  std::string about_the_cluster(int16_t api_key, int32_t correlation_id) {
    const auto& now = moved ? second.endpoint() : first.endpoint();
    if (api_key == FindCoordinatorRequest::api.key)
      return newest(correlation_id,
                    FindCoordinatorResponse{.node_id = moved ? 2 : 1, .host = now.host, .port = now.port});
    MetadataResponse response{.cluster_id = "c", .controller_id = moved ? 2 : 1};
    for (const auto* broker : {&first, &second})
      response.brokers.push_back({.node_id = broker == &first ? 1 : 2,
                                  .host = broker->endpoint().host,
                                  .port = broker->endpoint().port});
    return newest(correlation_id, response);
  }
};

TEST_CASE("a request for the controller follows it to another broker") {
  TwoBrokers brokers;
  brokers.serve([](int32_t correlation_id, ErrorCode code) {
    return newest(correlation_id, CreateTopicsResponse{.topics = {{.name = "orders", .error_code = code}}});
  });
  Cluster cluster(brokers.settings());
  const auto ctx = within_a_minute();
  cluster.connect(ctx);
  const auto reply = cluster.call_controller(ctx, CreateTopicsRequest{.topics = {{.name = "orders"}}});
  CHECK(reply.message.topics.at(0).error_code == ErrorCode::none);
  CHECK(brokers.first.asked() == 1);
  CHECK(brokers.second.asked() == 1);
}

TEST_CASE("a request for a group's coordinator follows it to another broker, which is then remembered") {
  TwoBrokers brokers;
  brokers.serve([](int32_t correlation_id, ErrorCode code) {
    return newest(correlation_id, OffsetFetchResponse{.error_code = code});
  });
  Cluster cluster(brokers.settings());
  const auto ctx = within_a_minute();
  cluster.connect(ctx);
  for (int i = 0; i < 2; ++i) {
    const auto reply = cluster.call_coordinator(ctx, CoordinatorKind::group, "billing",
                                                OffsetFetchRequest{.group_id = "billing"});
    CHECK(reply.message.error_code == ErrorCode::none);
  }
  CHECK(brokers.first.asked() == 1);
  CHECK(brokers.second.asked() == 2);
}

}  // namespace
}  // namespace kb::kafka
