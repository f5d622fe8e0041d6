#include "net/resolver.h"

#include <latch>

#include "base/error.h"
#include "net/loopback_listener.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

ErrorKind kind_of_failure(Resolver& resolver, const Context& ctx, const Endpoint& endpoint) {
  try {
    resolver.resolve(ctx, endpoint);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

// Hangs as a name server without an answer does, until the test is over.
struct HangingLookup {
  std::latch released{1};
  Resolver resolver{[this](const Endpoint& endpoint) {
    released.wait();
    return std::vector<SocketAddress>{{.text = endpoint.host}};
  }};
  ~HangingLookup() { release(); }
  void release() {
    if (!released.try_wait()) released.count_down();
  }
};

TEST_CASE("addresses need no lookup") {
  Resolver resolver([](const Endpoint&) -> std::vector<SocketAddress> { throw std::logic_error("asked"); });
  auto v4 = resolver.resolve(within_a_minute(), {"127.0.0.1", 9092});
  REQUIRE_EQ(v4.size(), 1);
  CHECK_EQ(v4[0].text, "127.0.0.1:9092");
  CHECK_EQ(v4[0].storage.ss_family, AF_INET);
  auto v6 = resolver.resolve(within_a_minute(), {"::1", 1});
  REQUIRE_EQ(v6.size(), 1);
  CHECK_EQ(v6[0].text, "[::1]:1");
}

TEST_CASE("names are looked up by the system") {
  auto addresses = Resolver::of_process().resolve(within_a_minute(), {"localhost", 9092});
  REQUIRE_FALSE(addresses.empty());
  CHECK(addresses[0].text.ends_with(":9092"));
}

TEST_CASE("a name that does not exist is unavailable") {
  CHECK_EQ(kind_of_failure(Resolver::of_process(), within_a_minute(), {"no-such-host.invalid", 9092}),
           ErrorKind::unavailable);
}

TEST_CASE("what a lookup throws reaches who asked") {
  Resolver resolver([](const Endpoint&) -> std::vector<SocketAddress> { fail(ErrorKind::denied, "no"); });
  CHECK_EQ(kind_of_failure(resolver, within_a_minute(), {"name", 1}), ErrorKind::denied);
}

TEST_CASE("a lookup that hangs keeps nobody") {
  HangingLookup hanging;
  CHECK_EQ(
      kind_of_failure(hanging.resolver, Context{}.with_timeout(std::chrono::milliseconds(5)), {"name", 1}),
      ErrorKind::timed_out);
  std::stop_source stop;
  Context ctx{stop.get_token(), within_a_minute().deadline};
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK_EQ(kind_of_failure(hanging.resolver, ctx, {"name", 1}), ErrorKind::cancelled);
}

TEST_CASE("lookups are bounded, and go on once the hanging ones end") {
  HangingLookup hanging;
  auto soon = [] { return Context{}.with_timeout(std::chrono::milliseconds(1)); };
  for (std::size_t i = 0; i < Resolver::lookups_max; ++i)
    CHECK_EQ(kind_of_failure(hanging.resolver, soon(), {"name", 1}), ErrorKind::timed_out);
  CHECK_EQ(kind_of_failure(hanging.resolver, within_a_minute(), {"name", 1}), ErrorKind::unavailable);
  hanging.release();
  for (auto ctx = within_a_minute();;) {
    try {
      auto addresses = hanging.resolver.resolve(ctx, {"name", 1});
      CHECK_EQ(addresses.at(0).text, "name");
      break;
    } catch (const Error& error) {
      REQUIRE_EQ(error.kind(), ErrorKind::unavailable);  // the ended ones are not yet gone
      std::this_thread::yield();
    }
  }
}

}  // namespace
}  // namespace kb
