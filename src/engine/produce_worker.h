// Writes a share of the target partitions: reads their sources and sends one batch per partition and request
// to the leaders, several requests at a time.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/byte_budget.h"
#include "base/rate_limiter.h"
#include "engine/partition_producer.h"
#include "engine/progress_counters.h"
#include "kafka/cluster.h"

namespace kb::engine {

struct ProduceSettings {
  std::size_t workers = 1;                          // connections per broker for producing
  std::size_t request_bytes_max = 4 * 1024 * 1024;  // a larger batch goes alone
  std::size_t requests_in_flight_max = 5;           // what idempotence allows per connection (KIP-98)
  std::size_t partitions_at_once_max = 256;         // of each worker
  std::int32_t produce_timeout_ms = 30'000;
  RetryPolicy retry;
};

struct ProduceShared {
  kafka::Cluster& cluster;
  ByteBudget& budget;
  RateLimiter& bytes_per_second;
  RateLimiter& records_per_second;
  ProgressCounters& progress;
  const ProduceSettings& settings;
};

// Owned by one thread.
class ProduceWorker {
 public:
  using Producers = std::deque<std::unique_ptr<PartitionProducer>>;
  ProduceWorker(ProduceShared& shared, Producers producers)
      : shared_(shared), waiting_(std::move(producers)) {}
  void run(const Context& ctx);

 private:
  // A request on its way, as the partitions that have a batch in it.
  using Request = std::vector<PartitionProducer*>;
  struct Broker {
    std::optional<kafka::Connection> connection;
    std::deque<Request> in_flight;
    Clock::time_point oldest_sent{};
  };

  void activate();
  // Takes more partitions on when what is on its way would not fill a connection across a round trip; once
  // between two answers. False when there is no need, or none are left.
  bool take_on_more();
  void retire();
  bool fill(const Context& ctx, bool may_wait);
  bool send_all(const Context& ctx);
  void send(const Context& ctx, std::int32_t node_id, const std::vector<PartitionProducer*>& partitions);
  bool receive(const Context& ctx);
  void take_answer(const Context& ctx, std::int32_t node_id, const kafka::ProduceResponse& answer);
  void failed(PartitionProducer& producer, const Error& error);
  void broker_failed(const Context& ctx, std::int32_t node_id, const Error& error);
  void rest(const Context& ctx);
  bool anything_in_flight() const;

  ProduceShared& shared_;
  Producers waiting_, active_;
  std::size_t active_max_ = 4;  // grows as long as that helps
  bool took_on_more_ = false;   // since the last answer
  std::map<std::int32_t, Broker> brokers_;
  std::set<std::string> stale_topics_;  // whose leaders have to be looked up again
};

}  // namespace kb::engine
