#include "engine/produce_memory.h"

#include <optional>

#include "base/error.h"
#include "engine/sample_source.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
using namespace std::chrono_literals;

namespace {

constexpr kafka::RebatchSettings as_stored{.merge_below_bytes = 0, .merge_compressed_below_bytes = 0};

// Partitions of a topic with several blocks each, as a worker has them.
struct Active {
  SampleSources source;
  std::optional<ByteBudget> budget;  // what is read goes back to it
  ProduceScheduler::Producers producers;

  explicit Active(std::int32_t count) {
    source.add("orders", {.batches = 6});
    for (std::int32_t p = 0; p < count; ++p)
      producers.push_back(
          std::make_unique<PartitionProducer>(kafka::TopicPartition{"copy", p}, source.reader(0, as_stored),
                                              kafka::ProducerSession{.transactional_id = "t"}, 0));
  }
  ByteBudget& limit(std::size_t bytes) { return budget.emplace(bytes); }
  std::size_t block_bytes() { return source.reader().next_bytes(); }
  std::size_t holders() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(producers, [](auto& producer) { return producer->holds_any(); }));
  }
};

}  // namespace

TEST_CASE("every partition that has nothing to send reads a block, as far as memory is free") {
  Active active(5);
  auto& budget = active.limit(2 * active.block_bytes());
  CHECK(read_blocks({}, active.producers, budget, false));
  const auto holders = active.holders();
  CHECK(holders >= 1);
  CHECK(holders < 5);
  CHECK_FALSE(read_blocks({}, active.producers, budget, false));
  active.producers.clear();
  CHECK(budget.used() == 0);
}

TEST_CASE("a broker that fails takes no more memory than it has, however much others give back") {
  Active active(5);
  auto& budget = active.limit(1 << 20);
  active.producers[2]->reader().read({}, budget.acquire({}, active.block_bytes()));
  active.producers[2]->not_before = Clock::now() + 1h;  // refused with what it has
  const auto used = budget.used();
  CHECK_FALSE(read_blocks({}, active.producers, budget, true));
  idle({}, active.producers, budget, true, Clock::now() + 1ms);
  CHECK(budget.used() == used);
  // Of one that answers, the others go on.
  CHECK(read_blocks({}, active.producers, budget, false));
  CHECK(active.holders() == 5);
}

TEST_CASE("a broker that fails is tried with one block") {
  Active active(5);
  auto& budget = active.limit(1 << 20);
  CHECK(read_blocks({}, active.producers, budget, true));
  CHECK(active.holders() == 1);
  CHECK_FALSE(read_blocks({}, active.producers, budget, true));
  CHECK(active.holders() == 1);
}

TEST_CASE("partitions that do not rest are no reason to look around again at once") {
  Active active(3);
  const auto now = Clock::now();
  CHECK(idle_until(active.producers, now) == now + 1s);
  active.producers[1]->not_before = now - 1h;
  active.producers[2]->not_before = now + 10ms;
  CHECK(idle_until(active.producers, now) == now + 10ms);
  active.producers[2]->not_before = now + 1h;
  CHECK(idle_until(active.producers, now) == now + 1s);
}

TEST_CASE("waiting for memory ends in time, and at once when there is some") {
  Active active(1);
  auto& budget = active.limit(active.block_bytes());
  auto others = budget.acquire({}, budget.bytes_max());
  idle({}, active.producers, budget, false, Clock::now() + 1ms);
  CHECK(active.holders() == 0);
  others = {};
  idle({}, active.producers, budget, false, Clock::now() + 1h);
  CHECK(active.holders() == 1);
}

TEST_CASE("a partition that rests reads nothing") {
  Active active(1);
  auto& budget = active.limit(1 << 20);
  active.producers[0]->not_before = Clock::now() + 1h;
  CHECK_FALSE(read_blocks({}, active.producers, budget, false));
  idle({}, active.producers, budget, false, Clock::now() + 1ms);
  CHECK(active.holders() == 0);
}
