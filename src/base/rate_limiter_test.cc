#include "base/rate_limiter.h"

#include <random>

#include "base/error.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace std::chrono_literals;

namespace {
const Clock::time_point start = Clock::time_point{} + 1h;
}

TEST_CASE("rate limiter: 0 is unlimited, nothing costs nothing") {
  RateLimiter unlimited(0);
  CHECK(unlimited.take(1'000'000'000'000, start) == 0s);
  RateLimiter limited(1);
  CHECK(limited.take(0, start) == 0s);
}

TEST_CASE("rate limiter: a tenth of a second is free, then the rate holds") {
  RateLimiter limiter(1000);
  CHECK(limiter.take(100, start) == 0s);
  CHECK(limiter.take(100, start) == 100ms);
  CHECK(limiter.take(500, start + 100ms) == 500ms);
  CHECK(limiter.take(1, start + 600ms) == 1ms);
}

TEST_CASE("rate limiter: an amount larger than the bucket is paid for afterwards") {
  RateLimiter limiter(1000);
  CHECK(limiter.take(10'100, start) == 10s);
  CHECK(limiter.take(1, start + 10s) == 1ms);
}

TEST_CASE("rate limiter: idle time is not saved beyond the bucket") {
  RateLimiter limiter(1000);
  CHECK(limiter.take(100, start) == 0s);
  CHECK(limiter.take(200, start + 24h) == 100ms);
}

TEST_CASE("rate limiter: the average never exceeds the rate") {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    std::minstd_rand random(seed);
    std::uint64_t rate = 1 + random() % 1'000'000;
    RateLimiter limiter(rate);
    auto now = start;
    std::uint64_t taken = 0;
    for (int i = 0; i < 100; ++i) {
      std::uint64_t amount = random() % 1'000'000;
      taken += amount;
      now += limiter.take(amount, now) + std::chrono::microseconds(random() % 1000);
    }
    double seconds = std::chrono::duration<double>(now - start).count();
    REQUIRE(static_cast<double>(taken) <= static_cast<double>(rate) * (seconds + 0.1) * 1.000001 + 1);
    REQUIRE(static_cast<double>(taken) >= static_cast<double>(rate) * (seconds - 0.2));
  }
}

TEST_CASE("rate limiter: waiting ends with the context") {
  RateLimiter limiter(1);
  CHECK_THROWS_WITH_AS(limiter.acquire(Context{}.with_timeout(1ms), 1000), "timed out", Error);
  CHECK_NOTHROW(RateLimiter(1'000'000).acquire(Context{}, 100));
}
