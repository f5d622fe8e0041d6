#include "engine/produce_scheduler.h"

#include <future>
#include <set>

#include "base/error.h"
#include "engine/sample_source.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

// Partitions of one topic; each leader is what `leaders` says, or the partition modulo 3.
struct Written {
  SampleSources source;
  std::map<std::int32_t, std::int32_t> leaders;

  ProduceScheduler::Producers producers(std::int32_t count) {
    ProduceScheduler::Producers made;
    for (std::int32_t p = 0; p < count; ++p)
      made.push_back(std::make_unique<PartitionProducer>(kafka::TopicPartition{"copy", p}, source.reader(),
                                                         kafka::ProducerSession{.transactional_id = "t"}, 0));
    return made;
  }
  ProduceScheduler::LeaderOf leader() {
    return [this](const kafka::TopicPartition& tp) {
      auto it = leaders.find(tp.partition);
      return it == leaders.end() ? tp.partition % 3 : it->second;
    };
  }
};

std::vector<std::int32_t> partitions(const ProduceScheduler::Producers& producers) {
  std::vector<std::int32_t> all;
  for (const auto& producer : producers) all.push_back(producer->target().partition);
  return all;
}

using Partitions = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("workers are spread over the brokers, and each serves the partitions of one") {
  Written written;
  ProduceScheduler scheduler(written.producers(6), {.workers_per_broker = 1, .partitions_at_once_max = 6},
                             written.leader());
  std::set<std::int32_t> served;
  for (int i = 0; i < 3; ++i) served.insert(*scheduler.begin({}));
  CHECK(served == std::set<std::int32_t>{0, 1, 2});
  CHECK(partitions(scheduler.take(1, 0)) == Partitions{1, 4});
  CHECK(scheduler.take(1, 2).empty());
}

TEST_CASE("a broker keeps no more workers and partitions than its share, however long it keeps them") {
  Written written;
  ProduceScheduler scheduler(written.producers(9), {.workers_per_broker = 1, .partitions_at_once_max = 3},
                             written.leader());
  auto stuck = *scheduler.begin({});
  auto kept = scheduler.take(stuck, 0);
  CHECK(kept.size() == 1);
  // Everything else is written while that one is silent.
  for (std::size_t written_count = 0; written_count < 6;) {
    auto broker = *scheduler.begin({});
    CHECK(broker != stuck);
    auto taken = scheduler.take(broker, 0);
    REQUIRE_FALSE(taken.empty());
    written_count += taken.size();
    scheduler.done(broker, taken.size());
    scheduler.end(broker);
  }
  scheduler.done(stuck, 1);
  CHECK(scheduler.take(stuck, 0).size() == 2);  // the only broker that is left gets all
}

TEST_CASE("workers of one broker divide its partitions") {
  Written written;
  for (std::int32_t p = 0; p < 10; ++p) written.leaders[p] = 7;
  ProduceScheduler scheduler(written.producers(10), {.workers_per_broker = 2, .partitions_at_once_max = 8},
                             written.leader());
  CHECK(scheduler.begin({}) == 7);
  CHECK(scheduler.begin({}) == 7);
  CHECK(partitions(scheduler.take(7, 0)) == Partitions{0, 1, 2, 3});
  CHECK(partitions(scheduler.take(7, 0)) == Partitions{4, 5, 6, 7});
  CHECK(scheduler.take(7, 4).empty());
  scheduler.done(7, 1);
  CHECK(partitions(scheduler.take(7, 3)) == Partitions{8});
}

TEST_CASE("partitions go to whoever leads them by now") {
  Written written;
  written.leaders = {{0, -1}, {1, -1}};
  ProduceScheduler scheduler(written.producers(2), {.workers_per_broker = 1, .partitions_at_once_max = 8},
                             written.leader());
  CHECK(scheduler.begin({}) == -1);
  auto taken = scheduler.take(-1, 0);
  CHECK(taken.size() == 2);
  auto waiting = std::async(std::launch::async, [&] { return scheduler.begin({}); });
  written.leaders = {{0, 4}, {1, 4}};
  for (auto& producer : taken) scheduler.give_back(-1, std::move(producer));
  CHECK(waiting.get() == 4);
  written.leaders = {{0, 5}, {1, 4}};
  scheduler.leaders_changed();
  CHECK(partitions(scheduler.take(4, 0)) == Partitions{1});
  CHECK(scheduler.begin({}) == 5);
}

TEST_CASE("who holds memory goes first, and no place is free for others before") {
  Written written;
  written.source.add("orders", {});
  for (std::int32_t p = 0; p < 4; ++p) written.leaders[p] = p < 2 ? 1 : 2;
  ProduceScheduler scheduler(written.producers(4), {.workers_per_broker = 1, .partitions_at_once_max = 2},
                             written.leader());
  CHECK(scheduler.begin({}) == 1);
  CHECK(scheduler.begin({}) == 2);
  auto at_first = scheduler.take(1, 0), at_second = scheduler.take(2, 0);
  REQUIRE(partitions(at_second) == Partitions{2});
  auto& holder = *at_second.front();
  while (holder.hungry()) holder.reader().read({}, {});
  CHECK_FALSE(scheduler.holders_wait());

  written.leaders[2] = 1;
  scheduler.give_back(2, std::move(at_second.front()));
  scheduler.end(2);
  CHECK(scheduler.holders_wait());
  CHECK(scheduler.holders_wait(1));
  CHECK_FALSE(scheduler.holders_wait(2));
  CHECK(scheduler.take(1, 1).empty());  // its share is used up
  scheduler.give_back(1, std::move(at_first.front()));
  CHECK(partitions(scheduler.take(1, 0)) == Partitions{2});
  CHECK_FALSE(scheduler.holders_wait());
}

TEST_CASE("a worker that is free goes where memory is held, though others have fewer workers") {
  Written written;
  written.source.add("orders", {});
  for (std::int32_t p = 0; p < 6; ++p) written.leaders[p] = p < 4 ? 1 : 2;
  ProduceScheduler scheduler(written.producers(6), {.workers_per_broker = 2, .partitions_at_once_max = 6},
                             written.leader());
  CHECK(scheduler.begin({}) == 1);
  auto taken = scheduler.take(1, 0);
  while (taken.front()->hungry()) taken.front()->reader().read({}, {});
  scheduler.give_back(1, std::move(taken.front()));
  CHECK(scheduler.begin({}) == 1);
  CHECK(scheduler.begin({}) == 2);
}

TEST_CASE("when everything is written, workers that wait end; a stopped one ends at once") {
  Written written;
  written.leaders = {{0, 1}};
  ProduceScheduler scheduler(written.producers(1), {.workers_per_broker = 1}, written.leader());
  CHECK(scheduler.begin({}) == 1);
  auto taken = scheduler.take(1, 0);
  auto waiting = std::async(std::launch::async, [&] { return scheduler.begin({}); });
  scheduler.done(1, 1);
  CHECK(waiting.get() == std::nullopt);
  std::stop_source source;
  source.request_stop();
  CHECK_THROWS_AS(scheduler.begin({.stop = source.get_token()}), Error);
}
