// A token bucket shared by all threads of a run. Thread-safe.
#pragma once
#include <cstdint>
#include <mutex>

#include "base/context.h"

namespace kb {

class RateLimiter {
 public:
  // 0 means unlimited. The bucket holds what a tenth of a second allows.
  explicit RateLimiter(std::uint64_t per_second) : per_second_(per_second) {}
  // Takes `amount` and waits until the rate allows it. An amount larger than the bucket goes into debt, so
  // the average is kept whatever the size of a request.
  void acquire(const Context& ctx, std::uint64_t amount);
  // Pure part: how long to wait after taking `amount` at `now`.
  Duration take(std::uint64_t amount, Clock::time_point now);

 private:
  const std::uint64_t per_second_;
  std::mutex mutex_;
  Clock::time_point paid_until_{};  // guarded by mutex_
};

}  // namespace kb
