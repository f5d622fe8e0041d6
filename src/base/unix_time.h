// The time of day, where it is written down or compared with what was.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>

namespace kb {

// Milliseconds since 1970 (UTC).
inline std::int64_t unix_now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// unix_now_ms, or another in tests.
using UnixClock = std::function<std::int64_t()>;

}  // namespace kb
