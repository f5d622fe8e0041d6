#include "operator/progress_view.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/names.h"
#include "base/cut_text.h"

namespace kb::op {

namespace {

constexpr double seconds_max = 1e9;
constexpr std::size_t error_bytes_max = 1000, peer_bytes_max = 200;
constexpr std::size_t peers_max = 100, peers_told_max = 3;
constexpr std::uint64_t figure_max = std::uint64_t{1} << 50;  // of a thousand workers still a number

bool is_time(std::int64_t unix_seconds) {
  return unix_seconds >= 0 && unix_seconds <= unix_seconds_max;
}

bool are_believable(const api::ReportedPoints& points) {
  return std::max(points.count, points.bytes) <= figure_max && is_time(points.oldest) &&
         is_time(points.captured) && points.newest.size() <= api::restore_points_max &&
         std::ranges::all_of(points.newest, is_time);
}

bool is_believable(const api::ReportedRetention& retention) {
  return std::max({retention.inspected, retention.eligible, retention.deleted, retention.reclaimed_bytes}) <=
         figure_max;
}

bool is_believable(const api::WorkProgress& worker) {
  return std::max({worker.partitions_done, worker.partitions_total, worker.records_done, worker.records_total,
                   worker.bytes_done, worker.bytes_total, worker.checkpoints, worker.lost_offsets,
                   worker.lag_records, worker.held_back_offsets, worker.hanging_transactions}) <=
             figure_max &&
         worker.seconds >= 0 && worker.seconds <= seconds_max && is_time(worker.checkpoint_s) &&
         is_time(worker.retention_s) && (!worker.points || are_believable(*worker.points)) &&
         (!worker.retention || is_believable(*worker.retention));
}

void add_lagging(std::vector<api::PartitionLag>& sum, const std::vector<api::PartitionLag>& more) {
  for (const auto& lag : more)
    if (sum.size() < api::lagging_partitions_max && api::is_topic_name(lag.topic) && lag.partition >= 0 &&
        lag.records <= figure_max)
      sum.push_back(lag);
}

// Each worker has breakers of its own, so several may have the same peer.
void add_left_alone(std::vector<api::LeftAlonePeer>& sum, const std::vector<api::LeftAlonePeer>& more) {
  for (const auto& seen : more) {
    api::LeftAlonePeer own{cut_text(seen.peer, peer_bytes_max), cut_text(seen.failure, error_bytes_max)};
    const auto is_same = [&](const auto& known) { return known.peer == own.peer; };
    if (sum.size() < peers_max && std::ranges::none_of(sum, is_same)) sum.push_back(std::move(own));
  }
}

void add_retention(api::WorkProgress& sum, const api::WorkProgress& worker) {
  sum.retention = worker.retention;
  sum.retention->error = cut_text(sum.retention->error, error_bytes_max);
  sum.retention_s = worker.retention_s;
}

}  // namespace

std::optional<api::WorkProgress> add_up(const std::vector<api::WorkProgress>& workers) {
  std::optional<api::WorkProgress> total;
  for (const auto& worker : workers) {
    if (!is_believable(worker)) continue;
    auto& sum = total ? *total : total.emplace();
    sum.phase = worker.phase;
    if (api::is_topic_name(worker.topic)) sum.topic = worker.topic;
    sum.partitions_done += worker.partitions_done;
    sum.partitions_total += worker.partitions_total;
    sum.records_done += worker.records_done;
    sum.records_total += worker.records_total;
    sum.bytes_done += worker.bytes_done;
    sum.bytes_total += worker.bytes_total;
    sum.checkpoints += worker.checkpoints;
    sum.seconds = std::max(sum.seconds, worker.seconds);
    sum.checkpoint_s = std::max(sum.checkpoint_s, worker.checkpoint_s);
    add_left_alone(sum.left_alone, worker.left_alone);
    // Each worker of a run has those of the whole run.
    sum.held_back_offsets = std::max(sum.held_back_offsets, worker.held_back_offsets);
    sum.hanging_transactions = std::max(sum.hanging_transactions, worker.hanging_transactions);
    sum.lost_offsets += worker.lost_offsets;
    if (worker.points) sum.points = worker.points;
    if (worker.retention) add_retention(sum, worker);
    sum.lag_records += worker.lag_records;
    add_lagging(sum.lagging, worker.lagging);
  }
  return total;
}

api::RunProgress to_run_progress(const api::WorkProgress& progress) {
  api::RunProgress out{.partitions_done = progress.partitions_done,
                       .partitions_total = progress.partitions_total,
                       .records_done = progress.records_done,
                       .records_total = progress.records_total,
                       .bytes_done = progress.bytes_done,
                       .percent = {},
                       .eta_seconds = {},
                       .circuit_breakers_open = progress.left_alone.size(),
                       .held_back_offsets = progress.held_back_offsets,
                       .hanging_transactions = progress.hanging_transactions};
  if (progress.records_total == 0) return out;
  const auto share =
      std::min(1.0, static_cast<double>(progress.records_done) / static_cast<double>(progress.records_total));
  out.percent = static_cast<std::uint32_t>(share * 100);
  if (share > 0 && progress.seconds > 0)
    out.eta_seconds =
        static_cast<std::uint64_t>(std::min(seconds_max, progress.seconds / share * (1 - share)));
  return out;
}

// Names no figures that grow: each new text is a write to the API server.
std::string trouble_of(const api::WorkProgress& progress) {
  std::string text;
  const auto& peers = progress.left_alone;
  for (std::size_t i = 0; i < std::min(peers.size(), peers_told_max); ++i)
    text += fmt::format("; {} is left alone for now: {}", peers[i].peer, peers[i].failure);
  if (peers.size() > peers_told_max)
    text += fmt::format("; {} more are left alone", peers.size() - peers_told_max);
  if (progress.hanging_transactions > 0)
    text += fmt::format("; transactions hang in {} partitions, what is behind them is not captured",
                        progress.hanging_transactions);
  return text;
}

}  // namespace kb::op
