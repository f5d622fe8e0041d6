// Writes target partitions: reads their sources and sends one batch per partition and request to the broker
// that leads them, several requests at a time.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/byte_budget.h"
#include "base/circuit_breaker.h"
#include "base/rate_limiter.h"
#include "engine/partition_producer.h"
#include "engine/produce_scheduler.h"
#include "engine/progress_counters.h"
#include "kafka/cluster.h"
#include "kafka/log_ends.h"

namespace kb::engine {

struct ProduceSettings {
  std::size_t workers = 1;                          // connections per broker for producing
  std::size_t request_bytes_max = 4 * 1024 * 1024;  // a larger batch goes alone
  std::size_t requests_in_flight_max = 5;           // what idempotence allows per connection (KIP-98)
  std::size_t partitions_at_once_max = 512;         // of all workers
  std::int32_t produce_timeout_ms = 30'000;
  RetryPolicy retry;
};

// Where the partitions that are written end. Thread-safe.
class WrittenEnds {
 public:
  void add(const kafka::TopicPartition& partition, std::int64_t end_offset) {
    std::lock_guard lock(mutex_);
    ends_[partition] = end_offset;
  }
  std::map<kafka::TopicPartition, std::int64_t> all() const {
    std::lock_guard lock(mutex_);
    return ends_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<kafka::TopicPartition, std::int64_t> ends_;
};

// The ids of the topics as they were when they were first written to. Thread-safe.
class WrittenTopics {
 public:
  // Throws TargetLogDiffers when the topic has another one now. Zeros stand for one that is not known.
  kafka::Uuid same_id(const std::string& topic, const kafka::Uuid& now);

 private:
  std::mutex mutex_;
  std::map<std::string, kafka::Uuid> ids_;  // guarded by mutex_
};

struct ProduceShared {
  kafka::Cluster& cluster;
  ProduceScheduler& scheduler;
  WrittenEnds& ends;
  WrittenTopics& topics;
  ByteBudget& budget;
  RateLimiter& bytes_per_second;
  RateLimiter& records_per_second;
  ProgressCounters& progress;
  const ProduceSettings& settings;
};

// Serves one broker after the other, as the scheduler says, until everything is written. Owned by one thread.
class ProduceWorker {
 public:
  explicit ProduceWorker(ProduceShared& shared) : shared_(shared) {}
  void run(const Context& ctx);

 private:
  // The partitions that have a batch in a request; null for one that failed meanwhile.
  using Partitions = std::vector<PartitionProducer*>;
  // A request on its way.
  struct Request {
    Partitions partitions;
    CircuitBreakers::Permit permit;
  };

  void serve(const Context& ctx);
  void wait_for_leaders(const Context& ctx);
  // Takes more partitions on when what is on its way would not fill a connection across a round trip; once
  // between two answers. False when there is no need, or none are left.
  bool take_on_more();
  bool retire();
  void let_go_of_moved();
  // Partitions that hold no memory make place for those that do.
  void let_go_of_empty();
  template <class Stays>
  void let_go_unless(Stays stays);
  void give_back(std::unique_ptr<PartitionProducer> producer);
  void activate();
  bool leads(const PartitionProducer& producer) const;
  void look_up_leaders(const Context& ctx);
  bool send(const Context& ctx);
  kafka::Uuid id_of(const std::string& topic);
  Partitions next_request(kafka::ProduceRequest& request);
  void use_connection(const Context& ctx);
  // Takes the next step to settle what is in doubt: waits for an answer, or asks where the logs end. False
  // when nothing is, or all that is rests.
  bool settle_doubts(const Context& ctx);
  std::map<kafka::TopicPartition, kafka::LogEnd> ask_log_ends(
      const Context& ctx, const std::map<kafka::TopicPartition, std::int32_t>& leader_epochs);
  void take_log_end(const Context& ctx, PartitionProducer& producer, const kafka::LogEnd& end);
  void acknowledged(PartitionProducer& producer, const PartitionProducer::Answer& answer);
  bool receive(const Context& ctx);
  void take_answer(const kafka::ProduceResponse& answer);
  void retry_later(PartitionProducer& producer, const kafka::ProduceResponse::Partition& answer,
                   const std::vector<kafka::NodeEndpoint>& endpoints);
  void failed(PartitionProducer& producer, const Error& error);
  void broker_failed(const Error& error);
  void leave_alone_for_now();

  ProduceShared& shared_;
  std::int32_t node_id_ = -1;  // of the broker that is served; -1: of those without a leader
  ProduceScheduler::Producers active_;
  std::size_t active_max_ = 4;  // grows as long as that helps
  bool took_on_more_ = false;   // since the last answer
  std::optional<kafka::Connection> connection_;
  std::deque<Request> in_flight_;
  bool broker_fails_ = false;           // since its last answer
  std::set<std::string> stale_topics_;  // whose leaders have to be looked up again
};

}  // namespace kb::engine
