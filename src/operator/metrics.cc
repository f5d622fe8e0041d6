#include "operator/metrics.h"

#include <algorithm>
#include <array>
#include <limits>
#include <mutex>

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "operator/backup_figures.h"

namespace kb::op {
namespace {

using enum MetricKind;
using prometheus::ClientMetric;
using prometheus::MetricFamily;

constexpr std::string_view of_resource = "resource_namespace, name";

// What is counted here, by its place in this table.
enum Family : std::size_t {
  build_info,
  health,
  leader,
  managed_resources,
  reconciliations,
  reconciliation_errors,
  reconcile_seconds,
  cleanups,
  backups,
  backup_seconds,
  restores,
  restore_seconds,
  api_requests,
  api_failures,
  lag_records,
  lag_records_max,
  lag_records_sum,
  reconciliations_alias,
  reconcile_seconds_alias,
  backups_alias,
  restores_alias,
  family_count
};
constexpr std::array<MetricInfo, family_count> families{{
    {"kafka_backup_operator_build_info", gauge, "version", "Version of the operator."},
    {"kafka_backup_operator_health", gauge, "", "1 while the operator sees the cluster and works."},
    {"kafka_backup_operator_leader", gauge, "identity", "1 while this replica leads."},
    {"kafka_backup_operator_managed_resources", gauge, "kind", "Resources there are."},
    {"kafka_backup_operator_reconciliations_total", counter, "kind", "Reconciliations."},
    {"kafka_backup_operator_reconciliation_errors_total", counter, "kind", "Reconciliations that failed."},
    {"kafka_backup_operator_reconcile_duration_seconds", histogram, "kind",
     "How long a reconciliation took."},
    {"kafka_backup_operator_cleanups_total", counter, "kind", "Resources that were deleted."},
    {"kafka_backup_operator_backups_total", counter, "outcome, resource_namespace, name",
     "Runs of backups that ended."},
    {"kafka_backup_operator_backup_duration_seconds", histogram, of_resource,
     "How long successful backups took."},
    {"kafka_backup_operator_restores_total", counter, "outcome, resource_namespace, name",
     "Restores that ended."},
    {"kafka_backup_operator_restore_duration_seconds", histogram, of_resource,
     "How long successful restores took."},
    {"kafka_backup_operator_api_requests_total", counter, "method, resource", "Requests to the API server."},
    {"kafka_backup_operator_api_request_errors_total", counter, "method, resource", "Those that failed."},
    {"kafka_backup_lag_records", gauge, "resource_namespace, name, topic, partition",
     "Continuous: offsets of a partition that are not read yet, of those that lag most."},
    {"kafka_backup_lag_records_max", gauge, of_resource, "Continuous: the greatest of them."},
    {"kafka_backup_lag_records_sum", gauge, of_resource,
     "Continuous: offsets of all partitions that are not read yet."},
    {"kafka_backup_reconciliations_total", counter, "kind",
     "The same as kafka_backup_operator_reconciliations_total."},
    {"kafka_backup_reconcile_duration_seconds", histogram, "kind",
     "The same as kafka_backup_operator_reconcile_duration_seconds."},
    {"kafka_backup_backups_total", counter, "status, resource_namespace, name",
     "The same as kafka_backup_operator_backups_total."},
    {"kafka_backup_restores_total", counter, "status, resource_namespace, name",
     "The same as kafka_backup_operator_restores_total."},
}};

constexpr std::array reconcile_buckets{0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};
constexpr std::array run_buckets{1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0};

// Cumulative counts are made when they are shown.
struct Distribution {
  std::vector<std::uint64_t> counts;
  std::uint64_t count = 0;
  double sum = 0;

  void observe(std::span<const double> bounds, double value) {
    counts.resize(bounds.size());
    auto place = std::ranges::lower_bound(bounds, value);
    if (place != bounds.end()) ++counts[static_cast<std::size_t>(place - bounds.begin())];
    ++count;
    sum += value;
  }
};

ClientMetric::Histogram to_histogram(const Distribution& distribution, std::span<const double> bounds) {
  ClientMetric::Histogram out;
  out.sample_count = distribution.count;
  out.sample_sum = distribution.sum;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    below += i < distribution.counts.size() ? distribution.counts[i] : 0;
    out.bucket.push_back({below, bounds[i]});
  }
  out.bucket.push_back({distribution.count, std::numeric_limits<double>::infinity()});
  return out;
}

// The finished runs of one resource.
struct Runs {
  std::uint64_t succeeded = 0, failed = 0;
  Distribution seconds;
};

struct Reconciliations {
  std::uint64_t count = 0, failed = 0;
  Distribution seconds;
};

// Of a continuous run.
struct Lags {
  std::uint64_t sum = 0, most = 0;
  std::vector<api::PartitionLag> partitions;
};

using Labels = std::vector<ClientMetric::Label>;

ClientMetric metric(Labels labels) {
  ClientMetric out;
  out.label = std::move(labels);
  return out;
}

ClientMetric gauge_of(Labels labels, double value) {
  auto out = metric(std::move(labels));
  out.gauge.value = value;
  return out;
}

ClientMetric counter_of(Labels labels, std::uint64_t value) {
  auto out = metric(std::move(labels));
  out.counter.value = static_cast<double>(value);
  return out;
}

MetricKind kind_of(const BackupFigure& figure) {
  return figure.is_counter ? counter : gauge;
}

Labels labels_of(const kube::ObjectKey& key) {
  return {{"resource_namespace", key.resource_namespace}, {"name", key.name}};
}

// Writes families one after the other, so that only one is in memory.
class Page {
 public:
  void add(std::string_view name, std::string_view help, MetricKind kind, std::vector<ClientMetric> metrics) {
    if (metrics.empty()) return;
    MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = kind == counter     ? prometheus::MetricType::Counter
                  : kind == histogram ? prometheus::MetricType::Histogram
                                      : prometheus::MetricType::Gauge;
    family.metric = std::move(metrics);
    text_ += serializer_.Serialize({std::move(family)});
  }
  void add(Family which, std::vector<ClientMetric> metrics) {
    const auto& info = families.at(which);
    add(info.name, info.help, info.kind, std::move(metrics));
  }
  std::string take() { return std::move(text_); }

