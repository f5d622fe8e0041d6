#include "engine/fetch_scheduler.h"

#include <algorithm>
#include <iterator>

namespace kb::engine {
namespace {

// What one request asks for: enough to carry thousands of small partitions in a few answers.
constexpr std::size_t cursors_per_turn_max = 500;

std::size_t divided(std::size_t count, std::size_t by) {
  return count / by + (count % by > 0 ? 1 : 0);
}

FetchScheduler::Limits at_least_one(FetchScheduler::Limits limits) {
  for (auto* each : {&limits.workers_per_broker, &limits.turns_per_worker, &limits.partitions_at_once_max})
    *each = std::max<std::size_t>(*each, 1);
  return limits;
}

}  // namespace

FetchScheduler::FetchScheduler(std::vector<FetchCursor> cursors, const Limits& limits, LeaderOf leader,
                               const RetryPolicy& retry)
    : limits_(at_least_one(limits)), leader_(std::move(leader)), retry_(retry) {
  for (auto& cursor : cursors) put(std::move(cursor));
}

void FetchScheduler::put(FetchCursor cursor) {
  if (cursor.done()) {
    ++done_;
    return;
  }
  const auto now = Clock::now();
  const auto replica = cursor.replica.node_id(now);
  auto& queue = queues_[replica ? *replica : leader_(cursor.stream)];
  const bool rests = limits_.follows && cursor.not_before > now;
  if (rests || cursor.failures.failures() > 0)
    queue.resting.emplace(cursor.not_before, std::move(cursor));
  else
    queue.ready.push_back(std::move(cursor));
  ++waiting_count_;
}

FetchScheduler::Turn FetchScheduler::take(const Context& ctx, Place& place) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ctx.check();
    if (finished()) return {};
    wake(Clock::now());
    settle(place);
    if (place.broker_)
      if (auto turn = take_now(*place.broker_); !turn.cursors.empty()) return turn;
    auto& waiting = place.broker_ ? queues_[*place.broker_].takers : idle_;
    ++waiting;
    changed_.wait_until(lock, ctx.stop, std::min(ctx.deadline, earliest()),
                        [&, seen = changes_] { return changes_ != seen; });
    --waiting;
  }
}

// Gives the worker another place when it has none, or is not needed where it is.
void FetchScheduler::settle(Place& place) {
  const auto best = least_served(place);
  if (place.broker_) {
    auto& queue = queues_[*place.broker_];
    if (queue.in_use() && (idle_ > 0 || !some_have_nobody())) return;
    --queue.workers;
    place.broker_.reset();
    changed();
  }
  if (best == queues_.end()) return;
  place.broker_ = best->first;
  ++best->second.workers;
}

// The first such behind the worker's own one, so that each has its turn when there are more brokers than
// workers.
FetchScheduler::Queues::iterator FetchScheduler::least_served(const Place& place) {
  auto best = queues_.end();
  auto it = place.broker_ ? queues_.upper_bound(*place.broker_) : queues_.begin();
  for (std::size_t i = 0; i < queues_.size(); ++i, ++it) {
    if (it == queues_.end()) it = queues_.begin();
    if (it->second.workers >= limits_.workers_per_broker || room(it->second) == 0) continue;
    if (best == queues_.end() || it->second.workers < best->second.workers) best = it;
  }
  return best;
}

bool FetchScheduler::some_have_nobody() const {
  return std::ranges::any_of(
      queues_, [&](const auto& each) { return each.second.workers == 0 && room(each.second) > 0; });
}

bool FetchScheduler::somebody_waits_for(const Queue& queue) const {
  return queue.takers > 0 || (idle_ > 0 && queue.workers < limits_.workers_per_broker);
}

std::size_t FetchScheduler::brokers_in_use() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(queues_, [](const auto& each) { return each.second.in_use(); }));
}

