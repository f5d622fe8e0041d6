#include "kafka/cluster.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "kafka/listener_check.h"

namespace kb::kafka {
namespace {

constexpr auto any_patience = std::chrono::seconds(5);
constexpr std::size_t coordinators_max = 10'000;  // remembered

MetadataRequest metadata_request() {
  return {.allow_auto_topic_creation = false};
}

// One error for all servers: the text of each, and the kind of the first that says no to who we are or whom
// we trust, else of the first that may be tried again.
Error summary(const std::vector<Error>& failures) {
  if (failures.size() == 1) return failures.front();
  auto decisive = std::ranges::find(failures, ErrorKind::denied, &Error::kind);
  if (decisive == failures.end()) decisive = std::ranges::find_if(failures, &Error::retryable);
  if (decisive == failures.end()) decisive = failures.begin();
  std::string text = "no bootstrap server answers";
  for (const char* separator = ": "; const auto& failure : failures) {
    text += std::exchange(separator, "; ");
    text += failure.what();
  }
  return {decisive->kind(), text, decisive->hint()};
}

}  // namespace

Cluster::Cluster(ClusterSettings settings)
    : settings_(std::move(settings)), control_(settings_.connection, settings_.breakers) {
  CHECK(!settings_.bootstrap_servers.empty());
}

void Cluster::connect(const Context& ctx) {
  retry(ctx, settings_.retry, "connecting to the cluster", [&] { bootstrap_once(ctx); });
  LOG_DEBUG("cluster {} has {} brokers", cluster_id(), brokers().size());
}

Duration Cluster::patience(std::size_t endpoints) const {
  const auto most = settings_.connection.connect_timeout + settings_.connection.request_timeout;
  if (endpoints < 2) return most;
  return std::min<Duration>(most, any_patience * (1 << std::min(silences_.load(), 10U)));
}

void Cluster::bootstrap_once(const Context& ctx) {
  std::vector<Error> failures;
  for (const auto& server : settings_.bootstrap_servers) {
    try {
      return remember(control_.call(ctx, server, metadata_request()).message);
    } catch (const Error& error) {
      ctx.check();
      std::optional<Error> mismatch;
      if (error.kind() == ErrorKind::unavailable && cluster_id().empty())
        mismatch = security_mismatch(ctx, server, settings_.connection);
      failures.push_back(mismatch.value_or(error));
    }
  }
  throw summary(failures);
}

void Cluster::refresh_brokers_once(const Context& ctx) {
  remember(call_any_once(ctx, metadata_request()).message);
}

void Cluster::remember(const MetadataResponse& response) {
  cache_.update(response);
  control_.keep_only(all_endpoints());
}

MetadataResponse Cluster::metadata(const Context& ctx, std::span<const std::string> topics) {
  auto request = metadata_request();
  for (const auto& topic : topics) request.topics->push_back({.name = topic});
  auto response = call_any(ctx, request).message;
  remember(response);
  return response;
}

MetadataResponse Cluster::metadata_of_all_topics(const Context& ctx) {
  auto request = metadata_request();
  request.topics.reset();
  auto response = call_any(ctx, request).message;
  remember(response);
  return response;
}

std::vector<Endpoint> Cluster::all_endpoints() const {
  std::vector<Endpoint> endpoints;
  for (auto& broker : cache_.brokers()) endpoints.push_back(std::move(broker.endpoint));
  endpoints.insert(endpoints.end(), settings_.bootstrap_servers.begin(), settings_.bootstrap_servers.end());
  return endpoints;
}

Endpoint Cluster::endpoint_of(int32_t node_id) const {
  auto endpoint = cache_.endpoint(node_id);
  if (!endpoint)
    fail(ErrorKind::unavailable, "broker {} is not among the brokers of the cluster now", node_id);
  return *endpoint;
}

bool Cluster::is_controller_error(ErrorCode code) {
  return code == ErrorCode::not_controller;
}

int32_t Cluster::controller(const Context& ctx) {
  if (cache_.controller_id() < 0) refresh_brokers_once(ctx);
  auto node_id = cache_.controller_id();
  if (node_id < 0) fail(ErrorKind::unavailable, "the cluster has no controller now");
  return node_id;
}

void Cluster::check_controller(ErrorCode code) {
  if (code == ErrorCode::none) return;
  cache_.forget_controller();
  fail(kind(code), "{}", describe(code));
}

bool Cluster::is_coordinator_error(ErrorCode code) {
  return code == ErrorCode::not_coordinator || code == ErrorCode::coordinator_not_available ||
         code == ErrorCode::coordinator_load_in_progress;
}

Cluster::CoordinatorUse::CoordinatorUse(Cluster& cluster, const Context& ctx, CoordinatorKey key)
    : cluster_(cluster), key_(std::move(key)), endpoint_(cluster.find_coordinator(ctx, key_)) {}

Cluster::CoordinatorUse::~CoordinatorUse() {
  if (proven_) return;
  std::lock_guard lock(cluster_.mutex_);
  cluster_.coordinators_.erase(key_);
}

void Cluster::CoordinatorUse::check(ErrorCode code) {
  if (code != ErrorCode::none) fail(kind(code), "{}", describe(code));
  proven_ = true;
}

Endpoint Cluster::find_coordinator(const Context& ctx, const CoordinatorKey& key) {
  {
    std::lock_guard lock(mutex_);
    if (auto known = coordinators_.find(key); known != coordinators_.end()) return known->second;
  }
  auto found = call_any_once(ctx, FindCoordinatorRequest{.key = key.second, .key_type = key.first}).message;
  require(found.error_code, "finding the coordinator", found.error_message.value_or(""));
  Endpoint endpoint{found.host, found.port};
  std::lock_guard lock(mutex_);
  if (coordinators_.size() >= coordinators_max) coordinators_.clear();
  coordinators_[key] = endpoint;
  return endpoint;
}

Connection Cluster::open(const Context& ctx, int32_t node_id) {
  if (!cache_.endpoint(node_id)) refresh_brokers_once(ctx);
  auto endpoint = endpoint_of(node_id);
  try {
    return Connection::open(ctx, endpoint, settings_.connection);
  } catch (const Error& error) {
    throw_with_advice(error, endpoint);
  }
}

CircuitBreakers::Permit Cluster::admit(int32_t node_id) const {
  const auto endpoint = cache_.endpoint(node_id);
  return endpoint ? settings_.breakers->admit(to_string(*endpoint)) : CircuitBreakers::Permit();
}

bool Cluster::refuses(int32_t node_id) const {
  const auto endpoint = cache_.endpoint(node_id);
  return endpoint && settings_.breakers->refuses(to_string(*endpoint));
}

void Cluster::throw_with_advice(const Error& error, const Endpoint& endpoint) const {
  bool advertised =
      std::ranges::find(settings_.bootstrap_servers, endpoint) == settings_.bootstrap_servers.end();
  if (!error.retryable() || !error.hint().empty() || !advertised) throw error;
  throw Error(
      error.kind(), error.what(),
      fmt::format("{} is what the broker advertises (advertised.listeners): it must be reachable from here",
                  to_string(endpoint)));
}

}  // namespace kb::kafka
