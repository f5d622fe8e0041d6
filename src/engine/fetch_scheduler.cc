#include "engine/fetch_scheduler.h"

#include <algorithm>

namespace kb::engine {
namespace {

// What one request asks for: enough to carry thousands of small partitions in a few answers.
constexpr std::size_t cursors_per_turn_max = 500;

}  // namespace

FetchScheduler::FetchScheduler(std::vector<FetchCursor> cursors, std::size_t partitions_in_flight_max,
                               LeaderOf leader, const RetryPolicy& retry)
    : partitions_in_flight_max_(std::max<std::size_t>(partitions_in_flight_max, 1)),
      leader_(std::move(leader)),
      retry_(retry) {
  for (auto& cursor : cursors) put(std::move(cursor));
}

void FetchScheduler::put(FetchCursor cursor) {
  if (cursor.done()) {
    ++done_;
    return;
  }
  auto leader = leader_(cursor.stream);
  waiting_[leader].push_back(std::move(cursor));
  ++waiting_count_;
}

FetchScheduler::Turn FetchScheduler::take(const Context& ctx, std::size_t workers) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ctx.check();
    if (finished()) return {};
    auto now = Clock::now();
    auto it = out_ < partitions_in_flight_max_ ? least_busy(now) : waiting_.end();
    if (it != waiting_.end()) {
      Turn turn{.node_id = it->first};
      move_ready(it->second, turn_size(it->first, it->second.size(), workers), now, turn);
      ++busy_[turn.node_id];
      return turn;
    }
    changed_.wait_until(lock, ctx.stop, std::min(ctx.deadline, earliest()),
                        [&, seen = changes_] { return changes_ != seen; });
  }
}

bool FetchScheduler::has_all_its_workers(std::int32_t leader) const {
  auto it = busy_.find(leader);
  return workers_per_leader_ > 0 && it != busy_.end() &&
         static_cast<std::size_t>(it->second) >= workers_per_leader_;
}

std::size_t FetchScheduler::turn_size(std::int32_t leader, std::size_t waiting, std::size_t workers) {
  if (workers_per_leader_ > 0) {
    const auto idle = workers_per_leader_ - static_cast<std::size_t>(busy_[leader]);
    return (waiting + idle - 1) / idle;
  }
  auto share = (waiting + workers - 1) / std::max<std::size_t>(workers, 1);
  auto room = partitions_in_flight_max_ - out_;
  // A limit on partitions is divided, too, or the first worker would leave nothing to the others.
  auto limit_share = (partitions_in_flight_max_ + workers - 1) / std::max<std::size_t>(workers, 1);
  return std::min({share, room, limit_share, cursors_per_turn_max});
}

std::map<std::int32_t, std::deque<FetchCursor>>::iterator FetchScheduler::least_busy(Clock::time_point now) {
  auto best = waiting_.end();
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (has_all_its_workers(it->first)) continue;
    auto ready = [&](const FetchCursor& c) { return c.not_before <= now; };
    if (std::none_of(it->second.begin(), it->second.end(), ready)) continue;
    if (best == waiting_.end() || busy_[it->first] < busy_[best->first]) best = it;
  }
  return best;
}

void FetchScheduler::move_ready(std::deque<FetchCursor>& from, std::size_t count, Clock::time_point now,
                                Turn& turn) {
  for (auto it = from.begin(); it != from.end() && turn.cursors.size() < count;) {
    if (it->not_before > now) {
      ++it;
      continue;
    }
    turn.cursors.push_back(std::move(*it));
    it = from.erase(it);
  }
  waiting_count_ -= turn.cursors.size();
  out_ += turn.cursors.size();
}

Clock::time_point FetchScheduler::earliest() const {
  // When the limit is reached or nothing waits, only give_back() can change that.
  auto at = Clock::now() + std::chrono::seconds(1);
  if (out_ >= partitions_in_flight_max_) return at;
  for (const auto& [leader, cursors] : waiting_)
    if (!has_all_its_workers(leader))
      for (const auto& cursor : cursors) at = std::min(at, cursor.not_before);
  return at;
}

void FetchScheduler::give_back(Turn turn) {
  std::lock_guard lock(mutex_);
  --busy_[turn.node_id];
  out_ -= turn.cursors.size();
  for (auto& cursor : turn.cursors) put(std::move(cursor));
  ++changes_;
  changed_.notify_all();
}

void FetchScheduler::failed(FetchCursor& cursor, const Error& error) const {
  auto now = Clock::now();
  cursor.not_before = now + cursor.failures.note(retry_, error, now);
}

void FetchScheduler::leaders_changed() {
  std::lock_guard lock(mutex_);
  auto all = std::exchange(waiting_, {});
  waiting_count_ = 0;
  for (auto& [leader, cursors] : all)
    for (auto& cursor : cursors) put(std::move(cursor));
  ++changes_;
  changed_.notify_all();
}

std::size_t FetchScheduler::done_count() const {
  std::lock_guard lock(mutex_);
  return done_;
}

}  // namespace kb::engine
