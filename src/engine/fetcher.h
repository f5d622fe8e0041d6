// Reads partitions from their leaders and hands on what they hold as blocks.
#pragma once
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/byte_budget.h"
#include "base/rate_limiter.h"
#include "engine/block_builder.h"
#include "engine/changed_log.h"
#include "engine/fetch_scheduler.h"
#include "engine/lag_table.h"
#include "engine/progress_counters.h"
#include "kafka/cluster.h"
#include "kafka/messages_fetch.h"

namespace kb::engine {

struct FetchSettings {
  std::size_t workers = 3;                // per broker, each with a connection
  std::size_t threads = 4;                // workers of all brokers
  std::size_t fetches_in_flight_max = 4;  // of each worker
  std::size_t partitions_at_once_max = std::numeric_limits<std::uint32_t>::max();  // of all workers
  // What fetches in flight may bring together, so that they fill a connection across a round trip; each asks
  // for its share, between these bounds. A larger batch still comes whole.
  std::size_t in_flight_bytes_max = 96 * 1024 * 1024;
  std::size_t answer_bytes_min = 4 * 1024 * 1024, answer_bytes_max = 16 * 1024 * 1024;
  Duration answer_wait = std::chrono::milliseconds(500);
  Duration stall_max = std::chrono::seconds(120);  // answers that move nothing for so long are an error
  RetryPolicy retry;
  std::string client_rack;  // partitions are read from the replica that is nearest to it; empty: from leaders
  // Logs are followed: they have no end, and after an answer of little the partitions rest so long.
  bool follows = false;
  Duration rest_after_little{};
};

FetchScheduler::Limits scheduler_limits(const FetchSettings& settings);

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
  // Takes what happened to a log, before the blocks that show it.
  std::function<void(archive::HistoryEvent)> note;
  LagTable* lags = nullptr;  // of logs that are followed
  // Takes the blocks of one answer and class; called by the worker that has the streams' cursors.
  std::function<void(const Context&, BlockBatch)> sink;
};

// One worker: takes turns until everything is read, of one broker at a time. While an answer is on its way or
// taken apart, the next one is asked for, of other partitions: so that a round trip costs nothing. Owned by
// one thread.
class Fetcher {
 public:
  explicit Fetcher(FetchShared& shared) : shared_(shared) {}
  void run(const Context& ctx);

 private:
  using Turn = FetchScheduler::Turn;
  // A fetch on its way, and the share of the budget that its answer needs.
  struct Flight {
    Turn turn;
    ByteBudget::Lease lease;
    std::shared_ptr<kafka::Connection> connection;
    CircuitBreakers::Permit permit;
  };
  // Waits for a turn and asks for it; false when everything is read.
  bool ask(const Context& ctx);
  // Asks for more as long as that needs no waiting.
  void ask_ahead(const Context& ctx);
  // False when the broker could not be asked; the turn is over then, its cursors rest.
  bool send(const Context& ctx, Turn turn, ByteBudget::Lease lease);
  void receive(const Context& ctx);
  std::size_t answer_bytes() const;
  kafka::FetchRequest request_for(const Turn& turn, std::size_t bytes) const;
  std::shared_ptr<kafka::Connection> connection(const Context& ctx, std::int32_t node_id);
  void take_answer(const Context& ctx, Turn& turn, const kafka::Reply<kafka::FetchResponse>& reply,
                   ByteBudget::Lease lease);
  // Returns the blocks of one partition; empty when it brought none. `node_id` has answered.
  BuiltBlocks take_partition(const Context& ctx, std::int32_t node_id, FetchCursor& cursor,
                             const kafka::FetchResponse::Partition& answer,
                             const std::shared_ptr<const Buffer>& buffer);
  std::optional<LogChange> change_of(const Context& ctx, FetchCursor& cursor,
                                     const kafka::FetchResponse::Partition& answer);
  void refuse_if_followed(const LogChange& change) const;
  BuiltBlocks skip_lost(FetchCursor& cursor, LogChange change);
  void take_leaderless(const Context& ctx, Turn& turn);
  void partition_failed(FetchCursor& cursor, const kafka::FetchResponse::Partition& answer);
  void note_lag(const FetchCursor& cursor, const kafka::FetchResponse::Partition& answer,
                const BuiltBlocks& built) const;
  // Prepares the next turn of the same cursors: those that had news last go first.
  void rest(Turn& turn, Clock::time_point begun, std::size_t answer_bytes) const;
  void all_failed(Turn& turn, const Error& error);
  void end_turn(const Context& ctx, Turn turn);
  void look_for_leaders(const Context& ctx, Turn& turn);
  void check_stalls(Turn& turn, bool moved) const;
  [[noreturn]] void fail_stalled(const FetchCursor& cursor) const;

  FetchShared& shared_;
  FetchScheduler::Place place_;
  std::int32_t connected_to_ = -1;
  std::shared_ptr<kafka::Connection> connection_;
  std::deque<Flight> flights_;                       // in the order they were sent, all to one broker
  bool much_to_read_ = false;                        // as the last answer shows
  std::set<std::string> stale_topics_;               // whose leaders have to be looked up again
  bool leaders_stale_ = false;                       // an answer told a new leader
  std::vector<kafka::NodeEndpoint> told_endpoints_;  // of leaders that the last answer names
};

}  // namespace kb::engine
