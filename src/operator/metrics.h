// What Prometheus is told. The families are declared once, in metrics.cc; docs/reference/metrics.md is made
// from them. Counters live here; what a status says is read from the caches when somebody asks.
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/job.h"
#include "kube/api.h"
#include "kube/counting_api.h"
#include "operator/decision.h"
#include "operator/resource_view.h"

namespace kb::op {

enum class MetricKind { counter, gauge, histogram };

struct MetricInfo {
  std::string_view name;
  MetricKind kind = MetricKind::gauge;
  std::string_view labels;  // "kind, name"
  std::string_view help;
};
// All of them, in the order of the documentation.
std::vector<MetricInfo> metric_families();
// docs/reference/metrics.md.
std::string metrics_page();

// What else is known when somebody asks.
struct MetricsSnapshot {
  std::string version, identity;
  bool leader = false, healthy = false;
  std::map<std::string, std::size_t> managed;                                         // by kind
  std::map<std::pair<std::string, std::string>, kube::CountingApi::Counts> requests;  // by method and plural
  // Calls back with every KafkaBackup, one after the other.
  std::function<void(const std::function<void(const ResourceView&)>&)> each_backup;
};

// Thread-safe.
class Metrics {
 public:
  // Of each KafkaBackup so many partitions have series of their own, those that lag most; 0: all that are
  // told.
  explicit Metrics(std::size_t partition_labels_max = 100);
  ~Metrics();

  void reconciled(std::string_view kind, double seconds, bool failed);
  // `kind` is KafkaBackup or KafkaRestore.
  void run_finished(std::string_view kind, const kube::ObjectKey& key, const FinishedRun& run);
  // What a continuous run says of itself; takes the place of what it said before.
  void lag(const kube::ObjectKey& backup, const api::WorkProgress& progress);
  // Nobody works who could say it.
  void no_lag(const kube::ObjectKey& backup);
  void no_lags();
  // A resource that went: its series go, too, and one cleanup is counted.
  void forget(std::string_view kind, const kube::ObjectKey& key);

  // The exposition.
  std::string text(const MetricsSnapshot& snapshot) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kb::op
