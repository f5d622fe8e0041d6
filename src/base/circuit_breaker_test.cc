#include "base/circuit_breaker.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace std::chrono_literals;

namespace {

const Error refused(ErrorKind::unavailable, "connection refused");

struct Case {
  CircuitBreaker breaker{"kafka-1:9092",
                         {.failure_threshold = 3, .reset_timeout = 60s, .success_threshold = 2}};
  Clock::time_point now{1000s};

  void fail() { breaker.failed(breaker.admit(now), refused, now); }
  void succeed() { breaker.succeeded(breaker.admit(now)); }
  void open() {
    for (int i = 0; i < 3; ++i) fail();
  }
  std::string refusal() {
    try {
      breaker.admit(now);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::unavailable);
      return error.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("failures in a row open the breaker, a success in between does not let them add up") {
  Case c;
  c.fail();
  c.fail();
  c.succeed();
  c.fail();
  c.fail();
  CHECK(c.breaker.state(c.now) == BreakerState::closed);
  c.fail();
  CHECK(c.breaker.state(c.now) == BreakerState::open);
  CHECK(c.breaker.times_opened() == 1);
}

TEST_CASE("while it is open nobody is admitted, and told why and for how long") {
  Case c;
  c.open();
  c.now += 59s;
  CHECK(c.breaker.refuses(c.now));
  CHECK(c.refusal() ==
        "kafka-1:9092 is left alone for another 1 s (spec.circuitBreaker) after: connection refused");
}

TEST_CASE("after its time one operation at a time is admitted, and enough successes close it") {
  Case c;
  c.open();
  c.now += 60s;
  CHECK(c.breaker.state(c.now) == BreakerState::half_open);
  CHECK_FALSE(c.breaker.refuses(c.now));
  const auto probe = c.breaker.admit(c.now);
  CHECK(c.breaker.refuses(c.now));
  CHECK(c.refusal().find("one request at a time") != std::string::npos);
  c.breaker.succeeded(probe);
  CHECK(c.breaker.state(c.now) == BreakerState::half_open);
  c.succeed();
  CHECK(c.breaker.state(c.now) == BreakerState::closed);
  c.fail();
  c.fail();
  CHECK(c.breaker.state(c.now) == BreakerState::closed);
}

TEST_CASE("a failure while it is half open opens it again for the whole time") {
  Case c;
  c.open();
  c.now += 60s;
  c.succeed();
  c.fail();
  CHECK(c.breaker.state(c.now + 59s) == BreakerState::open);
  c.now += 60s;
  c.succeed();  // the success before the failure does not count any more
  CHECK(c.breaker.state(c.now) == BreakerState::half_open);
  CHECK(c.breaker.times_opened() == 2);
}

TEST_CASE("an operation of which nothing is known makes room for the next") {
  Case c;
  c.open();
  c.now += 60s;
  c.breaker.abandoned(c.breaker.admit(c.now));
  CHECK_FALSE(c.breaker.refuses(c.now));
}

TEST_CASE("what was admitted before the breaker opened says nothing about the peer any more") {
  Case c;
  const auto early = c.breaker.admit(c.now), late = c.breaker.admit(c.now);
  c.open();
  c.breaker.succeeded(early);
  CHECK(c.breaker.state(c.now) == BreakerState::open);
  c.now += 60s;
  const auto probe = c.breaker.admit(c.now);
  c.breaker.failed(late, refused, c.now);
  c.breaker.abandoned(late);
  CHECK(c.breaker.state(c.now) == BreakerState::half_open);
  CHECK(c.breaker.refuses(c.now));
  c.breaker.succeeded(probe);
  CHECK_FALSE(c.breaker.refuses(c.now));
}

TEST_CASE("breakers of a run: one for each peer; without settings all may pass") {
  CircuitBreakers breakers;
  for (int i = 0; i < 10; ++i) breakers.admit("a").failed(refused);
  CHECK_NOTHROW(breakers.admit("a"));
  CHECK(breakers.all().empty());
  breakers.enable({.failure_threshold = 2, .reset_timeout = 1h, .success_threshold = 1});
  for (int i = 0; i < 2; ++i) breakers.admit("a").failed(refused);
  CHECK(breakers.refuses("a"));
  CHECK_THROWS_AS(breakers.admit("a"), Error);
  CHECK_FALSE(breakers.refuses("b"));
  breakers.admit("b").succeeded();
  const auto all = breakers.all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].peer == "a");
  CHECK(all[0].state == BreakerState::open);
  CHECK(all[0].last_failure == "connection refused");
  CHECK(all[1].state == BreakerState::closed);
}

TEST_CASE("what is not retryable is an answer; only failures count") {
  CircuitBreakers breakers;
  breakers.enable({.failure_threshold = 1, .reset_timeout = 1h, .success_threshold = 1});
  breakers.admit("a").failed(Error(ErrorKind::denied, "not allowed"));
  CHECK_FALSE(breakers.refuses("a"));
  { auto unknown = breakers.admit("a"); }
  CHECK_FALSE(breakers.refuses("a"));
  auto moved = breakers.admit("a");
  auto permit = std::move(moved);
  permit.failed(refused);
  CHECK(breakers.refuses("a"));
}

TEST_CASE("who waits for an open breaker does not give up before it has been tried") {
  CHECK(outlasting({.give_up_after = 60s}, 30s).give_up_after == 90s);
}
