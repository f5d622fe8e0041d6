// The only place that tries again. Whether an error may be retried is in the error table.
#pragma once
#include <chrono>
#include <functional>
#include <string_view>

#include "base/context.h"
#include "base/error.h"

namespace kb {

struct RetryPolicy {
  Duration backoff_first = std::chrono::milliseconds(50);
  Duration backoff_max = std::chrono::seconds(2);
  Duration give_up_after = std::chrono::seconds(60);  // since the first failure of a row
};

// One row of failures of one thing: how long it has to rest. Reset by a success. Not thread-safe.
class FailureRow {
 public:
  // How long to rest before the next attempt; throws `error` when it is not retryable or the row has lasted
  // too long.
  Duration note(const RetryPolicy& policy, const Error& error, Clock::time_point now);
  void reset() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  Clock::time_point since_{};
  int failures_ = 0;
};

// A row of failures of the calling thread's own: it rests itself.
class Backoff {
 public:
  explicit Backoff(const RetryPolicy& policy) : policy_(policy) {}
  // Waits, or throws `error` when it is not retryable or the row has lasted too long.
  void wait_or_throw(const Context& ctx, const Error& error);
  void reset() { row_.reset(); }
  int attempts() const { return row_.failures(); }

 private:
  const RetryPolicy policy_;
  FailureRow row_;
};

// Calls attempt() until it returns; logs each failure that is retried.
template <class Attempt>
auto retry(const Context& ctx, const RetryPolicy& policy, std::string_view doing, Attempt attempt) {
  Backoff backoff(policy);
  for (;;) {
    try {
      return attempt();
    } catch (const Error& error) {
      backoff.wait_or_throw(ctx, error.while_doing(doing));
    }
  }
}

}  // namespace kb
