#include "engine/fetch_scheduler.h"

#include <algorithm>
#include <iterator>

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
  auto& queue = queues_[leader_(cursor.stream)];
  const bool rests = workers_per_leader_ > 0 && cursor.not_before > Clock::now();
  if (rests || cursor.failures.failures() > 0)
    queue.resting.emplace(cursor.not_before, std::move(cursor));
  else
    queue.ready.push_back(std::move(cursor));
  ++waiting_count_;
}

FetchScheduler::Turn FetchScheduler::take(const Context& ctx, std::size_t workers) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ctx.check();
    if (finished()) return {};
    if (auto turn = take_now(workers); !turn.cursors.empty()) return turn;
    ++takers_;
    changed_.wait_until(lock, ctx.stop, std::min(ctx.deadline, earliest()),
                        [&, seen = changes_] { return changes_ != seen; });
    --takers_;
  }
}

FetchScheduler::Turn FetchScheduler::try_take(std::size_t workers) {
  std::lock_guard lock(mutex_);
  return takers_ > 0 ? Turn{} : take_now(workers);
}

FetchScheduler::Turn FetchScheduler::take_now(std::size_t workers) {
  Turn turn;
  if (out_ >= partitions_in_flight_max_) return turn;
  wake(Clock::now());
  auto best = queues_.end();
  for (auto it = queues_.begin(); it != queues_.end(); ++it)
    if (!it->second.ready.empty() && !has_all_its_workers(it->second) &&
        (best == queues_.end() || it->second.busy < best->second.busy))
      best = it;
  if (best == queues_.end()) return turn;
  auto& [leader, queue] = *best;
  const auto count = turn_size(queue, workers);
  turn.node_id = leader;
  auto end = queue.ready.begin() + static_cast<std::ptrdiff_t>(count);
  std::move(queue.ready.begin(), end, std::back_inserter(turn.cursors));
  queue.ready.erase(queue.ready.begin(), end);
  ++queue.busy;
  waiting_count_ -= count;
  out_ += count;
  return turn;
}

std::size_t FetchScheduler::turn_size(const Queue& queue, std::size_t workers) const {
  const auto share = [](std::size_t all, std::size_t among) { return (all + among - 1) / among; };
  const auto waiting = queue.ready.size() + queue.resting.size();
  if (workers_per_leader_ > 0)
    return std::min(share(waiting, workers_per_leader_ - queue.busy), queue.ready.size());
  // A limit on partitions is divided, too, or the first worker would leave nothing to the others.
  return std::min({share(waiting, workers), queue.ready.size(), partitions_in_flight_max_ - out_,
                   share(partitions_in_flight_max_, workers), cursors_per_turn_max});
}

void FetchScheduler::wake(Clock::time_point now) {
  for (auto& [leader, queue] : queues_) {
    auto end = queue.resting.upper_bound(now);
    for (auto it = queue.resting.begin(); it != end; ++it) queue.ready.push_back(std::move(it->second));
    queue.resting.erase(queue.resting.begin(), end);
  }
}

Clock::time_point FetchScheduler::earliest() const {
  // When the limit is reached or nothing waits, only give_back() can change that.
  auto at = Clock::now() + std::chrono::seconds(1);
  if (out_ >= partitions_in_flight_max_) return at;
  for (const auto& [leader, queue] : queues_)
    if (!queue.resting.empty() && !has_all_its_workers(queue))
      at = std::min(at, queue.resting.begin()->first);
  return at;
}

void FetchScheduler::give_back(Turn turn) {
  std::lock_guard lock(mutex_);
  --queues_[turn.node_id].busy;
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
  std::vector<FetchCursor> all;
  for (auto& [leader, queue] : queues_) {
    for (auto& cursor : std::exchange(queue.ready, {})) all.push_back(std::move(cursor));
    for (auto& [at, cursor] : std::exchange(queue.resting, {})) all.push_back(std::move(cursor));
  }
  waiting_count_ = 0;
  for (auto& cursor : all) put(std::move(cursor));
  ++changes_;
  changed_.notify_all();
}

std::size_t FetchScheduler::done_count() const {
  std::lock_guard lock(mutex_);
  return done_;
}

std::size_t FetchScheduler::unread_count() const {
  std::lock_guard lock(mutex_);
  return waiting_count_ + out_;
}

}  // namespace kb::engine
