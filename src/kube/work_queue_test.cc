#include "kube/work_queue.h"

#include <atomic>
#include <set>

#include "base/error.h"
#include "base/task_group.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

using namespace std::chrono_literals;

const Context soon = Context{}.with_timeout(60s);

bool is_empty(WorkQueue& queue) {
  try {
    queue.take(Context{}.with_timeout(0s));
  } catch (const Error& error) {
    return error.kind() == ErrorKind::timed_out;
  }
  return false;
}

TEST_CASE("a key waits once, in the order of the first") {
  WorkQueue queue;
  for (const char* key : {"a", "b", "a", "a"}) queue.add(key);
  CHECK_EQ(queue.size(), 2);
  CHECK_EQ(queue.take(soon), "a");
  CHECK_EQ(queue.take(soon), "b");
  CHECK_EQ(queue.size(), 0);
}

TEST_CASE("what comes while it is worked on is given again afterwards, once") {
  WorkQueue queue;
  queue.add("a");
  queue.take(soon);
  queue.add("a");
  queue.add("a");
  CHECK_EQ(queue.size(), 1);
  CHECK(is_empty(queue));
  queue.done("a");
  CHECK_EQ(queue.take(soon), "a");
  queue.done("a");
  CHECK_EQ(queue.size(), 0);
  CHECK(is_empty(queue));
}

TEST_CASE("of planned times the earliest counts") {
  WorkQueue queue;
  queue.add_after("later", 1h);
  queue.add_after("a", 1h);
  queue.add_after("a", 1ms);
  queue.add_after("a", 1h);
  CHECK_EQ(queue.size(), 2);
  CHECK_EQ(queue.take(soon), "a");
  CHECK_EQ(queue.size(), 1);
  queue.add_after("a", 0s);  // due while it is worked on
  CHECK(is_empty(queue));
  queue.done("a");
  CHECK_EQ(queue.take(soon), "a");
}

TEST_CASE("failures in a row wait longer and longer, up to a limit") {
  WorkQueue queue({.first = 1h, .max = 4h});
  CHECK_EQ(queue.backoff_of(0), 1h);
  CHECK_EQ(queue.backoff_of(1), 2h);
  CHECK_EQ(queue.backoff_of(2), 4h);
  CHECK_EQ(queue.backoff_of(1000), 4h);
}

TEST_CASE("a row of failures ends when it is forgotten") {
  WorkQueue queue({.first = 1ms, .max = 1h});
  for (int i = 0; i < 4; ++i) {
    queue.add_after_failure("a");
    CHECK_EQ(queue.take(soon), "a");
    queue.done("a");
  }
  for (int i = 0; i < 20; ++i) queue.add_after_failure("b");
  queue.forget_failures("c");
  CHECK_EQ(queue.failures("b"), 20);
  CHECK_EQ(queue.failures("a"), 4);
  queue.forget_failures("b");
  CHECK_EQ(queue.failures("b"), 0);
}

TEST_CASE("waiting ends with the context, and when something comes") {
  WorkQueue queue;
  std::stop_source stop;
  {
    TaskGroup group({stop.get_token()});
    group.spawn([&](const Context& ctx) { queue.take(ctx); });
    stop.request_stop();
    try {
      group.wait();
      FAIL("not cancelled");
    } catch (const Error& error) {
      CHECK_EQ(error.kind(), ErrorKind::cancelled);
    }
  }
  TaskGroup group({});
  std::string taken[2];
  group.spawn([&](const Context&) { taken[0] = queue.take(soon); });
  group.spawn([&](const Context&) { taken[1] = queue.take(soon); });
  queue.add_after("far", 1h);
  queue.add("a");
  queue.add_after("near", 1ms);
  group.wait();
  CHECK_EQ(std::set<std::string>(taken, taken + 2), std::set<std::string>{"a", "near"});
}

TEST_CASE("many workers: never the same key at the same time, and nothing is lost") {
  constexpr int keys = 20, rounds = 2000;
  WorkQueue queue;
  std::atomic<int> added[keys] = {}, seen[keys] = {};
  std::atomic<bool> active[keys] = {};
  std::atomic<bool> twice = false;
  TaskGroup workers(soon), producers(soon);
  for (int i = 0; i < 4; ++i)
    workers.spawn([&](const Context& ctx) {
      for (;;) {
        auto key = queue.take(ctx);
        if (key == "end") return queue.done(key);
        auto k = static_cast<std::size_t>(std::stoi(key));
        if (active[k].exchange(true)) twice = true;
        seen[k] = added[k].load();
        active[k] = false;
        queue.done(key);
      }
    });
  for (int i = 0; i < 2; ++i)
    producers.spawn([&, i](const Context&) {
      for (int n = 0; n < rounds; ++n) {
        auto k = static_cast<std::size_t>((n * 7 + i) % keys);
        ++added[k];
        queue.add(std::to_string(k));
      }
    });
  producers.wait();
  while (queue.size() > 0) soon.sleep_for(1ms);
  for (int i = 0; i < 4; ++i) {  // one after the other: a key is given to one worker at a time
    queue.add("end");
    while (queue.size() > 0) soon.sleep_for(1ms);
  }
  workers.wait();
  CHECK_FALSE(twice);
  for (int k = 0; k < keys; ++k) CHECK_EQ(seen[k], added[k]);
}

}  // namespace
}  // namespace kb::kube
