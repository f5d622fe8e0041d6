#include "base/byte_budget.h"

#include <atomic>
#include <random>

#include "base/error.h"
#include "base/task_group.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace std::chrono_literals;

TEST_CASE("byte budget: leases count, move and give back") {
  ByteBudget budget(100);
  CHECK(budget.bytes_max() == 100);
  {
    auto a = budget.acquire(Context{}, 60);
    auto b = budget.acquire(Context{}, 40);
    CHECK(budget.used() == 100);
    auto moved = std::move(a);
    CHECK(moved.bytes() == 60);
    CHECK(budget.used() == 100);
    b = std::move(moved);
    b = ByteBudget::Lease();
    CHECK(b.bytes() == 0);
  }
  CHECK(budget.used() == 0);
  ByteBudget::Lease none;
  none.resize(10);
  CHECK(none.bytes() == 0);
}

TEST_CASE("byte budget: a lease grows without waiting and shrinks") {
  ByteBudget budget(100);
  auto lease = budget.acquire(Context{}, 50);
  lease.resize(150);
  CHECK(budget.used() == 150);
  lease.resize(10);
  CHECK(budget.used() == 10);
  CHECK_NOTHROW(budget.acquire(Context{}, 90));
}

TEST_CASE("byte budget: what does not fit waits") {
  ByteBudget budget(100);
  auto lease = budget.acquire(Context{}, 50);
  CHECK_THROWS_WITH_AS(budget.acquire(Context{}.with_timeout(1ms), 51), "timed out", Error);
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_WITH_AS(budget.acquire(Context{stop.get_token()}, 51), "cancelled", Error);
  CHECK(budget.used() == 50);
  TaskGroup group(Context{});
  group.spawn([&](const Context& ctx) { CHECK(budget.acquire(ctx, 51).bytes() == 51); });
  lease.resize(49);
  group.wait();
}

TEST_CASE("byte budget: waiting until a time is over ends with nothing") {
  ByteBudget budget(100);
  auto lease = budget.acquire(Context{}, 50);
  CHECK_FALSE(budget.acquire_until(Context{}, 51, Clock::now() + 1ms));
  CHECK_THROWS_WITH_AS(budget.acquire_until(Context{}.with_timeout(1ms), 51, Clock::now() + 1h), "timed out",
                       Error);
  CHECK(budget.used() == 50);
  TaskGroup group(Context{});
  group.spawn(
      [&](const Context& ctx) { CHECK(budget.acquire_until(ctx, 51, Clock::now() + 1h)->bytes() == 51); });
  lease.resize(49);
  group.wait();
}

TEST_CASE("byte budget: trying does not wait") {
  ByteBudget budget(100);
  auto lease = budget.try_acquire(60);
  REQUIRE(lease.has_value());
  CHECK_FALSE(budget.try_acquire(41).has_value());
  CHECK(budget.try_acquire(40)->bytes() == 40);
  CHECK(budget.used() == 60);
  lease.reset();
  CHECK(budget.try_acquire(1000)->bytes() == 1000);  // alone
  CHECK(budget.used() == 0);
}

TEST_CASE("byte budget: a request larger than the budget goes alone") {
  ByteBudget budget(100);
  CHECK(budget.acquire(Context{}, 1000).bytes() == 1000);
  auto lease = budget.acquire(Context{}, 1);
  CHECK_THROWS_AS(budget.acquire(Context{}.with_timeout(1ms), 1000), Error);
  TaskGroup group(Context{});
  std::size_t used_beside = 0;
  group.spawn([&](const Context& ctx) {
    auto large = budget.acquire(ctx, 1000);
    used_beside = budget.used() - 1000;
  });
  lease = ByteBudget::Lease();
  group.wait();
  CHECK(used_beside == 0);
}

TEST_CASE("byte budget: many threads never have more than the budget") {
  constexpr std::size_t bytes_max = 1000;
  ByteBudget budget(bytes_max);
  std::atomic<std::size_t> held = 0;
  std::atomic<bool> exceeded = false;
  TaskGroup group(Context{});
  for (unsigned seed = 0; seed < 8; ++seed)
    group.spawn([&, seed](const Context& ctx) {
      std::minstd_rand random(seed + 1);
      for (int i = 0; i < 2000; ++i) {
        auto lease = budget.acquire(ctx, 1 + random() % 500);
        if (held += lease.bytes(); held > bytes_max) exceeded = true;
        held -= lease.bytes();
      }
    });
  group.wait();
  CHECK_FALSE(exceeded);
  CHECK(budget.used() == 0);
}
