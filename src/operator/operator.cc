#include "operator/operator.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/kinds.h"
#include "api/resource.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/task_group.h"
#include "base/version.h"
#include "operator/distrust.h"
#include "operator/labels.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto request_timeout = 60s;  // of one reconciliation with all its requests
constexpr auto silence_max = 15min;    // of an API server whose watches end after ten minutes at most
constexpr auto stuck_after = 300s;     // a worker that has been at one resource for longer is not healthy

std::int64_t steady_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
}

std::string item_of(std::string_view kind, const kube::ObjectKey& key) {
  return fmt::format("{}/{}", kind, key.to_string());
}

std::string label_of(const json::value& object, std::string_view name) {
  auto labels = texts_at(object, "metadata.labels");
  return labels[std::string(name)];
}

kube::LeaseSettings lease_settings(const Settings& settings) {
  return {.resource_namespace = settings.operator_namespace,
          .name = settings.lease_name,
          .identity = settings.identity,
          .lease_duration = settings.lease_duration,
          .renew_deadline = settings.renew_deadline,
          .retry_period = settings.retry_period};
}

}  // namespace

Operator::Operator(kube::Api& api, const Settings& settings)
    : settings_(settings),
      api_(api),
      election_(api_, lease_settings(settings)),
      leader_api_(api_, election_),
      metrics_(settings.partition_labels_max),
      events_(api_, std::string(operator_name), settings.identity),
      busy_since_(settings.reconcilers) {
  for (const auto& kind : api::kinds()) caches_.resources[std::string(kind.kind)];
  make_reflectors();
}

// ---- seeing

void Operator::add_reflector(kube::ReflectorSettings settings, kube::ObjectCache& cache) {
  auto namespaces = settings_.watch_namespaces;
  if (namespaces.empty()) namespaces.emplace_back();
  for (const auto& name : namespaces) {
    settings.resource_namespace = name;
    reflectors_.push_back(std::make_unique<kube::Reflector>(api_, settings, cache));
  }
}

void Operator::make_reflectors() {
  for (const auto& info : api::kinds()) {
    const std::string kind(info.kind);
    auto on_change = [this, kind](const kube::ObjectKey& key, const std::string&, const json::value* object) {
      const auto item = item_of(kind, key);
      {
        std::lock_guard lock(mutex_);
        if (object)
          items_by_owner_[owner_key(key.resource_namespace, kube::text_at(*object, "metadata.uid"))] = item;
        else
          std::erase_if(items_by_owner_, [&](const auto& entry) { return entry.second == item; });
      }
      if (!object) metrics_.forget(kind, key);
      if (leading_) queue_.add(item);
    };
    add_reflector(
        {.type = {api::api_group, "v1alpha1", info.plural}, .trim = trim_resource, .on_change = on_change},
        caches_.resources.at(kind));
  }
  const auto ours = fmt::format("{}={}", managed_by_label, operator_name);
  add_reflector({.type = kube::jobs,
                 .label_selector = ours,
                 .trim = trim_job,
                 .owner = owner_of,
                 .on_change = [this](const auto&, const std::string& owner,
                                     const json::value*) { enqueue_owner(owner); }},
                caches_.jobs);
  add_reflector({.type = kube::pods,
                 .label_selector = ours,
                 .trim = trim_pod,
                 .owner = owner_of,
                 .on_change =
                     [this](const auto& key, const std::string&, const json::value* pod) {
                       if (pod) enqueue_owner(owner_key(key.resource_namespace, label_of(*pod, owner_label)));
                     }},
                caches_.pods);
}

void Operator::enqueue_owner(const std::string& owner) {
  if (!leading_) return;
  std::string item;
  {
    std::lock_guard lock(mutex_);
    auto found = items_by_owner_.find(owner);
    if (found == items_by_owner_.end()) return;
    item = found->second;
  }
  queue_.add(item);
}

bool Operator::synced() const {
  return std::ranges::all_of(reflectors_, [](const auto& reflector) { return reflector->synced(); });
}

// ---- leading

void Operator::run(const Context& ctx) {
  HttpServer server(settings_.metrics_address, [this](std::string_view path) { return serve(path); });
  LOG_INFO("kafka-backup-operator {} serves metrics at port {}", program_version, server.port());
  TaskGroup tasks(ctx);
  for (auto& reflector : reflectors_) tasks.spawn([&reflector](const Context& c) { reflector->run(c); });
  tasks.spawn([this](const Context& c) { stand_for_election(c); });
  tasks.wait();
}

void Operator::stand_for_election(const Context& ctx) {
  while (!synced()) ctx.sleep_for(20ms);  // who cannot see must not keep others from leading
  for (;;) {
    if (!settings_.leader_elect) {
      lead(ctx);
      continue;
    }
    const bool ended = election_.run(ctx, [this](const Context& c) { lead(c); });
    if (!ended) LOG_WARN("leadership is lost; {} holds the lease", election_.holder());
  }
}

