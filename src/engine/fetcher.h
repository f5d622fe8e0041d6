// Reads partitions from their leaders and hands on what they hold as blocks.
#pragma once
#include <functional>
#include <map>

#include "base/byte_budget.h"
#include "base/rate_limiter.h"
#include "engine/block_builder.h"
#include "engine/fetch_scheduler.h"
#include "engine/lag_table.h"
#include "engine/progress_counters.h"
#include "kafka/cluster.h"
#include "kafka/messages_fetch.h"

namespace kb::engine {

struct FetchSettings {
  std::size_t workers = 3;                         // connections per broker for fetching
  std::size_t partitions_at_once_max = 8;          // of all workers
  std::size_t answer_bytes_max = 8 * 1024 * 1024;  // of one fetch; a larger batch still comes whole
  Duration answer_wait = std::chrono::milliseconds(500);
  Duration stall_max = std::chrono::seconds(120);  // a partition that yields nothing for so long is an error
  RetryPolicy retry;
  // Logs are followed: they have no end, and after an answer of little the partitions rest so long.
  bool follows = false;
  Duration rest_after_little{};
};

// Shared by the workers; thread-safe as its members are.
struct FetchShared {
  kafka::Cluster& cluster;
  FetchScheduler& scheduler;
  ByteBudget& budget;
  RateLimiter& bytes_per_second;
  RateLimiter& records_per_second;
  ProgressCounters& progress;
  const FetchSettings& settings;
  const BlockSettings& blocks;
  LagTable* lags = nullptr;  // of logs that are followed
  // Takes the blocks of one answer and class; called by the worker that has the streams' cursors.
  std::function<void(const Context&, BlockBatch)> sink;
};

// One worker: takes turns until everything is read. Owned by one thread.
class Fetcher {
 public:
  explicit Fetcher(FetchShared& shared) : shared_(shared) {}
  void run(const Context& ctx);

 private:
  using Turn = FetchScheduler::Turn;
  struct Answer {
    kafka::Reply<kafka::FetchResponse> reply;
    ByteBudget::Lease lease;
  };
  // Empty when the broker could not be asked; the cursors then rest.
  std::optional<Answer> ask(const Context& ctx, Turn& turn);
  kafka::FetchRequest request_for(const Turn& turn) const;
  kafka::Connection& connection(const Context& ctx, std::int32_t node_id);
  void take_answer(const Context& ctx, Turn& turn, Answer answer);
  // Returns the blocks of one partition; empty when it brought none.
  BuiltBlocks take_partition(const Context& ctx, FetchCursor& cursor,
                             const kafka::FetchResponse::Partition& answer,
                             const std::shared_ptr<const Buffer>& buffer);
  void note_lag(const FetchCursor& cursor, const kafka::FetchResponse::Partition& answer,
                const BuiltBlocks& built) const;
  BuiltBlocks skip_lost(const Context& ctx, FetchCursor& cursor);
  // Prepares the next turn of the same cursors: those that had news last go first.
  void rest(Turn& turn, Clock::time_point begun, std::size_t answer_bytes) const;
  void partition_failed(const Context& ctx, FetchCursor& cursor, kafka::ErrorCode code);
  void all_failed(const Context& ctx, Turn& turn, const Error& error);
  void check_stall(const FetchCursor& cursor) const;

  FetchShared& shared_;
  std::map<std::int32_t, kafka::Connection> connections_;  // by broker
  bool leaders_stale_ = false;
};

}  // namespace kb::engine
