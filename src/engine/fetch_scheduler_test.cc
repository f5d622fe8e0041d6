#include "engine/fetch_scheduler.h"

#include <atomic>
#include <future>

#include "base/error.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

constexpr std::size_t no_limit = 1'000'000;
// Who fails rests for longer than any test lasts.
const RetryPolicy long_rest{.backoff_first = std::chrono::hours(1),
                            .backoff_max = std::chrono::hours(1),
                            .give_up_after = std::chrono::hours(9)};

std::vector<FetchCursor> cursors(std::int32_t count, std::int64_t end = 10) {
  std::vector<FetchCursor> made;
  for (std::int32_t p = 0; p < count; ++p) made.push_back({.stream = {"orders", p, "l"}, .end = end});
  return made;
}

std::int32_t one_leader(const archive::StreamId&) {
  return 1;
}
std::int32_t two_leaders(const archive::StreamId& stream) {
  return stream.partition % 2;
}

std::vector<std::int32_t> partitions(const FetchScheduler::Turn& turn) {
  std::vector<std::int32_t> taken;
  for (const auto& cursor : turn.cursors) taken.push_back(cursor.stream.partition);
  return taken;
}

void read_to_the_end(FetchScheduler& scheduler, FetchScheduler::Turn turn) {
  for (auto& cursor : turn.cursors) cursor.position = cursor.end;
  scheduler.give_back(std::move(turn));
}

Context stopped() {
  std::stop_source source;
  source.request_stop();
  return {.stop = source.get_token()};
}

using Partitions = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("a worker takes its share of what waits for one leader") {
  FetchScheduler scheduler(cursors(10), no_limit, one_leader, {});
  auto first = scheduler.take({}, 3);
  CHECK(first.node_id == 1);
  CHECK(partitions(first) == Partitions{0, 1, 2, 3});
  CHECK(partitions(scheduler.take({}, 3)) == Partitions{4, 5});
  CHECK(partitions(scheduler.take({}, 1)) == Partitions{6, 7, 8, 9});
}

TEST_CASE("turns go to the leader that fewest are busy with, and are all of one leader") {
  FetchScheduler scheduler(cursors(8), no_limit, two_leaders, {});
  auto a = scheduler.take({}, 2), b = scheduler.take({}, 2);
  CHECK(a.node_id != b.node_id);
  for (const auto& turn : {a, b})
    for (auto p : partitions(turn)) CHECK(p % 2 == turn.node_id);
  auto busier = a.node_id;
  scheduler.give_back(std::move(b));
  CHECK(scheduler.take({}, 2).node_id != busier);
}

TEST_CASE("who comes back waits behind all that wait") {
  FetchScheduler scheduler(cursors(4), no_limit, one_leader, {});
  auto first = scheduler.take({}, 2);
  CHECK(partitions(first) == Partitions{0, 1});
  scheduler.give_back(std::move(first));
  CHECK(partitions(scheduler.take({}, 1)) == Partitions{2, 3, 0, 1});
}

TEST_CASE("who asks ahead takes what is there, unless somebody waits for cursors") {
  FetchScheduler scheduler(cursors(4), 3, one_leader, {});
  auto first = scheduler.take({}, 2);
  CHECK(partitions(scheduler.try_take(4)) == Partitions{2});
  CHECK(scheduler.try_take(4).cursors.empty());  // the limit
  CHECK(scheduler.unread_count() == 4);
  std::stop_source source;
  auto waiting =
      std::async(std::launch::async, [&] { return scheduler.take({.stop = source.get_token()}, 2); });
  scheduler.give_back(std::move(first));
  CHECK(partitions(waiting.get()) == Partitions{3, 0});
}

TEST_CASE("who rests is back in the queue when its time has come") {
  FetchScheduler scheduler(cursors(3), no_limit, one_leader, {.backoff_first = std::chrono::milliseconds(1)});
  auto turn = scheduler.take({}, 1);
  for (auto& cursor : turn.cursors) scheduler.failed(cursor, {ErrorKind::unavailable, "gone"});
  scheduler.give_back(std::move(turn));
  std::size_t taken = 0;
  while (taken < 3) taken += scheduler.take({}, 1).cursors.size();
  CHECK(taken == 3);
}

TEST_CASE("a request asks for a bounded number of partitions") {
  FetchScheduler scheduler(cursors(2000), no_limit, one_leader, {});
  CHECK(scheduler.take({}, 1).cursors.size() == 500);
}

TEST_CASE("no more partitions are in flight than allowed; giving back lets the next go") {
  FetchScheduler scheduler(cursors(10), 4, one_leader, {});
  auto first = scheduler.take({}, 2), second = scheduler.take({}, 2);
  CHECK(first.cursors.size() == 2);
  CHECK(second.cursors.size() == 2);
  std::atomic<bool> given_back = false;
  auto third = std::async(std::launch::async, [&] {
    auto turn = scheduler.take({}, 2);
    CHECK(given_back);
    return turn;
  });
  given_back = true;
  read_to_the_end(scheduler, std::move(first));
  CHECK(partitions(third.get()) == Partitions{4, 5});
}

