// Which partitions are fetched next, from which broker, by whom. Knows nothing of connections.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "archive/index.h"
#include "archive/set.h"
#include "base/context.h"
#include "base/error.h"
#include "base/retry.h"
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
  kafka::Uuid topic_id{};                          // as the plan says; zeros when the broker has none
  std::int32_t last_epoch = -1;                    // of the last batch before the position; -1 unknown
  std::optional<Clock::time_point> missing_since;  // no broker has known the topic
  Clock::time_point moved_at = Clock::now();       // when the position last moved
  FailureRow failures;
  Clock::time_point not_before{};
  bool done() const { return position >= end; }
};

// Of the batch before what a plan has still to read, by which a broker finds out that its log is not the one
// that was read (KIP-595); -1 where that is not known for sure: a log cleaner may have taken the last ones,
// or retention has moved the start on behind what the base holds.
inline std::int32_t last_epoch_behind(const archive::CapturedTopic& topic,
                                      const archive::CapturedPartition& p) {
  return !topic.compacted && p.from > p.start ? p.leader_epoch : -1;
}

// Thread-safe.
class FetchScheduler {
 public:
  // `leader` gives the broker that leads a partition, -1 when it is not known; it is called under a lock.
  using LeaderOf = std::function<std::int32_t(const archive::StreamId&)>;
  FetchScheduler(std::vector<FetchCursor> cursors, std::size_t partitions_in_flight_max, LeaderOf leader,
                 const RetryPolicy& retry);
  // Of logs that are followed: so many workers of a leader divide all its cursors, so that each waits in some
  // request for news.
  void follow(std::size_t workers_per_leader) { workers_per_leader_ = workers_per_leader; }

  struct Turn {
    std::int32_t node_id = -1;
    std::vector<FetchCursor> cursors;  // empty when everything is read
  };
  // Waits for cursors whose time has come, all of one leader: the one fewest workers are busy with.
  // At most `share` of what waits for that leader, so that the workers divide it.
  Turn take(const Context& ctx, std::size_t workers);
  // The same without waiting, for a worker that asks ahead: empty also when another worker waits for cursors.
  Turn try_take(std::size_t workers);
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
  // Of one leader.
  struct Queue {
    std::deque<FetchCursor> ready;
    std::multimap<Clock::time_point, FetchCursor> resting;  // by the end of their rest
    std::size_t busy = 0;                                   // turns that are out
  };
  bool finished() const { return waiting_count_ == 0 && out_ == 0; }
  Turn take_now(std::size_t workers);
  void wake(Clock::time_point now);
  bool has_all_its_workers(const Queue& queue) const {
    return workers_per_leader_ > 0 && queue.busy >= workers_per_leader_;
  }
  std::size_t turn_size(const Queue& queue, std::size_t workers) const;
  void put(FetchCursor cursor);
  Clock::time_point earliest() const;

  // constant after construction
  const std::size_t partitions_in_flight_max_;
  const LeaderOf leader_;
  const RetryPolicy retry_;
  std::size_t workers_per_leader_ = 0;  // 0: not followed; constant once there are workers

  // guarded by mutex_
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::int32_t, Queue> queues_;  // by leader
  std::uint64_t changes_ = 0;             // counts what a waiting take() should look at
  std::size_t waiting_count_ = 0;         // ready and resting
  std::size_t takers_ = 0;                // who wait in take()
  std::size_t out_ = 0;
  std::size_t done_ = 0;
};

}  // namespace kb::engine
