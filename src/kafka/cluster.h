// A Kafka cluster: finds brokers, leaders, the controller and coordinators, and asks them. The one place
// where requests are tried again.
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/retry.h"
#include "kafka/control_connections.h"
#include "kafka/error_scan.h"
#include "kafka/metadata_cache.h"

namespace kb::kafka {

struct ClusterSettings {
  std::vector<Endpoint> bootstrap_servers;  // at least one
  ConnectionSettings connection;
  RetryPolicy retry;  // of one call, whatever is in the way
  std::shared_ptr<CircuitBreakers> breakers = std::make_shared<CircuitBreakers>();  // by "host:port"
  int connections_per_broker = 4;  // that fetch and produce loops may open() besides the control connection
};

// Thread-safe. The call_* functions make one short request over the control connection of a broker and try
// again, as settings.retry says, after connection trouble and after answers that mean "ask another broker"
// (not_controller; not_coordinator, coordinator_not_available, coordinator_load_in_progress). So a request
// may be carried out twice: an answer may have been lost. All other error codes are the caller's.
// An attempt takes at most twice connect_timeout + request_timeout, and none begins later than
// retry.give_up_after after the first failure.
// Errors: unavailable, timed_out (given up), denied, invalid, corrupt, cancelled; conflict when the bootstrap
// servers lead to another cluster than before.
class Cluster {
 public:
  explicit Cluster(ClusterSettings settings);

  // Asks every bootstrap server, in order, until one tells the brokers; in rounds, as settings.retry says.
  void connect(const Context& ctx);
  const ClusterSettings& settings() const { return settings_; }
  std::string cluster_id() const { return cache_.cluster_id(); }  // empty before connect()
  std::vector<Broker> brokers() const { return cache_.brokers(); }

  // Fresh from any broker, remembered for leader(). A topic that does not exist is there with its error code;
  // it is never created by asking.
  MetadataResponse metadata(const Context& ctx, std::span<const std::string> topics);
  MetadataResponse metadata_of_all_topics(const Context& ctx);
  void refresh(const Context& ctx, std::span<const std::string> topics) { metadata(ctx, topics); }
  // From the last metadata that had the topic: node id, -1 when there is no leader or none is known.
  int32_t leader(std::string_view topic, int32_t partition) const {
    return cache_.leader(topic, partition).node_id;
  }
  bool learn_leader(std::string_view topic, int32_t partition, const LeaderIdAndEpoch& leader,
                    std::span<const NodeEndpoint> endpoints) {
    return cache_.learn_leader(topic, partition, leader, endpoints);
  }
  int32_t leader_epoch(std::string_view topic, int32_t partition) const {
    return cache_.leader(topic, partition).leader_epoch;
  }
  // Zeros when no metadata had the topic, or the brokers are older than 2.8.
  Uuid topic_id(std::string_view topic) const { return cache_.topic_id(topic); }

  template <class Request>
  Reply<typename Request::Response> call_any(const Context& ctx, const Request& request) {
    return retry(ctx, settings_.retry, "asking any broker", [&] { return call_any_once(ctx, request); });
  }
  // What a broker that would be asked speaks.
  template <class Request>
  int16_t version_at_any(const Context& ctx) {
    return retry(ctx, settings_.retry, "asking any broker",
                 [&] { return control_.version<Request>(ctx, control_.most_promising(all_endpoints())); });
  }
  template <class Request>
  Reply<typename Request::Response> call_broker(const Context& ctx, int32_t node_id, const Request& request) {
    return with_retry(ctx, fmt::format("asking broker {}", node_id),
                      [&] { return call_broker_once(ctx, node_id, request); });
  }
  template <class Request>
  Reply<typename Request::Response> call_controller(const Context& ctx, const Request& request) {
    return with_retry(ctx, "asking the controller", [&] { return call_controller_once(ctx, request); });
  }
  // One attempt, for callers that go on with another broker, or that must know whether a request may have
  // been carried out although its answer was lost. They look at the cluster afresh themselves.
  template <class Request>
  Reply<typename Request::Response> call_broker_once(const Context& ctx, int32_t node_id,
                                                     const Request& request) {
    return call_at(ctx, endpoint_of(node_id), request);
  }
  template <class Request>
  Reply<typename Request::Response> call_controller_once(const Context& ctx, const Request& request) {
    auto reply = call_at(ctx, endpoint_of(controller(ctx)), request);
    check_controller(find_error_code(reply.message, is_controller_error));
    return reply;
  }
  // `key` is a group id or a transactional id.
  template <class Request>
  Reply<typename Request::Response> call_coordinator(const Context& ctx, CoordinatorKind kind,
                                                     const std::string& key, const Request& request) {
    return with_retry(ctx, fmt::format("asking the coordinator of '{}'", key), [&] {
      CoordinatorUse use(*this, ctx, {kind, key});
      auto reply = call_at(ctx, use.endpoint(), request);
      use.check(find_error_code(reply.message, is_coordinator_error));
      return reply;
    });
  }

