// Which of a worker's partitions get memory for their next block, and how long a worker waits for it. Knows
// nothing of connections.
//
// All workers share one budget, and none of them may stand still because another one does:
//   - A partition that holds memory can send it, and so give it back, without more memory.
//   - A worker waits for memory no longer than idle_until(); then it looks for partitions that hold some and
//   have
//     nobody who sends it.
//   - A broker that fails has no more than it had when it failed, or else one block, to be tried with.
#pragma once
#include "base/byte_budget.h"
#include "engine/produce_scheduler.h"

namespace kb::engine {

// Reads a block for each partition that has nothing to send, as far as memory is free. Whether it read any.
bool read_blocks(const Context& ctx, const ProduceScheduler::Producers& active, ByteBudget& budget,
                 bool broker_fails);

// When a worker that has nothing to send should look around again: within a second, and as soon as one of
// the partitions that rest at `now` may send.
Clock::time_point idle_until(const ProduceScheduler::Producers& active, Clock::time_point now);

// Waits until then, or until there is memory for a partition that has nothing to send; reads its next block.
void idle(const Context& ctx, const ProduceScheduler::Producers& active, ByteBudget& budget,
          bool broker_fails, Clock::time_point until);

}  // namespace kb::engine
