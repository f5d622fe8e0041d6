#include "base/bounded_queue.h"

#include <atomic>

#include "base/error.h"
#include "base/task_group.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace std::chrono_literals;

TEST_CASE("bounded queue: every item once, in order for one producer and consumer") {
  BoundedQueue<int> queue(3);
  TaskGroup group(Context{});
  group.spawn([&](const Context& ctx) {
    for (int i = 0; i < 10'000; ++i) queue.push(ctx, i);
    queue.close();
  });
  bool ordered = true;
  group.spawn([&](const Context& ctx) {
    for (int expected = 0; expected < 10'000; ++expected) ordered &= queue.pop(ctx) == expected;
    ordered &= !queue.pop(ctx).has_value();
  });
  group.wait();
  CHECK(ordered);
}

TEST_CASE("bounded queue: many producers and consumers, never more than the bound inside") {
  constexpr int bound = 4;
  BoundedQueue<int> queue(bound);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> producers = 4;
  std::atomic<long> sum = 0;
  TaskGroup group(Context{});
  for (int producer = 0; producer < 4; ++producer) {
    group.spawn([&](const Context& ctx) {
      for (int i = 1; i <= 1000; ++i) {
        queue.push(ctx, i);
        int now = ++inside;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
      }
      if (--producers == 0) queue.close();
    });
    group.spawn([&](const Context& ctx) {
      while (auto item = queue.pop(ctx)) {
        --inside;
        sum += *item;
      }
    });
  }
  group.wait();
  CHECK(sum == 4 * 500'500);
  CHECK(most <= bound + 4);  // each consumer may hold one that it has not counted yet
}

TEST_CASE("bounded queue: a full one makes push wait, an empty one pop") {
  BoundedQueue<int> queue(1);
  const Context soon = Context{}.with_timeout(1ms);
  CHECK_THROWS_WITH_AS(queue.pop(soon), "timed out", Error);
  queue.push(Context{}, 1);
  CHECK_THROWS_WITH_AS(queue.push(soon, 2), "timed out", Error);
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_WITH_AS(queue.push(Context{stop.get_token()}, 2), "cancelled", Error);
  CHECK(queue.pop(Context{}) == 1);
}

TEST_CASE("bounded queue: closing wakes who waits and keeps what is inside") {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  queue.push(Context{}, std::make_unique<int>(7));
  queue.close();
  CHECK(*queue.pop(Context{}).value() == 7);
  CHECK_FALSE(queue.pop(Context{}).has_value());
  BoundedQueue<int> empty(1);
  std::jthread waiting([&] { empty.pop(Context{}); });
  empty.close();
}
