#include "base/task_group.h"

#include "base/error.h"

namespace kb {

void TaskGroup::spawn(std::function<void(const Context&)> task) {
  threads_.emplace_back([this, task = std::move(task), ctx = context()] {
    try {
      task(ctx);
    } catch (...) {
      keep_first(std::current_exception());
    }
  });
}

void TaskGroup::keep_first(std::exception_ptr failure) {
  std::lock_guard lock(mutex_);
  if (!first_failure_) first_failure_ = std::move(failure);
  stop_.request_stop();
}

void TaskGroup::wait() {
  threads_.clear();
  if (first_failure_) std::rethrow_exception(first_failure_);
  if (parent_.stop.stop_requested()) parent_.check();
}

}  // namespace kb
