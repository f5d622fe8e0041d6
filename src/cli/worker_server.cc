#include "cli/worker_server.h"

#include <chrono>

#include "base/backup_id.h"
#include "cli/work_report.h"
#include "schema/schema.h"

namespace kb::cli {
namespace {

std::int64_t seconds_of(const std::string& backup_id) {
  const auto time = time_of_backup_id(backup_id);
  return time ? time->time_since_epoch().count() : 0;
}

std::optional<api::ReportedPoints> reported(const engine::RestorePoints::State& points) {
  if (points.newest.empty()) return std::nullopt;
  api::ReportedPoints out{.count = points.count,
                          .bytes = points.bytes,
                          .newest = {},
                          .oldest = seconds_of(points.oldest),
                          .captured = points.captured_at_ms / 1000};
  for (const auto& id : points.newest) out.newest.push_back(seconds_of(id));
  return out;
}

}  // namespace

WorkerServer::WorkerServer(int port, std::string phase, const engine::ProgressCounters& counters)
    : phase_(std::move(phase)),
      counters_(counters),
      server_({"", port}, [this](std::string_view path) { return page(path); }) {}

HttpPage WorkerServer::page(std::string_view path) {
  if (path == "/progress")
    return {.content_type = "application/json", .body = schema::write_text(progress())};
  if (path == "/healthz") return {.body = "ok\n"};
  return {.status = 404, .body = "not found\n"};
}

api::WorkProgress WorkerServer::progress() {
  using namespace std::chrono;
  api::WorkProgress out{.phase = phase_,
                        .topic = counters_.topic.name(),
                        .partitions_done = counters_.partitions_done,
                        .partitions_total = counters_.partitions_total,
                        .records_done = counters_.records_done,
                        .records_total = counters_.records_total,
                        .bytes_done = counters_.bytes_done,
                        .bytes_total = counters_.bytes_total,
                        .checkpoints = counters_.checkpoints,
                        .seconds = duration<double>(Clock::now() - begun_).count()};
  if (checkpoints_seen_.exchange(out.checkpoints) != out.checkpoints)
    checkpoint_s_ = duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
  out.checkpoint_s = checkpoint_s_;
  for (auto& seen : counters_.breakers->all())
    if (seen.state != BreakerState::closed)
      out.left_alone.push_back({std::move(seen.peer), std::move(seen.last_failure)});
  out.held_back_offsets = counters_.held_back_offsets;
  out.hanging_transactions = counters_.hanging_transactions;
  const auto points = counters_.points.state();
  out.points = reported(points);
  out.lost_offsets = counters_.lost_offsets;
  if (const auto retention = counters_.retention.state()) {
    out.retention = reported(retention->report);
    out.retention_s = retention->time_s;
  }
  out.lag_records = counters_.lags.records_sum();
  for (auto& lag : counters_.lags.most(api::lagging_partitions_max))
    out.lagging.push_back({std::move(lag.topic), lag.partition, lag.records});
  return out;
}

}  // namespace kb::cli
