#include "kube/work_queue.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>

namespace kb::kube {

struct WorkQueue::State {
  const BackoffSettings backoff;
  std::mutex mutex;
  std::condition_variable_any changed;
  // guarded by mutex
  std::deque<std::string> due;                                // in the order they came
  std::set<std::string> waiting;                              // those in `due`
  std::set<std::string> active;                               // taken and not done
  std::set<std::string> again;                                // active ones that came again
  std::map<std::string, Clock::time_point> planned;           // by key, and
  std::set<std::pair<Clock::time_point, std::string>> times;  // the same by time
  std::map<std::string, int> failures;

  explicit State(BackoffSettings settings) : backoff(settings) {}

  void add(const std::string& key) {
    if (active.contains(key)) {
      again.insert(key);
    } else if (waiting.insert(key).second) {
      due.push_back(key);
    }
  }
  void plan(const std::string& key, Clock::time_point time) {
    auto [at, is_new] = planned.try_emplace(key, time);
    if (!is_new && at->second <= time) return;
    times.erase({at->second, key});
    at->second = time;
    times.emplace(time, key);
  }
  void add_planned(Clock::time_point now) {
    while (!times.empty() && times.begin()->first <= now) {
      auto key = times.begin()->second;
      times.erase(times.begin());
      planned.erase(key);
      add(key);
    }
  }
};

WorkQueue::WorkQueue(BackoffSettings backoff) : state_(std::make_unique<State>(backoff)) {}
WorkQueue::~WorkQueue() = default;

void WorkQueue::add(const std::string& key) {
  std::lock_guard lock(state_->mutex);
  state_->add(key);
  state_->changed.notify_all();
}

void WorkQueue::add_after(const std::string& key, Duration delay) {
  std::lock_guard lock(state_->mutex);
  state_->plan(key, Clock::now() + delay);
  state_->changed.notify_all();
}

void WorkQueue::add_after_failure(const std::string& key) {
  std::lock_guard lock(state_->mutex);
  state_->plan(key, Clock::now() + backoff_of(state_->failures[key]++));
  state_->changed.notify_all();
}

void WorkQueue::forget_failures(const std::string& key) {
  std::lock_guard lock(state_->mutex);
  state_->failures.erase(key);
}

int WorkQueue::failures(const std::string& key) const {
  std::lock_guard lock(state_->mutex);
  auto found = state_->failures.find(key);
  return found == state_->failures.end() ? 0 : found->second;
}

Duration WorkQueue::backoff_of(int failures_before) const {
  constexpr int doublings_max = 30;
  const auto times = std::int64_t{1} << std::min(failures_before, doublings_max);
  const auto& [first, max] = state_->backoff;
  return first > max / times ? max : first * times;  // divided: the product could overflow
}

std::string WorkQueue::take(const Context& ctx) {
  auto& s = *state_;
  std::unique_lock lock(s.mutex);
  for (;;) {
    ctx.check();
    s.add_planned(Clock::now());
    if (!s.due.empty()) break;
    auto next = s.times.empty() ? Clock::time_point::max() : s.times.begin()->first;
    auto earlier = [&] { return !s.due.empty() || (!s.times.empty() && s.times.begin()->first < next); };
    s.changed.wait_until(lock, ctx.stop, std::min(next, ctx.deadline), earlier);
  }
  auto key = std::move(s.due.front());
  s.due.pop_front();
  s.waiting.erase(key);
  s.active.insert(key);
  return key;
}

void WorkQueue::done(const std::string& key) {
  std::lock_guard lock(state_->mutex);
  state_->active.erase(key);
  if (state_->again.erase(key)) state_->add(key);
  state_->changed.notify_all();
}

std::size_t WorkQueue::size() const {
  std::lock_guard lock(state_->mutex);
  return state_->due.size() + state_->again.size() + state_->times.size();
}

}  // namespace kb::kube
