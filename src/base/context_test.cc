#include "base/context.h"

#include <thread>

#include "base/error.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace std::chrono_literals;

namespace {

template <class Act>
ErrorKind kind_thrown_by(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

}  // namespace

TEST_CASE("context: a default one never ends") {
  const Context ctx;
  CHECK_NOTHROW(ctx.check());
  CHECK_NOTHROW(ctx.sleep_for(1us));
}

TEST_CASE("context: stop and deadline") {
  std::stop_source stop;
  const Context ctx{stop.get_token()};
  CHECK_NOTHROW(ctx.check());
  stop.request_stop();
  CHECK(kind_thrown_by([&] { ctx.check(); }) == ErrorKind::cancelled);
  CHECK(kind_thrown_by([&] { ctx.sleep_for(0s); }) == ErrorKind::cancelled);
  const Context late{{}, Clock::now()};
  CHECK(kind_thrown_by([&] { late.check(); }) == ErrorKind::timed_out);
}

TEST_CASE("context: a timeout shortens the deadline and never lengthens it") {
  const Context ctx{{}, Clock::now() + 1h};
  CHECK(ctx.with_timeout(2h).deadline == ctx.deadline);
  CHECK(ctx.with_timeout(1min).deadline < ctx.deadline);
  CHECK(Context{}.with_timeout(1h).deadline < Clock::time_point::max());
}

TEST_CASE("context: the deadline ends a longer sleep, a stop ends any") {
  const Context soon = Context{}.with_timeout(1ms);
  CHECK(kind_thrown_by([&] { soon.sleep_for(1h); }) == ErrorKind::timed_out);
  std::stop_source stop;
  ErrorKind kind = ErrorKind::internal;
  std::jthread sleeper(
      [&, ctx = Context{stop.get_token()}] { kind = kind_thrown_by([&] { ctx.sleep_for(24h); }); });
  stop.request_stop();
  sleeper.join();
  CHECK(kind == ErrorKind::cancelled);
}
