// Travels down every call that may wait: a stop token and a deadline.
#pragma once
#include <algorithm>
#include <chrono>
#include <stop_token>

namespace kb {

using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;

struct Context {
  std::stop_token stop;
  Clock::time_point deadline = Clock::time_point::max();

  Context with_timeout(Duration timeout) const { return {stop, std::min(deadline, Clock::now() + timeout)}; }
  // Throws cancelled or timed_out.
  void check() const;
  // Returns after `duration`; throws as check() does when stopped, or at the deadline when that comes first.
  void sleep_for(Duration duration) const;
};

}  // namespace kb
