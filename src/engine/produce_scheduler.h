// Which partitions of a restore are written next, to which broker, by whom. Knows nothing of connections.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/context.h"
#include "engine/partition_producer.h"

namespace kb::engine {

// A worker writes to one broker at a time, and so many at most write to one: so a broker in trouble keeps
// only its own partitions, and the workers that serve it, waiting. Thread-safe.
class ProduceScheduler {
 public:
  using Producers = std::deque<std::unique_ptr<PartitionProducer>>;
  // The broker that leads a partition, -1 when it is not known; called under a lock.
  using LeaderOf = std::function<std::int32_t(const kafka::TopicPartition&)>;
  struct Limits {
    std::size_t workers_per_broker = 1;
    std::size_t partitions_at_once_max = 8;  // of all workers
  };
  ProduceScheduler(Producers producers, const Limits& limits, LeaderOf leader);

  // Waits for a broker that leads partitions which wait, and counts the caller among its workers: one with
  // partitions that hold memory before all others, then the one with the fewest workers. -1 stands for "no
  // leader is known". Nothing when everything is written.
  std::optional<std::int32_t> begin(const Context& ctx);
  // The caller has left the broker.
  void end(std::int32_t node_id);
  // More of what waits for the broker, so that the caller works on its share of what is allowed at once.
  // `active` is what it has, `most` what it wants. Never waits; empty when nothing is to be had.
  Producers take(std::int32_t node_id, std::size_t active, std::size_t most = 1'000'000);
  // Whether the broker has partitions that wait and may be worked on.
  bool has_more(std::int32_t node_id) const;
  // Whether partitions that hold memory wait, for this broker or for any that is known; take() hands them out
  // first.
  bool holders_wait(std::int32_t node_id) const;
  bool holders_wait() const;
  // What was taken for the broker waits again, under whoever leads it now.
  void give_back(std::int32_t node_id, std::unique_ptr<PartitionProducer> producer);
  // So many of what was taken for the broker are written.
  void done(std::int32_t node_id, std::size_t count);
  // Looks the leaders of all that wait up again.
  void leaders_changed();

 private:
  struct Broker {
    Producers waiting;
    std::size_t workers = 0;
    std::size_t out = 0;  // partitions that workers have
    bool holders_wait() const { return !waiting.empty() && waiting.front()->holds_any(); }
  };
  std::size_t share_of_broker() const;
  std::size_t room(const Broker& broker) const;
  std::map<std::int32_t, Broker>::iterator least_served();
  void put(std::unique_ptr<PartitionProducer> producer);
  void changed();

  // constant after construction
  const Limits limits_;
  const LeaderOf leader_;

  // guarded by mutex_
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::int32_t, Broker> brokers_;
  std::uint64_t changes_ = 0;  // counts what a waiting begin() should look at
  std::size_t waiting_ = 0, out_ = 0;
};

}  // namespace kb::engine