TEST_CASE("however workers take turns, the limit holds and everything is read") {
  constexpr std::size_t limit = 3;
  FetchScheduler scheduler(cursors(40), limit, two_leaders, {});
  std::atomic<std::size_t> out = 0, most = 0;
  const auto work = [&] {
    for (;;) {
      auto turn = scheduler.take({}, 4);
      if (turn.cursors.empty()) return;
      auto now = out += turn.cursors.size();
      for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) continue;
      for (auto& cursor : turn.cursors) cursor.position += 5;
      out -= turn.cursors.size();
      scheduler.give_back(std::move(turn));
    }
  };
  std::vector<std::future<void>> workers;
  for (int i = 0; i < 4; ++i) workers.push_back(std::async(std::launch::async, work));
  for (auto& worker : workers) worker.get();
  CHECK(most <= limit);
  CHECK(scheduler.done_count() == 40);
}

TEST_CASE("a cursor that failed rests while the others go on") {
  FetchScheduler scheduler(cursors(3), no_limit, one_leader, long_rest);
  auto turn = scheduler.take({}, 1);
  scheduler.failed(turn.cursors[1], {ErrorKind::unavailable, "broker is gone"});
  CHECK(turn.cursors[1].failures.failures() == 1);
  scheduler.give_back(std::move(turn));
  CHECK(partitions(scheduler.take({}, 1)) == Partitions{0, 2});
}

TEST_CASE("a failure that may not be retried, or has lasted too long, is thrown") {
  FetchScheduler scheduler(cursors(1), no_limit, one_leader, {.give_up_after = Duration::zero()});
  auto turn = scheduler.take({}, 1);
  CHECK_THROWS_WITH_AS(scheduler.failed(turn.cursors[0], {ErrorKind::corrupt, "damaged"}), "damaged", Error);
  FetchScheduler patient(cursors(1), no_limit, one_leader, long_rest);
  turn = patient.take({}, 1);
  CHECK_NOTHROW(patient.failed(turn.cursors[0], {ErrorKind::unavailable, "gone"}));
}

TEST_CASE("when leaders change, what waits moves to the new ones") {
  std::int32_t leader = -1;
  FetchScheduler scheduler(cursors(4), no_limit, [&](const archive::StreamId&) { return leader; }, {});
  auto out = scheduler.take({}, 2);
  CHECK(out.node_id == -1);
  leader = 7;
  scheduler.leaders_changed();
  auto turn = scheduler.take({}, 1);
  CHECK(turn.node_id == 7);
  CHECK(partitions(turn) == Partitions{2, 3});
  scheduler.give_back(std::move(out));  // what was on its way follows when it comes back
  turn = scheduler.take({}, 1);
  CHECK(turn.node_id == 7);
  CHECK(partitions(turn) == Partitions{0, 1});
}

TEST_CASE("everything read ends the work with an empty turn, also for who is waiting") {
  FetchScheduler scheduler(cursors(2), no_limit, one_leader, {});
  auto turn = scheduler.take({}, 1);
  auto waiting = std::async(std::launch::async, [&] { return scheduler.take({}, 1); });
  read_to_the_end(scheduler, std::move(turn));
  CHECK(waiting.get().cursors.empty());
  CHECK(scheduler.take({}, 1).cursors.empty());
  CHECK(scheduler.done_count() == 2);
}

TEST_CASE("cursors with nothing to read are done from the start") {
  FetchScheduler scheduler(cursors(3, 0), no_limit, one_leader, {});
  CHECK(scheduler.done_count() == 3);
  CHECK(scheduler.take({}, 1).cursors.empty());
}

TEST_CASE("who waits is stopped with the context") {
  FetchScheduler scheduler(cursors(1), no_limit, one_leader, {});
  auto turn = scheduler.take({}, 1);
  CHECK_THROWS_AS(scheduler.take(stopped(), 1), Error);
  std::stop_source source;
  auto waiting =
      std::async(std::launch::async, [&] { return scheduler.take({.stop = source.get_token()}, 1); });
  source.request_stop();
  CHECK_THROWS_AS(waiting.get(), Error);
  scheduler.give_back(std::move(turn));
}

TEST_CASE(
    "of logs that are followed, the workers of a leader divide all its cursors; others leave it alone") {
  FetchScheduler scheduler(cursors(2000), no_limit, one_leader, {});
  scheduler.follow(2);
  auto one = scheduler.take({}, 9);
  auto two = scheduler.take({}, 9);
  CHECK(one.cursors.size() == 1000);
  CHECK(two.cursors.size() == 1000);
  scheduler.give_back(std::move(one));
  auto again = scheduler.take({}, 9);
  CHECK(again.cursors.size() == 1000);
  again.cursors[0].not_before = Clock::now() + std::chrono::hours(1);
  scheduler.give_back(std::move(again));
  CHECK(scheduler.take({}, 9).cursors.size() == 999);
  // Both are at work, and one cursor rests.
  CHECK_THROWS_AS(scheduler.take(Context{}.with_timeout(std::chrono::milliseconds(1)), 9), Error);
}