 private:
  prometheus::TextSerializer serializer_;
  std::string text_;
};

}  // namespace

struct Metrics::State {
  mutable std::mutex mutex;
  std::map<std::string, std::uint64_t, std::less<>> cleanups;                // by kind; guarded by mutex
  std::map<std::string, Reconciliations, std::less<>> reconciliations;       // guarded by mutex
  std::map<std::string, std::map<kube::ObjectKey, Runs>, std::less<>> runs;  // by kind; guarded by mutex
  std::map<kube::ObjectKey, Lags> lags;                                      // guarded by mutex
  std::size_t partition_labels_max = 0;                                      // 0: no bound

  void add_operator(Page& page, const MetricsSnapshot& snapshot) const;
  void add_reconciliations(Page& page) const;
  void add_lags(Page& page) const;
  void add_runs(Page& page, std::string_view kind, Family total, Family alias, Family seconds) const;
};

void Metrics::State::add_operator(Page& page, const MetricsSnapshot& snapshot) const {
  page.add(build_info, {gauge_of({{"version", snapshot.version}}, 1)});
  page.add(health, {gauge_of({}, snapshot.healthy ? 1 : 0)});
  page.add(leader, {gauge_of({{"identity", snapshot.identity}}, snapshot.leader ? 1 : 0)});
  std::vector<ClientMetric> managed, requests, failures;
  for (const auto& [kind, count] : snapshot.managed)
    managed.push_back(gauge_of({{"kind", kind}}, static_cast<double>(count)));
  for (const auto& [what, counts] : snapshot.requests) {
    Labels labels{{"method", what.first}, {"resource", what.second}};
    requests.push_back(counter_of(labels, counts.requests));
    failures.push_back(counter_of(std::move(labels), counts.failures));
  }
  page.add(managed_resources, std::move(managed));
  page.add(api_requests, std::move(requests));
  page.add(api_failures, std::move(failures));
}

void Metrics::State::add_reconciliations(Page& page) const {
  std::vector<ClientMetric> counts, errors, seconds;
  for (const auto& [kind, figures] : reconciliations) {
    counts.push_back(counter_of({{"kind", kind}}, figures.count));
    errors.push_back(counter_of({{"kind", kind}}, figures.failed));
    seconds.push_back(metric({{"kind", kind}}));
    seconds.back().histogram = to_histogram(figures.seconds, reconcile_buckets);
  }
  std::vector<ClientMetric> gone;
  for (const auto& [kind, count] : cleanups) gone.push_back(counter_of({{"kind", kind}}, count));
  page.add(op::cleanups, std::move(gone));
  page.add(op::reconciliations, counts);
  page.add(reconciliations_alias, std::move(counts));
  page.add(reconciliation_errors, std::move(errors));
  page.add(reconcile_seconds, seconds);
  page.add(reconcile_seconds_alias, std::move(seconds));
}

void Metrics::State::add_runs(Page& page, std::string_view kind, Family total, Family alias,
                              Family seconds) const {
  auto found = runs.find(kind);
  if (found == runs.end()) return;
  std::vector<ClientMetric> totals, aliases, durations;
  auto add = [&](const kube::ObjectKey& key, const std::string& outcome, std::uint64_t count) {
    totals.push_back(counter_of(
        {{"outcome", outcome}, {"resource_namespace", key.resource_namespace}, {"name", key.name}}, count));
    aliases.push_back(counter_of(
        {{"status", outcome}, {"resource_namespace", key.resource_namespace}, {"name", key.name}}, count));
  };
  for (const auto& [key, of_key] : found->second) {
    add(key, "success", of_key.succeeded);
    add(key, "failure", of_key.failed);
    if (of_key.succeeded == 0) continue;
    durations.push_back(metric(labels_of(key)));
    durations.back().histogram = to_histogram(of_key.seconds, run_buckets);
  }
  page.add(total, std::move(totals));
  page.add(alias, std::move(aliases));
  page.add(seconds, std::move(durations));
}