void Operator::lead(const Context& ctx) {
  LOG_INFO("{} leads", settings_.identity);
  auto& api = settings_.leader_elect ? static_cast<kube::Api&>(leader_api_) : api_;
  Reconciler reconciler(api, caches_, events_, metrics_, settings_, read_cluster_uid(ctx));
  leading_ = true;
  enqueue_all();
  TaskGroup workers(ctx);
  for (std::size_t i = 0; i < settings_.reconcilers; ++i)
    workers.spawn([this, &reconciler, i](const Context& c) { work(c, reconciler, i); });
  try {
    workers.wait();
  } catch (const Error&) {
    leading_ = false;
    metrics_.no_lags();
    throw;
  }
}

void Operator::enqueue_all() {
  for (const auto& [kind, cache] : caches_.resources)
    for (const auto& key : cache.keys()) queue_.add(item_of(kind, key));
}

// Names the Kubernetes cluster in archives. Without the right to read it archives say only namespace and
// name.
std::string Operator::read_cluster_uid(const Context& ctx) {
  return retry(ctx, {.give_up_after = std::chrono::hours(24)}, "reading the namespace kube-system", [&] {
    try {
      auto found = kube::get(ctx.with_timeout(request_timeout), api_,
                             kube::path_of(kube::namespaces, "", "kube-system"));
      return found ? kube::text_at(*found, "metadata.uid") : std::string();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::denied) throw;
      LOG_WARN("archives will not name this cluster: {}", error.what());
      return std::string();
    }
  });
}

void Operator::work(const Context& ctx, Reconciler& reconciler, std::size_t worker) {
  for (;;) {
    const auto item = queue_.take(ctx);
    busy_since_[worker] = steady_seconds();
    try {
      reconcile_item(ctx, reconciler, item);
    } catch (const Error&) {
      queue_.done(item);  // whoever leads next may take it
      busy_since_[worker] = 0;
      throw;
    }
    busy_since_[worker] = 0;
    queue_.done(item);
  }
}

void Operator::reconcile_item(const Context& ctx, Reconciler& reconciler, const std::string& item) {
  const auto first = item.find('/'), second = item.find('/', first + 1);
  const auto kind = item.substr(0, first);
  const kube::ObjectKey key{item.substr(first + 1, second - first - 1), item.substr(second + 1)};
  const auto begun = Clock::now();
  bool failed = false;
  try {
    auto again = reconciler.reconcile(ctx.with_timeout(request_timeout), kind, key);
    queue_.forget_failures(item);
    if (again) queue_.add_after(item, *again);
  } catch (const Error& error) {
    failed = true;
    ctx.check();
    if (error.kind() == ErrorKind::conflict)
      LOG_DEBUG("{}: {}; looking again", item, error.what());
    else
      LOG_WARN("{}: {}; trying again", item, error.what());
    queue_.add_after_failure(item);
  } catch (const std::exception& error) {
    failed = true;
    LOG_ERROR("{}: {}; trying again", item, error.what());
    queue_.add_after_failure(item);
  }
  metrics_.reconciled(kind, std::chrono::duration<double>(Clock::now() - begun).count(), failed);
}

// ---- being asked

HttpPage Operator::serve(std::string_view path) const {
  if (path == "/metrics") return {.content_type = "text/plain; version=0.0.4", .body = metrics_text()};
  if (path == "/healthz" || path == "/health")
    return healthy() ? HttpPage{.body = "ok\n"}
                     : HttpPage{.status = 503, .body = "a reconciliation is stuck\n"};
  if (path == "/readyz" || path == "/ready") return readiness();
  return {.status = 404, .body = "not found\n"};
}

// Copies that nobody keeps up to date any more are worse than none.
bool Operator::sees() const {
  return std::ranges::all_of(reflectors_,
                             [](const auto& reflector) { return reflector->heard_within(silence_max); });
}

bool Operator::healthy() const {
  const auto stuck = steady_seconds() - std::chrono::seconds(stuck_after).count();
  return std::ranges::none_of(busy_since_, [&](const auto& since) { return since != 0 && since < stuck; });
}

HttpPage Operator::readiness() const {
  if (!synced()) return {.status = 503, .body = "the cluster's resources have not all been listed yet\n"};
  if (!sees()) return {.status = 503, .body = "the API server has not answered for a long time\n"};
  if (!settings_.leader_elect) return {.body = "leader\n"};
  if (!election_.contacted()) return {.status = 503, .body = "leader election pending\n"};
  return {.body = leading_ ? "leader\n" : "standby\n"};
}

std::string Operator::metrics_text() const {
  MetricsSnapshot snapshot{.version = std::string(program_version),
                           .identity = settings_.identity,
                           .leader = leading_,
                           .healthy = healthy() && synced() && sees(),
                           .managed = {},
                           .requests = api_.counts(),
                           .each_backup = {}};
  for (const auto& [kind, cache] : caches_.resources) snapshot.managed[kind] = cache.size();
  snapshot.each_backup = [this](const std::function<void(const ResourceView&)>& use) {
    const auto& cache = caches_.resources.at("KafkaBackup");
    for (const auto& key : cache.keys())
      if (auto object = cache.get(key))
        use(read_resource_view("KafkaBackup",
                               schema::parse_json(*object, "a cached object", ErrorKind::internal)));
  };
  return metrics_.text(snapshot);
}

}  // namespace kb::op
