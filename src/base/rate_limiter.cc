#include "base/rate_limiter.h"

namespace kb {

Duration RateLimiter::take(std::uint64_t amount, Clock::time_point now) {
  if (per_second_ == 0 || amount == 0) return Duration::zero();
  constexpr auto burst = std::chrono::milliseconds(100);
  std::lock_guard lock(mutex_);
  paid_until_ = std::max(paid_until_, now - burst);
  paid_until_ += std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(static_cast<double>(amount) / static_cast<double>(per_second_)));
  return std::max(paid_until_ - now, Duration::zero());
}

void RateLimiter::acquire(const Context& ctx, std::uint64_t amount) {
  if (auto wait = take(amount, Clock::now()); wait > Duration::zero()) ctx.sleep_for(wait);
}

}  // namespace kb
