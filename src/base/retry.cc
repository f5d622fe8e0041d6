#include "base/retry.h"

#include <random>

#include "base/log.h"

namespace kb {

Duration FailureRow::note(const RetryPolicy& policy, const Error& error, Clock::time_point now) {
  if (!error.retryable()) throw error;
  if (failures_ == 0) since_ = now;
  if (now - since_ >= policy.give_up_after) throw error;
  constexpr int doublings_max = 16;
  Duration exponential = policy.backoff_first * (std::int64_t{1} << std::min(failures_, doublings_max));
  thread_local std::minstd_rand random{std::random_device{}()};
  auto jitter = std::uniform_real_distribution<double>(0.5, 1.0)(random);
  ++failures_;
  return std::chrono::duration_cast<Duration>(std::min(exponential, policy.backoff_max) * jitter);
}

void Backoff::wait_or_throw(const Context& ctx, const Error& error) {
  if (error.retryable()) ctx.check();
  auto rest = row_.note(policy_, error, Clock::now());
  // Whoever waits for a program that seems to do nothing reads why; a failure or two is nobody's business.
  if (row_.failures() % 10 == 5)
    LOG_WARN("attempt {} failed, trying again: {}", row_.failures(), error.what());
  else
    LOG_DEBUG("attempt {} failed, trying again: {}", row_.failures(), error.what());
  ctx.sleep_for(rest);
}

}  // namespace kb
