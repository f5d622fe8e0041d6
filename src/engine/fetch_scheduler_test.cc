#include "engine/fetch_scheduler.h"

#include <array>
#include <atomic>
#include <future>
#include <map>

#include "base/error.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

using Limits = FetchScheduler::Limits;
using Place = FetchScheduler::Place;

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

// Of one broker.
FetchScheduler scheduler_of(std::int32_t count, const Limits& limits, const RetryPolicy& retry = {}) {
  return FetchScheduler(cursors(count), limits, one_leader, retry);
}

// What a worker takes that has not been there before.
FetchScheduler::Turn take(FetchScheduler& scheduler) {
  Place place;
  return scheduler.take({}, place);
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

TEST_CASE("a worker takes its share of what waits at its broker") {
  auto scheduler = scheduler_of(10, {.workers_per_broker = 3});
  auto first = take(scheduler);
  CHECK(first.node_id == 1);
  CHECK(partitions(first) == Partitions{0, 1, 2, 3});
  CHECK(partitions(take(scheduler)) == Partitions{4, 5});
  auto alone = scheduler_of(10, {});
  CHECK(take(alone).cursors.size() == 10);
  auto ahead = scheduler_of(12, {.workers_per_broker = 2, .turns_per_worker = 3});
  CHECK(take(ahead).cursors.size() == 2);
}

TEST_CASE("workers divide themselves among the brokers, and stay with their own") {
  FetchScheduler scheduler(cursors(8), {.workers_per_broker = 2}, two_leaders, {});
  Place a, b;
  auto of_a = scheduler.take({}, a), of_b = scheduler.take({}, b);
  CHECK(of_a.node_id != of_b.node_id);
  const auto node_id = of_a.node_id;
  for (int i = 0; i < 5; ++i) {
    scheduler.give_back(std::move(of_a));
    of_a = scheduler.take({}, a);
    CHECK(of_a.node_id == node_id);
    for (auto p : partitions(of_a)) CHECK(p % 2 == node_id);
  }
}

TEST_CASE("a broker in trouble keeps only its own workers: the others read everything else") {
  FetchScheduler scheduler(cursors(40), {.workers_per_broker = 2, .partitions_at_once_max = 6}, two_leaders,
                           {});
  std::array<Place, 5> places;
  std::map<std::int32_t, std::vector<std::size_t>> workers;
  std::vector<FetchScheduler::Turn> turns;
  for (std::size_t i = 0; i < 4; ++i) {
    turns.push_back(scheduler.take({}, places[i]));
    workers[turns.back().node_id].push_back(i);
  }
  CHECK(workers[0].size() == 2);
  CHECK(workers[1].size() == 2);
  CHECK_THROWS_AS(scheduler.take(Context{}.with_timeout(std::chrono::milliseconds(1)), places[4]), Error);
  for (auto& turn : turns)
    if (turn.node_id == 1) read_to_the_end(scheduler, std::move(turn));  // those of broker 0 never end
  while (scheduler.done_count() < 20) {
    auto turn = scheduler.take({}, places[workers[1][scheduler.done_count() % 2]]);
    CHECK(turn.node_id == 1);
    read_to_the_end(scheduler, std::move(turn));
  }
}

TEST_CASE("who is free serves a broker that comes to lead something, and what has no leader") {
  std::int32_t leader_of_2 = 1;
  FetchScheduler scheduler(
      cursors(3), {.workers_per_broker = 1},
      [&](const archive::StreamId& stream) { return stream.partition == 2 ? leader_of_2 : 1; }, {});
  Place busy, free;
  auto first = scheduler.take({}, busy);
  CHECK(partitions(first) == Partitions{0, 1, 2});
  auto waiting = std::async(std::launch::async, [&] { return scheduler.take({}, free); });
  leader_of_2 = -1;
  scheduler.give_back(std::move(first));
  auto leaderless = waiting.get();
  CHECK(leaderless.node_id == -1);
  CHECK(partitions(leaderless) == Partitions{2});
  leader_of_2 = 7;
  scheduler.give_back(std::move(leaderless));
  CHECK(scheduler.take({}, free).node_id == 7);
}

TEST_CASE("with fewer workers than brokers each broker has its turn") {
  FetchScheduler scheduler(cursors(9), {},
                           [](const archive::StreamId& stream) { return stream.partition % 3; }, {});
  Place place;
  std::vector<std::int32_t> served;
  for (int i = 0; i < 6; ++i) {
    auto turn = scheduler.take({}, place);
    served.push_back(turn.node_id);
    CHECK(scheduler.try_take(place).cursors.empty());  // the others have nobody
    scheduler.give_back(std::move(turn));
  }
  CHECK(served == Partitions{0, 1, 2, 0, 1, 2});
}

TEST_CASE("a replica is read in the place of the leader, as long as that holds") {
  auto scheduler = scheduler_of(2, {});
  Place place;
  auto turn = scheduler.take({}, place);
  turn.cursors[1].replica.answered(1, {.preferred_read_replica = 5}, {}, true, Clock::now());
  scheduler.give_back(std::move(turn));
  std::map<std::int32_t, Partitions> seen;
  for (int i = 0; i < 2; ++i) {
    turn = scheduler.take({}, place);
    seen[turn.node_id] = partitions(turn);
    scheduler.give_back(std::move(turn));
  }
  CHECK(seen == std::map<std::int32_t, Partitions>{{1, {0}}, {5, {1}}});
  turn = scheduler.take({}, place);
  CHECK(turn.node_id == 5);
  turn.cursors[0].replica.avoid(Clock::now());
  scheduler.give_back(std::move(turn));
  turn = scheduler.take({}, place);
  CHECK(turn.node_id == 1);
  CHECK(turn.cursors.size() == 2);
}

TEST_CASE("who comes back waits behind all that wait") {
  auto scheduler = scheduler_of(4, {.turns_per_worker = 2});
  Place place;
  auto first = scheduler.take({}, place);
  CHECK(partitions(first) == Partitions{0, 1});
  scheduler.give_back(std::move(first));
  CHECK(partitions(scheduler.take({}, place)) == Partitions{2, 3});
  CHECK(partitions(scheduler.try_take(place)) == Partitions{0});
}

TEST_CASE("who asks ahead takes what is there, unless somebody waits for cursors") {
  auto scheduler = scheduler_of(4, {.workers_per_broker = 2, .partitions_at_once_max = 3});
  Place one, two;
  auto first = scheduler.take({}, one);
  CHECK(partitions(first) == Partitions{0, 1});
  CHECK(partitions(scheduler.try_take(one)) == Partitions{2});
  CHECK(scheduler.try_take(one).cursors.empty());  // the limit
  CHECK(scheduler.unread_count() == 4);
  std::stop_source source;
  auto waiting =
      std::async(std::launch::async, [&] { return scheduler.take({.stop = source.get_token()}, two); });
  scheduler.give_back(std::move(first));
  CHECK(partitions(waiting.get()) == Partitions{3, 0});
}

TEST_CASE("what is asked for ahead is bounded, a share for each broker") {
  FetchScheduler scheduler(cursors(80), {.turns_per_worker = 9, .turns_at_once_max = 6}, two_leaders, {});
  Place a, b;
  std::vector<FetchScheduler::Turn> out;
  out.push_back(scheduler.take({}, a));
  out.push_back(scheduler.take({}, b));
  for (auto* place : {&a, &b})
    for (int i = 0; i < 2; ++i) {
      out.push_back(scheduler.try_take(*place));
      CHECK(!out.back().cursors.empty());
    }
  CHECK(scheduler.try_take(a).cursors.empty());
  CHECK(scheduler.try_take(b).cursors.empty());
}

TEST_CASE("who rests is back in the queue when its time has come") {
  auto scheduler = scheduler_of(3, {}, {.backoff_first = std::chrono::milliseconds(1)});
  Place place;
  auto turn = scheduler.take({}, place);
  for (auto& cursor : turn.cursors) scheduler.failed(cursor, {ErrorKind::unavailable, "gone"});
  scheduler.give_back(std::move(turn));
  std::size_t taken = 0;
  while (taken < 3) taken += scheduler.take({}, place).cursors.size();
  CHECK(taken == 3);
}

TEST_CASE("a request asks for a bounded number of partitions") {
  auto scheduler = scheduler_of(2000, {});
  CHECK(take(scheduler).cursors.size() == 500);
}

TEST_CASE("no more partitions are in flight than allowed; giving back lets the next go") {
  auto scheduler = scheduler_of(10, {.workers_per_broker = 2, .partitions_at_once_max = 4});
  Place one, two;
  auto first = scheduler.take({}, one), second = scheduler.take({}, two);
  CHECK(first.cursors.size() == 2);
  CHECK(second.cursors.size() == 2);
  std::atomic<bool> given_back = false;
  auto third = std::async(std::launch::async, [&] {
    auto turn = scheduler.take({}, one);
    CHECK(given_back);
    return turn;
  });
  given_back = true;
  read_to_the_end(scheduler, std::move(first));
  CHECK(partitions(third.get()) == Partitions{4, 5});
}

TEST_CASE("however workers take turns, the limits hold and everything is read") {
  constexpr std::size_t limit = 5;
  FetchScheduler scheduler(cursors(60),
                           {.workers_per_broker = 2, .turns_per_worker = 2, .partitions_at_once_max = limit},
                           [](const archive::StreamId& stream) { return stream.partition % 3; }, {});
  std::atomic<std::size_t> out = 0, most = 0;
  std::array<std::atomic<int>, 3> at_broker{};
  const auto work = [&] {
    Place place;
    for (;;) {
      auto turn = scheduler.take({}, place);
      if (turn.cursors.empty()) return;
      CHECK(++at_broker.at(static_cast<std::size_t>(turn.node_id)) <= 2);
      auto now = out += turn.cursors.size();
      for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) continue;
      for (auto& cursor : turn.cursors) cursor.position += 5;
      out -= turn.cursors.size();
      --at_broker.at(static_cast<std::size_t>(turn.node_id));
      scheduler.give_back(std::move(turn));
    }
  };
  std::vector<std::future<void>> workers;
  for (int i = 0; i < 7; ++i) workers.push_back(std::async(std::launch::async, work));
  for (auto& worker : workers) worker.get();
  CHECK(most <= limit);
  CHECK(scheduler.done_count() == 60);
}

