#include "base/retry.h"

#include <random>

#include "base/log.h"

namespace kb {

void Backoff::wait_or_throw(const Context& ctx, const Error& error) {
  if (!error.retryable()) throw error;
  ctx.check();
  auto now = Clock::now();
  if (attempts_ == 0) first_failure_ = now;
  if (now - first_failure_ >= policy_.give_up_after) throw error;
  Duration exponential = policy_.backoff_first * (std::int64_t{1} << std::min(attempts_, 16));
  thread_local std::minstd_rand random{std::random_device{}()};
  auto jitter = std::uniform_real_distribution<double>(0.5, 1.0)(random);
  auto wait = std::chrono::duration_cast<Duration>(std::min(exponential, policy_.backoff_max) * jitter);
  ++attempts_;
  LOG_DEBUG("attempt {} failed, trying again: {}", attempts_, error.what());
  ctx.sleep_for(wait);
}

}  // namespace kb
