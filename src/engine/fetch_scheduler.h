// Which partitions are fetched next, from which broker, by whom. Knows nothing of connections.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "archive/index.h"
#include "archive/set.h"
#include "base/context.h"
#include "base/error.h"
#include "base/retry.h"
#include "engine/read_replica.h"
#include "engine/segment_writer.h"
#include "kafka/codec.h"

namespace kb::engine {

// How far a partition has been read. Belongs to whoever took it.
struct FetchCursor {
  archive::StreamId stream;
  SegmentClass segment_class = SegmentClass::deleted;
  std::int64_t position = 0;
  std::int64_t end = 0;
  std::int32_t leader_epoch = -1;                  // as the metadata says; -1 unknown
  ReadReplica replica;                             // which is read in the place of the leader
  kafka::Uuid topic_id{};                          // as the plan says; zeros when the broker has none
  std::int32_t last_epoch = -1;                    // of the last batch before the position; -1 unknown
  std::optional<Clock::time_point> missing_since;  // no broker has known the topic
  Clock::time_point moved_at = Clock::now();       // when the position last moved
  std::optional<Clock::time_point> stalled_since;  // answers have moved none of those asked for together
  FailureRow failures;
  Clock::time_point not_before{};
  bool done() const { return position >= end; }
};

// Of the batch before what a plan has still to read, by which a broker finds out that its log is not the one
// that was read (KIP-595); -1 where nothing is archived, or retention has moved the start on behind that.
// Also of a compacted log, from which the last batch may be gone: an epoch that the leader knows no more
// would have broken the lineage when the run was planned.
inline std::int32_t last_epoch_behind(const archive::CapturedPartition& p) {
  return p.from > p.start ? p.leader_epoch : -1;
}

// A worker fetches from one broker at a time, and so many at most from one: so a broker in trouble keeps only
// its own partitions, and the workers that serve it, waiting. Thread-safe.
class FetchScheduler {
 public:
  // `leader` gives the broker that leads a partition, -1 when it is not known; it is called under a lock.
  using LeaderOf = std::function<std::int32_t(const archive::StreamId&)>;
  struct Limits {
    std::size_t workers_per_broker = 1;
    std::size_t turns_per_worker = 1;  // that a worker may have out together
    std::size_t turns_at_once_max = std::numeric_limits<std::size_t>::max();  // beyond, nobody asks ahead
    std::size_t partitions_at_once_max = std::numeric_limits<std::size_t>::max();
    // Logs are followed: the workers of a broker divide all its cursors, so that each waits in some request
    // for news.
    bool follows = false;
  };
  FetchScheduler(std::vector<FetchCursor> cursors, const Limits& limits, LeaderOf leader,
                 const RetryPolicy& retry);

  // Where a worker works; -1 stands for "no leader is known". Belongs to the worker, which has no turn out
  // when it asks for another place.
  class Place {
   private:
    friend class FetchScheduler;
    std::optional<std::int32_t> broker_;
  };
  struct Turn {
    std::int32_t node_id = -1;
    std::vector<FetchCursor> cursors;  // empty when everything is read
  };
  // Waits for cursors of the worker's broker whose time has come. The worker stays there as long as the
  // broker has cursors, unless those of another one have nobody and nobody else is free; then it goes to the
  // one with the fewest workers. At most its share of what waits there, so that the workers divide it.
  Turn take(const Context& ctx, Place& place);
  // More of the same broker for a worker that asks ahead; never waits. Empty also when another worker waits
  // for cursors.
  Turn try_take(const Place& place);
  // Ends a turn. Those that are done are counted; the others wait for their next turn, behind all that wait.
  void give_back(Turn turn);
  // Notes a failure of the cursor: it rests for a while. Throws `error` when it may not be retried or the row
  // of failures has lasted too long.
  void failed(FetchCursor& cursor, const Error& error) const;
  // Looks the leaders of all waiting cursors up again.
  void leaders_changed();

  std::size_t done_count() const;
  std::size_t unread_count() const;

 private:
  // What is read from one broker.
  struct Queue {
    std::deque<FetchCursor> ready;
    std::multimap<Clock::time_point, FetchCursor> resting;  // by the end of their rest
    std::size_t turns = 0, out = 0;                         // that workers have, and the cursors in them
    std::size_t workers = 0, takers = 0;                    // who have their place here; who wait for cursors
    std::size_t waiting() const { return ready.size() + resting.size(); }
    bool in_use() const { return waiting() > 0 || out > 0; }
  };
  using Queues = std::map<std::int32_t, Queue>;  // by broker
  bool finished() const { return waiting_count_ == 0 && out_ == 0; }
  void settle(Place& place);
  Queues::iterator least_served(const Place& place);
  bool some_have_nobody() const;
  bool somebody_waits_for(const Queue& queue) const;
  std::size_t brokers_in_use() const;
  Turn take_now(std::int32_t node_id);
  void wake(Clock::time_point now);
  std::size_t room(const Queue& queue) const;
  std::size_t turn_size(const Queue& queue) const;
  void put(FetchCursor cursor);
  Clock::time_point earliest() const;
  void changed();

  // constant after construction
  const Limits limits_;
  const LeaderOf leader_;
  const RetryPolicy retry_;

  // guarded by mutex_
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Queues queues_;
  std::uint64_t changes_ = 0;      // counts what a waiting take() should look at
  std::size_t waiting_count_ = 0;  // ready and resting
  std::size_t idle_ = 0;           // who wait in take() without a place
  std::size_t out_ = 0;
  std::size_t done_ = 0;
};

}  // namespace kb::engine