TEST_CASE("a cursor that failed rests while the others go on") {
  auto scheduler = scheduler_of(3, {}, long_rest);
  Place place;
  auto turn = scheduler.take({}, place);
  scheduler.failed(turn.cursors[1], {ErrorKind::unavailable, "broker is gone"});
  CHECK(turn.cursors[1].failures.failures() == 1);
  scheduler.give_back(std::move(turn));
  CHECK(partitions(scheduler.take({}, place)) == Partitions{0, 2});
}

TEST_CASE("a failure that may not be retried, or has lasted too long, is thrown") {
  auto scheduler = scheduler_of(1, {}, {.give_up_after = Duration::zero()});
  auto turn = take(scheduler);
  CHECK_THROWS_WITH_AS(scheduler.failed(turn.cursors[0], {ErrorKind::corrupt, "damaged"}), "damaged", Error);
  auto patient = scheduler_of(1, {}, long_rest);
  turn = take(patient);
  CHECK_NOTHROW(patient.failed(turn.cursors[0], {ErrorKind::unavailable, "gone"}));
}

TEST_CASE("when leaders change, what waits moves to the new ones") {
  std::int32_t leader = -1;
  FetchScheduler scheduler(cursors(4), {.workers_per_broker = 2},
                           [&](const archive::StreamId&) { return leader; }, {});
  Place place;
  auto out = scheduler.take({}, place);
  CHECK(out.node_id == -1);
  leader = 7;
  scheduler.leaders_changed();
  auto turn = take(scheduler);
  CHECK(turn.node_id == 7);
  CHECK(partitions(turn) == Partitions{2});
  scheduler.give_back(std::move(out));  // what was on its way follows when it comes back
  turn = scheduler.take({}, place);
  CHECK(turn.node_id == 7);
  CHECK(partitions(turn) == Partitions{3, 0});
}

