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

// Counts one row of failures: tells how long to wait before the next attempt.
class Backoff {
 public:
  explicit Backoff(const RetryPolicy& policy) : policy_(policy) {}
  // Waits, or throws `error` when it is not retryable or the row has lasted too long.
  void wait_or_throw(const Context& ctx, const Error& error);
  void reset() { attempts_ = 0; }
  int attempts() const { return attempts_; }

 private:
  const RetryPolicy policy_;
  Clock::time_point first_failure_{};
  int attempts_ = 0;
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
