// Threads that live and die together: the first failure stops the others and is rethrown by wait(), so no
// error is lost and no thread outlives its owner. spawn() and wait() belong to the owning thread.
#pragma once
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/context.h"

namespace kb {

class TaskGroup {
 public:
  explicit TaskGroup(const Context& parent)
      : parent_(parent), on_stop_(parent.stop, [this] { stop_.request_stop(); }) {}
  ~TaskGroup() { stop_.request_stop(); }

  // What the group's threads must use; stops when the parent stops or a task fails.
  Context context() const { return {stop_.get_token(), parent_.deadline}; }
  void spawn(std::function<void(const Context&)> task);
  // Joins all, then throws the first failure, or cancelled when the parent was stopped.
  void wait();

 private:
  void keep_first(std::exception_ptr failure);

  const Context parent_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> on_stop_;
  std::mutex mutex_;
  std::exception_ptr first_failure_;  // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace kb
