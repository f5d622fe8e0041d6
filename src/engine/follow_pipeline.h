// The threads of a run that follows logs: they read what comes and store it, until they are told to stop.
#pragma once
#include <optional>
#include <stop_token>

#include "archive/open_run.h"
#include "base/rate_limiter.h"
#include "base/task_group.h"
#include "engine/backup.h"
#include "engine/fetcher.h"
#include "engine/segment_writer.h"
#include "kafka/cluster.h"

namespace kb::engine {

// Owned by one thread.
class FollowPipeline {
 public:
  struct Limits {
    RateLimiter bytes_per_second, records_per_second;
  };

  // Begins to read. Reading also ends when `ctx` stops; storing does not. What is referred to outlives it.
  FollowPipeline(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                 const archive::Plan& opening, archive::ShardWriter& shard, const BackupRequest& request,
                 Limits& limits, ProgressCounters& progress);

  // Waits; false when reading has ended before, for whatever reason.
  bool wait_until(Clock::time_point time) const;
  // Ends reading. Gives what had ended it before, if anything but a stop had.
  std::optional<Error> stop_reading();
  // Stores and checkpoints what was read; throws timed_out at the deadline.
  void finish(Clock::time_point deadline) { writer_.finish(deadline); }
  // What is durable: stored, and listed by a checkpoint.
  archive::Index durable() const { return writer_.checkpointed(); }

 private:
  std::stop_source reading_;
  std::stop_callback<std::function<void()>> on_stop_;
  const FetchSettings settings_;
  const BlockSettings blocks_;
  FetchScheduler scheduler_;
  ByteBudget budget_;
  SegmentWriter writer_;
  std::stop_callback<std::function<void()>> on_writer_failure_;
  FetchShared shared_;
  TaskGroup readers_;  // last: its threads use the others
};

}  // namespace kb::engine
