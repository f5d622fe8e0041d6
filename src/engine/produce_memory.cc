#include "engine/produce_memory.h"

#include <algorithm>

namespace kb::engine {
namespace {

using Producers = ProduceScheduler::Producers;

bool may_read_any(const Producers& active, bool broker_fails) {
  return !broker_fails ||
         std::none_of(active.begin(), active.end(), [](auto& producer) { return producer->holds_any(); });
}

bool may_read(PartitionProducer& producer, Clock::time_point now) {
  return producer.not_before <= now && producer.hungry();
}

}  // namespace

bool read_blocks(const Context& ctx, const Producers& active, ByteBudget& budget, bool broker_fails) {
  if (!may_read_any(active, broker_fails)) return false;
  bool read = false;
  const auto now = Clock::now();
  for (const auto& producer : active) {
    if (!may_read(*producer, now)) continue;
    auto lease = budget.try_acquire(producer->reader().next_bytes());
    if (!lease) break;
    producer->reader().read(ctx, std::move(*lease));
    read = true;
    if (broker_fails) break;
  }
  return read;
}

Clock::time_point idle_until(const Producers& active, Clock::time_point now) {
  auto until = now + std::chrono::seconds(1);
  for (const auto& producer : active)
    if (producer->not_before > now) until = std::min(until, producer->not_before);
  return until;
}

void idle(const Context& ctx, const Producers& active, ByteBudget& budget, bool broker_fails,
          Clock::time_point until) {
  const auto now = Clock::now();
  auto hungry = active.end();
  if (may_read_any(active, broker_fails))
    hungry =
        std::find_if(active.begin(), active.end(), [&](auto& producer) { return may_read(*producer, now); });
  if (hungry == active.end()) {
    if (until > now) ctx.sleep_for(until - now);
    return;
  }
  auto& reader = (*hungry)->reader();
  if (auto lease = budget.acquire_until(ctx, reader.next_bytes(), until)) reader.read(ctx, std::move(*lease));
}

}  // namespace kb::engine
