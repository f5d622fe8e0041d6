// A queue that makes the producer wait: memory is bounded by construction. Thread-safe.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

#include "base/context.h"

namespace kb {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t items_max) : items_max_(items_max) {}

  // Waits for room; throws cancelled or timed_out.
  void push(const Context& ctx, T item) {
    std::unique_lock lock(mutex_);
    wait(lock, ctx, [&] { return items_.size() < items_max_; });
    items_.push_back(std::move(item));
    changed_.notify_all();
  }
  // Waits for an item; empty once closed and drained.
  std::optional<T> pop(const Context& ctx) {
    std::unique_lock lock(mutex_);
    wait(lock, ctx, [&] { return !items_.empty() || closed_; });
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    changed_.notify_all();
    return item;
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  template <class Ready>
  void wait(std::unique_lock<std::mutex>& lock, const Context& ctx, Ready ready) {
    if (!changed_.wait_until(lock, ctx.stop, ctx.deadline, ready)) ctx.check();
  }

  const std::size_t items_max_;
  // guarded by mutex_
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace kb