  // A connection of the caller's own. Tries once, because a loop that fetches or produces has to look for the
  // partition's leader again after each failure.
  Connection open(const Context& ctx, int32_t node_id);
  // For one request of such a loop, before it opens or uses a connection. Throws unavailable when the broker
  // has failed so often that it is to be left alone.
  CircuitBreakers::Permit admit(int32_t node_id) const;
  bool refuses(int32_t node_id) const;  // whether admit() would throw

 private:
  using CoordinatorKey = std::pair<CoordinatorKind, std::string>;
  // A coordinator, forgotten again unless check() was passed.
  class CoordinatorUse {
   public:
    CoordinatorUse(Cluster& cluster, const Context& ctx, CoordinatorKey key);
    ~CoordinatorUse();
    CoordinatorUse(const CoordinatorUse&) = delete;
    const Endpoint& endpoint() const { return endpoint_; }
    void check(ErrorCode code);

   private:
    Cluster& cluster_;
    const CoordinatorKey key_;
    Endpoint endpoint_;
    bool proven_ = false;
  };

  static bool is_controller_error(ErrorCode code);
  static bool is_coordinator_error(ErrorCode code);

  // Looks at the cluster afresh before each attempt but the first: what failed may have moved.
  template <class Call>
  auto with_retry(const Context& ctx, std::string_view doing, Call call) {
    bool again = false;
    return retry(ctx, settings_.retry, doing, [&] {
      if (std::exchange(again, true)) refresh_brokers_once(ctx);
      return call();
    });
  }
  template <class Request>
  Reply<typename Request::Response> call_at(const Context& ctx, const Endpoint& endpoint,
                                            const Request& request) {
    try {
      return control_.call(ctx, endpoint, request);
    } catch (const Error& error) {
      throw_with_advice(error, endpoint);
    }
  }
  template <class Request>
  Reply<typename Request::Response> call_any_once(const Context& ctx, const Request& request) {
    const auto endpoints = all_endpoints();
    try {
      auto reply = control_.call(ctx.with_timeout(patience(endpoints.size())),
                                 control_.most_promising(endpoints), request);
      silences_ = 0;
      return reply;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::timed_out) ++silences_;
      throw;
    }
  }

  // How long one of so many brokers may take to answer before another one is asked: one that is silent must
  // not hold up what concerns the others. Longer when several were silent: perhaps all are slow.
  Duration patience(std::size_t endpoints) const;
  void bootstrap_once(const Context& ctx);
  void refresh_brokers_once(const Context& ctx);
  void remember(const MetadataResponse& response);
  std::vector<Endpoint> all_endpoints() const;
  Endpoint endpoint_of(int32_t node_id) const;
  int32_t controller(const Context& ctx);
  void check_controller(ErrorCode code);
  Endpoint find_coordinator(const Context& ctx, const CoordinatorKey& key);
  [[noreturn]] void throw_with_advice(const Error& error, const Endpoint& endpoint) const;

  const ClusterSettings settings_;
  MetadataCache cache_;
  ControlConnections control_;
  std::mutex mutex_;
  std::map<CoordinatorKey, Endpoint> coordinators_;  // guarded by mutex_
  std::atomic<unsigned> silences_ = 0;               // of brokers of which any would have done, in a row
};

}  // namespace kb::kafka
