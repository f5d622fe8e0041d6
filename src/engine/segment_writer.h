// Collects blocks into segments, stores the segments, and checkpoints what is stored. Memory is bounded by
// the byte budget: open segments hold at most half of it.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "archive/run.h"
#include "archive/segment.h"
#include "base/bounded_queue.h"
#include "base/byte_budget.h"
#include "base/task_group.h"
#include "engine/progress_counters.h"

namespace kb::engine {

struct SegmentSettings {
  std::size_t segment_bytes_max = 32 * 1024 * 1024;
  Duration segment_interval_max = std::chrono::seconds(60);  // then an open segment is closed
  bool checkpoints = true;                                   // besides the last one
  Duration checkpoint_interval = std::chrono::seconds(30);
  int uploads_in_flight_max = 2;
  // Of a run that is followed: what came is closed and checkpointed at once, all classes together, each
  // object giving the others this long to wait, which bounds the objects written in a second. 0: not so.
  Duration prompt_write_interval{};
  // Called with the blocks of a segment before it is closed.
  std::function<void(std::vector<archive::PendingBlock>&)> before_seal = {};
};

// Segments of one class are stored together: topics with and without a log cleaner live for different times.
enum class SegmentClass { deleted, compacted };

// Blocks of one fetch answer, all of one class, and the share of the budget that they hold.
struct BlockBatch {
  SegmentClass segment_class = SegmentClass::deleted;
  std::vector<archive::PendingBlock> blocks;
  ByteBudget::Lease lease;
};

// add() may be called by many threads at once, blocks of one stream in their order; the rest by the owner.
class SegmentWriter {
 public:
  SegmentWriter(const Context& ctx, storage::ObjectStore& store, archive::ShardWriter& shard,
                const SegmentSettings& settings, std::size_t budget_bytes, ProgressCounters& progress);

  // Stops when an upload or a checkpoint fails: for who calls add().
  Context context() const { return tasks_.context(); }
  // Ends the threads of a writer whose context has stopped and throws why.
  void rethrow_failure() { tasks_.wait(); }
  // What happened to a log; in the next checkpoint, so never later than blocks that are added afterwards.
  void note(archive::HistoryEvent event);
  // Waits while too many segments are on their way.
  void add(const Context& ctx, BlockBatch batch);
  // Stores what is open, checkpoints everything and ends the threads. Throws timed_out at the deadline.
  void finish(Clock::time_point deadline = Clock::time_point::max());
  // Everything that is in a checkpoint so far.
  archive::Index checkpointed() const;

 private:
  struct Open {
    std::vector<archive::PendingBlock> blocks;
    std::vector<ByteBudget::Lease> leases;
    std::size_t stored_bytes = 0;
    std::size_t held_bytes = 0;
    Clock::time_point since{};
  };
  struct Sealed {
    std::uint64_t number = 0;
    std::unique_ptr<archive::SealedSegment> segment;
    std::vector<ByteBudget::Lease> leases;
  };

  void store_the_rest(const Context& ctx);
  void upload_loop(const Context& ctx);
  void upload(const Context& ctx, Sealed sealed);
  void timer_loop(const Context& ctx);
  // The class that must be closed now; none when none must.
  std::optional<SegmentClass> due(Clock::time_point now) const;
  bool is_prompt() const { return settings_.prompt_write_interval > Duration(0); }
  // Whether the open segments have waited their time. Under mutex_.
  bool is_prompt_seal_due(Clock::time_point now) const;
  // Whether all that is sealed is stored and some of it not checkpointed. Under mutex_.
  bool is_checkpoint_wanted() const;
  void seal_all(const Context& ctx);
  void seal(const Context& ctx, SegmentClass segment_class);
  void checkpoint(const Context& ctx);
  // Waits until all that is sealed is stored.
  void drain(const Context& ctx);

  // constant after construction
  storage::ObjectStore& store_;
  archive::ShardWriter& shard_;
  const SegmentSettings settings_;
  const std::size_t held_bytes_max_;
  ProgressCounters& progress_;

  std::mutex checkpointing_;
  BoundedQueue<Sealed> uploads_;

  // guarded by mutex_
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<SegmentClass, Open> open_;
  std::uint64_t sealed_count_ = 0;
  std::map<std::uint64_t, archive::Index> stored_;  // by number, not checkpointed yet
  std::uint64_t stored_count_ = 0;
  archive::History happened_;             // not checkpointed yet
  std::uint64_t checkpointed_count_ = 0;  // all numbers below are in a checkpoint
  Clock::time_point checkpointed_at_ = Clock::now();
  archive::Index checkpointed_;  // what shard_ was given, when prompt
  bool finished_ = false;

  TaskGroup tasks_;  // last: its threads use all of the above
};

}  // namespace kb::engine