void Metrics::State::add_lags(Page& page) const {
  std::vector<ClientMetric> of_partitions, greatest, sums;
  for (const auto& [key, of_key] : lags) {
    greatest.push_back(gauge_of(labels_of(key), static_cast<double>(of_key.most)));
    sums.push_back(gauge_of(labels_of(key), static_cast<double>(of_key.sum)));
    for (const auto& lag : of_key.partitions) {
      auto labels = labels_of(key);
      labels.push_back({"topic", lag.topic});
      labels.push_back({"partition", std::to_string(lag.partition)});
      of_partitions.push_back(gauge_of(std::move(labels), static_cast<double>(lag.records)));
    }
  }
  page.add(lag_records, std::move(of_partitions));
  page.add(lag_records_max, std::move(greatest));
  page.add(lag_records_sum, std::move(sums));
}

Metrics::Metrics(std::size_t partition_labels_max) : state_(std::make_unique<State>()) {
  state_->partition_labels_max = partition_labels_max;
}
Metrics::~Metrics() = default;

void Metrics::reconciled(std::string_view kind, double seconds, bool failed) {
  std::lock_guard lock(state_->mutex);
  auto& figures = state_->reconciliations[std::string(kind)];
  ++figures.count;
  if (failed) ++figures.failed;
  figures.seconds.observe(reconcile_buckets, seconds);
}

void Metrics::run_finished(std::string_view kind, const kube::ObjectKey& key, const FinishedRun& run) {
  std::lock_guard lock(state_->mutex);
  auto& figures = state_->runs[std::string(kind)][key];
  ++(run.succeeded ? figures.succeeded : figures.failed);
  if (run.succeeded) figures.seconds.observe(run_buckets, run.seconds);
}

void Metrics::lag(const kube::ObjectKey& backup, const api::WorkProgress& progress) {
  Lags lags{.sum = progress.lag_records, .most = 0, .partitions = progress.lagging};
  std::ranges::sort(lags.partitions, std::ranges::greater(), &api::PartitionLag::records);
  if (!lags.partitions.empty()) lags.most = lags.partitions.front().records;
  const auto bound = state_->partition_labels_max;
  if (bound > 0 && lags.partitions.size() > bound) lags.partitions.resize(bound);
  std::lock_guard lock(state_->mutex);
  state_->lags[backup] = std::move(lags);
}

void Metrics::no_lag(const kube::ObjectKey& backup) {
  std::lock_guard lock(state_->mutex);
  state_->lags.erase(backup);
}

void Metrics::no_lags() {
  std::lock_guard lock(state_->mutex);
  state_->lags.clear();
}

void Metrics::forget(std::string_view kind, const kube::ObjectKey& key) {
  std::lock_guard lock(state_->mutex);
  ++state_->cleanups[std::string(kind)];
  if (auto found = state_->runs.find(kind); found != state_->runs.end()) found->second.erase(key);
  if (kind == "KafkaBackup") state_->lags.erase(key);
}

std::string Metrics::text(const MetricsSnapshot& snapshot) const {
  std::vector<std::pair<kube::ObjectKey, std::vector<std::optional<double>>>> of_backups;
  if (snapshot.each_backup)
    snapshot.each_backup(
        [&](const ResourceView& backup) { of_backups.emplace_back(backup.key, figures_of(backup)); });
  Page page;
  {
    std::lock_guard lock(state_->mutex);
    state_->add_operator(page, snapshot);
    state_->add_reconciliations(page);
    state_->add_lags(page);
    state_->add_runs(page, "KafkaBackup", backups, backups_alias, backup_seconds);
    state_->add_runs(page, "KafkaRestore", restores, restores_alias, restore_seconds);
  }
  const auto figures = backup_figures();
  for (std::size_t i = 0; i < figures.size(); ++i) {
    std::vector<ClientMetric> metrics;
    for (const auto& [key, values] : of_backups)
      if (values[i])
        metrics.push_back(figures[i].is_counter
                              ? counter_of(labels_of(key), static_cast<std::uint64_t>(*values[i]))
                              : gauge_of(labels_of(key), *values[i]));
    page.add(figures[i].name, figures[i].help, kind_of(figures[i]), std::move(metrics));
  }
  return page.take();
}

std::vector<MetricInfo> metric_families() {
  std::vector<MetricInfo> all(families.begin(), families.end());
  for (const auto& figure : backup_figures())
    all.push_back({figure.name, kind_of(figure), of_resource, figure.help});
  return all;
}

std::string metrics_page() {
  std::string page =
      "<!-- Generated by metricsdoc from src/operator/metrics.cc; do not edit. -->\n# Metrics\n\n"
      "The operator serves them at port 8080, path `/metrics`.\n\n| Metric | Type | Labels | Meaning "
      "|\n|---|---|---|---|\n";
  for (const auto& info : metric_families())
    page += fmt::format("| `{}` | {} | {} | {} |\n", info.name,
                        info.kind == counter     ? "counter"
                        : info.kind == histogram ? "histogram"
                                                 : "gauge",
                        info.labels, info.help);
  return page;
}

}  // namespace kb::op
