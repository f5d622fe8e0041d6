// The operator: sees the cluster, and while it leads reconciles what is there.
#pragma once
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kube/counting_api.h"
#include "kube/event_recorder.h"
#include "kube/lease.h"
#include "kube/reflector.h"
#include "kube/work_queue.h"
#include "net/http_server.h"
#include "operator/metrics.h"
#include "operator/reconciler.h"
#include "operator/settings.h"

namespace kb::op {

class Operator {
 public:
  // `api` and `settings` outlive it.
  Operator(kube::Api& api, const Settings& settings);

  // Until the context ends; throws cancelled then.
  void run(const Context& ctx);

 private:
  // What a queue key stands for.
  struct Item {
    std::string kind;
    kube::ObjectKey key;
  };

  void make_reflectors();
  void add_reflector(kube::ReflectorSettings settings, kube::ObjectCache& cache);
  void enqueue_owner(const std::string& owner);

  void stand_for_election(const Context& ctx);
  void lead(const Context& ctx);
  void work(const Context& ctx, Reconciler& reconciler, std::size_t worker);
  void reconcile_item(const Context& ctx, Reconciler& reconciler, const std::string& item);
  std::string read_cluster_uid(const Context& ctx);
  void enqueue_all();

  HttpPage serve(std::string_view path) const;
  std::string metrics_text() const;
  bool synced() const;
  bool healthy() const;
  HttpPage readiness() const;

  // constant after construction
  const Settings& settings_;
  kube::CountingApi api_;
  kube::LeaderElection election_;
  kube::LeaderOnlyApi leader_api_;
  // thread-safe themselves
  Caches caches_;
  std::vector<std::unique_ptr<kube::Reflector>> reflectors_;
  kube::WorkQueue queue_;
  Metrics metrics_;
  kube::EventRecorder events_;
  std::atomic<bool> leading_ = false;
  std::vector<std::atomic<std::int64_t>> busy_since_;  // of each worker, steady seconds; 0 while it waits
  mutable std::mutex mutex_;
  std::map<std::string, std::string> items_by_owner_;  // by owner_key() of resources; guarded by mutex_
};

}  // namespace kb::op
