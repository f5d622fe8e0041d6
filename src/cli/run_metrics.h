// Metrics of a run while it lasts, as spec.metrics asks for them; names as users of kafka.oso.sh/v1alpha1
// know them. https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/kafka_backup.h"
#include "base/context.h"
#include "engine/progress_counters.h"
#include "net/http_server.h"

namespace kb::cli {

enum class RunKind { backup, restore };

// The exposition for the counters as they are now. Pure.
// Of a continuous backup, the `partitions_max` partitions that lag most have time series of their own; 0:
// all.
std::string run_metrics_text(RunKind kind, const std::string& run_id,
                             const engine::ProgressCounters& counters, double seconds,
                             std::uint64_t partitions_max = 0);

// Serves it at spec.metrics from construction to destruction; the text is made anew once in updateIntervalMs
// at most. Throws unavailable when the address is taken. `counters` outlive it.
class RunMetrics {
 public:
  RunMetrics(const api::Metrics& settings, RunKind kind, std::string run_id,
             const engine::ProgressCounters& counters);
  int port() const { return server_.port(); }

 private:
  HttpPage page(std::string_view path);

  const api::Metrics settings_;
  const RunKind kind_;
  const std::string run_id_;
  const engine::ProgressCounters& counters_;
  const Clock::time_point begun_ = Clock::now();
  std::mutex mutex_;
  std::optional<Clock::time_point> made_at_;  // guarded by mutex_
  std::string text_;                          // guarded by mutex_
  HttpServer server_;                         // last: its thread uses the others
};

// None when the block is absent or not enabled, and when its address is taken: that is logged and stops no
// run.
std::unique_ptr<RunMetrics> serve_run_metrics(const std::optional<api::Metrics>& settings, RunKind kind,
                                              const std::string& run_id,
                                              const engine::ProgressCounters& counters);

}  // namespace kb::cli
