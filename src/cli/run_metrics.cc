#include "cli/run_metrics.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/log.h"
#include "base/unix_time.h"

namespace kb::cli {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Family {
  const char* name;
  const char* help;
  MetricType type;
  double (*value)(const engine::ProgressCounters&, double seconds);
};

double left(std::uint64_t total, std::uint64_t done) {
  return total > done ? static_cast<double>(total - done) : 0;
}

double per_second(std::uint64_t done, double seconds) {
  return seconds > 0 ? static_cast<double>(done) / seconds : 0;
}

using Counters = engine::ProgressCounters;

constexpr Family backup_families[] = {
    {"kafka_backup_records_total", "Offsets that the run has covered.", MetricType::Counter,
     [](const Counters& c, double) { return static_cast<double>(c.records_done); }},
    {"kafka_backup_snapshot_records_target", "Offsets that it is to cover.", MetricType::Gauge,
     [](const Counters& c, double) { return static_cast<double>(c.records_total); }},
    {"kafka_backup_snapshot_records_remaining", "Offsets that are left.", MetricType::Gauge,
     [](const Counters& c, double) { return left(c.records_total, c.records_done); }},
    {"kafka_backup_bytes_total", "Bytes of record batches read.", MetricType::Counter,
     [](const Counters& c, double) { return static_cast<double>(c.bytes_done); }},
    {"kafka_backup_offsets_lost_total", "Offsets that were gone before the run came to them.",
     MetricType::Counter, [](const Counters& c, double) { return static_cast<double>(c.lost_offsets); }},
    {"kafka_backup_storage_write_bytes_total", "Bytes of segments stored.", MetricType::Counter,
     [](const Counters& c, double) { return static_cast<double>(c.stored_bytes); }},
    {"kafka_backup_segments_total", "Segments stored.", MetricType::Counter,
     [](const Counters& c, double) { return static_cast<double>(c.segments); }},
    {"kafka_backup_checkpoints_total", "Checkpoints written.", MetricType::Counter,
     [](const Counters& c, double) { return static_cast<double>(c.checkpoints); }},
    {"kafka_backup_held_back_offsets", "Offsets behind open transactions, which the run does not capture.",
     MetricType::Gauge, [](const Counters& c, double) { return static_cast<double>(c.held_back_offsets); }},
    {"kafka_backup_hanging_transactions",
     "Partitions whose open transaction nobody seems to be going to end.", MetricType::Gauge,
     [](const Counters& c, double) { return static_cast<double>(c.hanging_transactions); }},
    {"kafka_backup_throughput_records_per_sec", "Offsets per second since the start.", MetricType::Gauge,
     [](const Counters& c, double seconds) { return per_second(c.records_done, seconds); }},
    {"kafka_backup_throughput_bytes_per_sec", "Bytes per second since the start.", MetricType::Gauge,
     [](const Counters& c, double seconds) { return per_second(c.bytes_done, seconds); }},
};

constexpr Family restore_families[] = {
    {"kafka_restore_records_total", "Records that are at the target.", MetricType::Counter,
     [](const Counters& c, double) { return static_cast<double>(c.records_done); }},
    {"kafka_restore_progress_percent", "How far the restore is.", MetricType::Gauge,
     [](const Counters& c, double) {
       return c.records_total > 0
                  ? 100.0 * static_cast<double>(c.records_done) / static_cast<double>(c.records_total)
                  : 0.0;
     }},
    {"kafka_restore_throughput_records_per_sec", "Records per second since the start.", MetricType::Gauge,
     [](const Counters& c, double seconds) { return per_second(c.records_done, seconds); }},
    {"kafka_restore_eta_seconds", "Seconds until it is done, at this speed.", MetricType::Gauge,
     [](const Counters& c, double seconds) {
       const auto speed = per_second(c.records_done, seconds);
       return speed > 0 ? left(c.records_total, c.records_done) / speed : 0;
     }},
};

struct LagFamily {
  const char* name;
  const char* help;
  double (*value)(const engine::Lag&, std::int64_t now_ms);
};

constexpr LagFamily lag_families[] = {
    {"kafka_backup_lag_records", "Offsets of a partition that are not read yet.",
     [](const engine::Lag& lag, std::int64_t) { return static_cast<double>(lag.records); }},
    {"kafka_backup_lag_bytes", "Their bytes, at the mean size of what was read.",
     [](const engine::Lag& lag, std::int64_t) { return static_cast<double>(lag.bytes); }},
    {"kafka_backup_lag_seconds", "Age of the last record read, while there are others behind it.",
     [](const engine::Lag& lag, std::int64_t now_ms) {
       if (lag.records == 0 || lag.read_until_ms == 0) return 0.0;
       return std::max(0.0, static_cast<double>(now_ms - lag.read_until_ms) / 1000);
     }},
};

constexpr Family follow_families[] = {
    {"kafka_backup_lag_records_max", "The greatest of kafka_backup_lag_records, over all partitions.",
     MetricType::Gauge, [](const Counters& c, double) { return static_cast<double>(c.lags.records_max()); }},
    {"kafka_backup_lag_records_sum", "Their sum, over all partitions.", MetricType::Gauge,
     [](const Counters& c, double) { return static_cast<double>(c.lags.records_sum()); }},
    {"kafka_backup_restore_points_total", "Restore points that this worker has committed.",
     MetricType::Counter,
     [](const Counters& c, double) { return static_cast<double>(c.points.state().made); }},
    {"kafka_backup_restore_point_timestamp_seconds",
     "When the topics held what the newest of them holds, Unix seconds.", MetricType::Gauge,
     [](const Counters& c, double) { return static_cast<double>(c.points.state().captured_at_ms) / 1000; }},
};

MetricFamily to_family(const LagFamily& family, const std::string& run_id,
                       const std::vector<engine::Lag>& lags, std::int64_t now_ms) {
  MetricFamily out;
  out.name = family.name;
  out.help = family.help;
  out.type = MetricType::Gauge;
  for (const auto& lag : lags) {
    ClientMetric metric;
    metric.label = {
        {"topic", lag.topic}, {"partition", std::to_string(lag.partition)}, {"backup_id", run_id}};
    metric.gauge.value = family.value(lag, now_ms);
    out.metric.push_back(std::move(metric));
  }
  return out;
}

MetricFamily to_family(const Family& family, const std::string& label, const std::string& run_id,
                       double value) {
  ClientMetric metric;
  metric.label = {{label, run_id}};
  (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  MetricFamily out;
  out.name = family.name;
  out.help = family.help;
  out.type = family.type;
  out.metric = {std::move(metric)};
  return out;
}

// Of those peers that have a breaker: a run without spec.circuitBreaker has none.
void add_breakers(std::vector<MetricFamily>& all, const std::string& label, const std::string& run_id,
                  const CircuitBreakers& breakers) {
  MetricFamily state{.name = "kafka_backup_circuit_breaker_state",
                     .help = "Broker or storage: 0 closed, 1 half open, 2 open, so left alone.",
                     .type = MetricType::Gauge,
                     .metric = {}};
  MetricFamily opened{.name = "kafka_backup_circuit_breaker_opened_total",
                      .help = "How often it has opened.",
                      .type = MetricType::Counter,
                      .metric = {}};
  for (const auto& seen : breakers.all()) {
    ClientMetric metric;
    metric.label = {{label, run_id}, {"peer", seen.peer}};
    metric.gauge.value = static_cast<double>(seen.state);
    metric.counter.value = static_cast<double>(seen.times_opened);
    state.metric.push_back(metric);
    opened.metric.push_back(metric);
  }
  if (state.metric.empty()) return;
  all.push_back(std::move(state));
  all.push_back(std::move(opened));
}

}  // namespace

std::string run_metrics_text(RunKind kind, const std::string& run_id,
                             const engine::ProgressCounters& counters, double seconds,
                             std::uint64_t partitions_max) {
  std::vector<MetricFamily> all;
  auto add = [&](const auto& families, const std::string& label) {
    for (const auto& family : families)
      all.push_back(to_family(family, label, run_id, family.value(counters, seconds)));
  };
  const std::string label = kind == RunKind::backup ? "backup_id" : "restore_id";
  if (kind == RunKind::backup)
    add(backup_families, label);
  else
    add(restore_families, label);
  add_breakers(all, label, run_id, *counters.breakers);
  const auto lags = counters.lags.most(partitions_max > 0 ? partitions_max : SIZE_MAX);
  if (kind == RunKind::backup && !lags.empty()) {
    add(follow_families, label);
    const auto now_ms = unix_now_ms();
    for (const auto& family : lag_families) all.push_back(to_family(family, run_id, lags, now_ms));
  }
  return prometheus::TextSerializer().Serialize(all);
}

RunMetrics::RunMetrics(const api::Metrics& settings, RunKind kind, std::string run_id,
                       const engine::ProgressCounters& counters)
    : settings_(settings),
      kind_(kind),
      run_id_(std::move(run_id)),
      counters_(counters),
      server_({settings.bind_address, settings.port}, [this](std::string_view path) { return page(path); }) {}

HttpPage RunMetrics::page(std::string_view path) {
  if (path != settings_.path) return {.status = 404, .body = "not found\n"};
  std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (!made_at_ || now - *made_at_ >= std::chrono::milliseconds(settings_.update_interval_ms)) {
    text_ = run_metrics_text(kind_, run_id_, counters_, std::chrono::duration<double>(now - begun_).count(),
                             settings_.max_partition_labels);
    made_at_ = now;
  }
  return {.content_type = "text/plain; version=0.0.4", .body = text_};
}

std::unique_ptr<RunMetrics> serve_run_metrics(const std::optional<api::Metrics>& settings, RunKind kind,
                                              const std::string& run_id,
                                              const engine::ProgressCounters& counters) {
  if (!settings || !settings->enabled) return nullptr;
  try {
    auto served = std::make_unique<RunMetrics>(*settings, kind, run_id, counters);
    LOG_INFO("metrics of the run are served at {}:{}{}", settings->bind_address, served->port(),
             settings->path);
    return served;
  } catch (const Error& error) {
    LOG_WARN("spec.metrics: metrics of the run are not served: {}", error.what());
    return nullptr;
  }
}

}  // namespace kb::cli
