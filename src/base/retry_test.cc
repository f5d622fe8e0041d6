#include "base/retry.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace std::chrono_literals;

namespace {
constexpr RetryPolicy quick{1us, 10us, 1h};
}

TEST_CASE("retry: returns what the first good attempt returns") {
  int attempts = 0;
  auto result = retry(Context{}, quick, "asking", [&] {
    if (++attempts < 20) fail(ErrorKind::unavailable, "no answer");
    return attempts;
  });
  CHECK(result == 20);
  CHECK_NOTHROW(retry(Context{}, quick, "doing", [] {}));
}

TEST_CASE("retry: what may not be retried is thrown at once, with what was done in front") {
  for (const auto& row : error_kinds()) {
    if (row.retryable) continue;
    int attempts = 0;
    auto attempt = [&] {
      ++attempts;
      throw Error(row.kind, "no", "ask");
    };
    CHECK_THROWS_WITH_AS(retry(Context{}, quick, "asking", attempt), "asking: no", Error);
    CHECK(attempts == 1);
  }
}

TEST_CASE("retry: errors that are not ours pass") {
  CHECK_THROWS_AS(retry(Context{}, quick, "asking", []() -> int { throw std::bad_alloc(); }), std::bad_alloc);
}

TEST_CASE("retry: gives up after the time of the policy, with the last error") {
  RetryPolicy policy{1us, 1us, 5ms};
  int attempts = 0;
  try {
    retry(Context{}, policy, "asking", [&] { fail(ErrorKind::throttled, "attempt {}", ++attempts); });
    FAIL("returned");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::throttled);
    CHECK(error.what() == fmt::format("asking: attempt {}", attempts));
    CHECK(attempts > 1);
  }
}

TEST_CASE("retry: ends with its context") {
  RetryPolicy patient{1h, 1h, 24h};
  auto attempt = [] { fail(ErrorKind::unavailable, "no answer"); };
  try {
    retry(Context{}.with_timeout(1ms), patient, "asking", attempt);
    FAIL("returned");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::timed_out);
  }
  std::stop_source stop;
  auto stops = [&] {
    stop.request_stop();
    attempt();
  };
  CHECK_THROWS_WITH_AS(retry(Context{stop.get_token()}, patient, "asking", stops), "cancelled", Error);
}

TEST_CASE("backoff: a success starts a new row") {
  Backoff backoff(RetryPolicy{1us, 1us, Duration::zero()});
  Error error(ErrorKind::unavailable, "x");
  CHECK_THROWS_AS(backoff.wait_or_throw(Context{}, error), Error);
  Backoff patient(quick);
  for (int i = 1; i <= 100; ++i) {  // far beyond what doubling could hold
    patient.wait_or_throw(Context{}, error);
    CHECK(patient.attempts() == i);
  }
  patient.reset();
  CHECK(patient.attempts() == 0);
}

TEST_CASE("failure row: rests double up to the longest, each shortened by chance by at most half") {
  const RetryPolicy policy{100ms, 3s, 24h};
  const Error error(ErrorKind::unavailable, "x");
  const auto now = Clock::time_point{} + 1h;
  for (int round = 0; round < 100; ++round) {
    FailureRow row;
    Duration full = 100ms;
    for (int failures = 1; failures <= 100; ++failures) {
      auto rest = row.note(policy, error, now);
      REQUIRE(rest <= full);
      REQUIRE(rest >= full / 2);
      REQUIRE(row.failures() == failures);
      full = std::min<Duration>(2 * full, 3s);
    }
  }
}

TEST_CASE("failure row: lasts as long as the policy says, from its first failure") {
  const RetryPolicy policy{1ms, 1ms, 10s};
  const Error error(ErrorKind::throttled, "busy");
  const auto now = Clock::time_point{} + 1h;
  FailureRow row;
  row.note(policy, error, now);
  CHECK_NOTHROW(row.note(policy, error, now + 9999ms));
  CHECK_THROWS_WITH_AS(row.note(policy, error, now + 10s), "busy", Error);
  row.reset();
  CHECK_NOTHROW(row.note(policy, error, now + 1h));
  CHECK(row.failures() == 1);
  CHECK_THROWS_WITH_AS(row.note(policy, Error(ErrorKind::denied, "no"), now + 1h), "no", Error);
}