TEST_CASE("everything read ends the work with an empty turn, also for who is waiting") {
  auto scheduler = scheduler_of(2, {});
  auto turn = take(scheduler);
  auto waiting = std::async(std::launch::async, [&] { return take(scheduler); });
  read_to_the_end(scheduler, std::move(turn));
  CHECK(waiting.get().cursors.empty());
  CHECK(take(scheduler).cursors.empty());
  CHECK(scheduler.done_count() == 2);
}

TEST_CASE("cursors with nothing to read are done from the start") {
  FetchScheduler scheduler(cursors(3, 0), {}, one_leader, {});
  CHECK(scheduler.done_count() == 3);
  CHECK(take(scheduler).cursors.empty());
}

TEST_CASE("who waits is stopped with the context") {
  auto scheduler = scheduler_of(1, {});
  Place place;
  auto turn = scheduler.take({}, place);
  CHECK_THROWS_AS(scheduler.take(stopped(), place), Error);
  std::stop_source source;
  auto waiting =
      std::async(std::launch::async, [&] { return scheduler.take({.stop = source.get_token()}, place); });
  source.request_stop();
  CHECK_THROWS_AS(waiting.get(), Error);
  scheduler.give_back(std::move(turn));
}

TEST_CASE(
    "of logs that are followed, the workers of a broker divide all its cursors; others leave it alone") {
  auto scheduler = scheduler_of(2000, {.workers_per_broker = 2, .follows = true});
  Place a, b, c;
  auto one = scheduler.take({}, a);
  auto two = scheduler.take({}, b);
  CHECK(one.cursors.size() == 1000);
  CHECK(two.cursors.size() == 1000);
  scheduler.give_back(std::move(one));
  auto again = scheduler.take({}, a);
  CHECK(again.cursors.size() == 1000);
  again.cursors[0].not_before = Clock::now() + std::chrono::hours(1);
  scheduler.give_back(std::move(again));
  CHECK(scheduler.take({}, a).cursors.size() == 999);
  // Both are at work, and one cursor rests.
  CHECK_THROWS_AS(scheduler.take(Context{}.with_timeout(std::chrono::milliseconds(1)), c), Error);
}