FetchScheduler::Turn FetchScheduler::try_take(const Place& place) {
  std::lock_guard lock(mutex_);
  if (!place.broker_) return {};
  wake(Clock::now());
  const auto& queue = queues_[*place.broker_];
  if (somebody_waits_for(queue) || some_have_nobody()) return {};
  // Those of a broker in trouble would use the limit up.
  if (!queue.in_use() || queue.turns >= divided(limits_.turns_at_once_max, brokers_in_use())) return {};
  return take_now(*place.broker_);
}

FetchScheduler::Turn FetchScheduler::take_now(std::int32_t node_id) {
  auto& queue = queues_[node_id];
  const auto count = turn_size(queue);
  Turn turn{.node_id = node_id, .cursors = {}};
  if (count == 0) return turn;
  auto end = queue.ready.begin() + static_cast<std::ptrdiff_t>(count);
  std::move(queue.ready.begin(), end, std::back_inserter(turn.cursors));
  queue.ready.erase(queue.ready.begin(), end);
  ++queue.turns;
  queue.out += count;
  waiting_count_ -= count;
  out_ += count;
  return turn;
}

// How many more cursors of a broker may be worked on now. The limit is divided among the brokers that have
// any, or those of one in trouble would use it up.
std::size_t FetchScheduler::room(const Queue& queue) const {
  if (queue.ready.empty()) return 0;
  const auto share = divided(limits_.partitions_at_once_max, brokers_in_use());
  const auto left = limits_.partitions_at_once_max - std::min(out_, limits_.partitions_at_once_max);
  return std::min({share - std::min(queue.out, share), left, queue.ready.size()});
}

std::size_t FetchScheduler::turn_size(const Queue& queue) const {
  const auto most = room(queue);
  if (most == 0) return 0;
  if (limits_.follows) {
    const auto without_turn =
        limits_.workers_per_broker - std::min(queue.turns, limits_.workers_per_broker - 1);
    return std::min(divided(queue.waiting(), without_turn), most);
  }
  // A limit on partitions is divided, too, or the first worker would leave nothing to the others.
  const auto among = limits_.workers_per_broker * limits_.turns_per_worker;
  const auto allowed = divided(limits_.partitions_at_once_max, brokers_in_use());
  return std::min({divided(queue.waiting(), among), divided(allowed, among), most, cursors_per_turn_max});
}

void FetchScheduler::wake(Clock::time_point now) {
  for (auto& [node_id, queue] : queues_) {
    auto end = queue.resting.upper_bound(now);
    for (auto it = queue.resting.begin(); it != end; ++it) queue.ready.push_back(std::move(it->second));
    queue.resting.erase(queue.resting.begin(), end);
  }
}

// When nothing rests, only give_back() can change anything.
Clock::time_point FetchScheduler::earliest() const {
  auto at = Clock::now() + std::chrono::seconds(1);
  for (const auto& [node_id, queue] : queues_)
    if (!queue.resting.empty()) at = std::min(at, queue.resting.begin()->first);
  return at;
}

void FetchScheduler::give_back(Turn turn) {
  std::lock_guard lock(mutex_);
  auto& queue = queues_[turn.node_id];
  --queue.turns;
  queue.out -= turn.cursors.size();
  out_ -= turn.cursors.size();
  for (auto& cursor : turn.cursors) put(std::move(cursor));
  changed();
}

void FetchScheduler::failed(FetchCursor& cursor, const Error& error) const {
  auto now = Clock::now();
  cursor.not_before = now + cursor.failures.note(retry_, error, now);
}

void FetchScheduler::leaders_changed() {
  std::lock_guard lock(mutex_);
  std::vector<FetchCursor> all;
  for (auto& [node_id, queue] : queues_) {
    for (auto& cursor : std::exchange(queue.ready, {})) all.push_back(std::move(cursor));
    for (auto& [at, cursor] : std::exchange(queue.resting, {})) all.push_back(std::move(cursor));
  }
  waiting_count_ = 0;
  for (auto& cursor : all) put(std::move(cursor));
  changed();
}

void FetchScheduler::changed() {
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
