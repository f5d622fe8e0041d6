#include "base/task_group.h"

#include <atomic>
#include <latch>

#include "base/bounded_queue.h"
#include "base/error.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace std::chrono_literals;

TEST_CASE("task group: runs all and waits for all") {
  std::atomic<int> done = 0;
  TaskGroup group(Context{});
  for (int i = 0; i < 50; ++i) group.spawn([&](const Context&) { ++done; });
  group.wait();
  CHECK(done == 50);
  group.wait();  // nothing left is no error
}

TEST_CASE("task group: the first failure stops the others and is what wait throws") {
  std::latch all_wait(21);
  std::atomic<int> stopped = 0;
  TaskGroup group(Context{});
  for (int i = 0; i < 20; ++i)
    group.spawn([&](const Context& ctx) {
      all_wait.arrive_and_wait();
      try {
        ctx.sleep_for(24h);
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::cancelled) ++stopped;
        throw;
      }
    });
  group.spawn([&](const Context&) {
    all_wait.arrive_and_wait();
    fail(ErrorKind::corrupt, "bad batch");
  });
  CHECK_THROWS_WITH_AS(group.wait(), "bad batch", Error);
  CHECK(stopped == 20);
}

TEST_CASE("task group: errors that are not ours come through as they are") {
  TaskGroup group(Context{});
  group.spawn([](const Context&) { throw std::logic_error("other"); });
  CHECK_THROWS_WITH_AS(group.wait(), "other", std::logic_error);
}

TEST_CASE("task group: a stop from above reaches every task, and wait says so") {
  std::stop_source stop;
  TaskGroup group(Context{stop.get_token()});
  BoundedQueue<int> queue(1);
  for (int i = 0; i < 20; ++i) group.spawn([&](const Context& ctx) { queue.pop(ctx); });
  stop.request_stop();
  CHECK_THROWS_WITH_AS(group.wait(), "cancelled", Error);
  TaskGroup quiet(Context{stop.get_token()});
  quiet.spawn([](const Context&) {});
  CHECK_THROWS_WITH_AS(quiet.wait(), "cancelled", Error);
}

TEST_CASE("task group: dying stops and joins") {
  std::atomic<bool> ended = false;
  {
    TaskGroup group(Context{});
    group.spawn([&](const Context& ctx) {
      try {
        ctx.sleep_for(24h);
      } catch (const Error&) {
        ended = true;
      }
    });
  }
  CHECK(ended);
}

TEST_CASE("task group: tasks have the deadline of the parent") {
  const Context parent = Context{}.with_timeout(1ms);
  TaskGroup group(parent);
  CHECK(group.context().deadline == parent.deadline);
  group.spawn([](const Context& ctx) { ctx.sleep_for(24h); });
  CHECK_THROWS_WITH_AS(group.wait(), "timed out", Error);
}
