// How spec.circuitBreaker acts on a run: on its requests, on their time limits, and on its patience. Absent,
// or not enabled, there is none.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/load_limits.h"
#include "base/circuit_breaker.h"
#include "kafka/cluster.h"
#include "storage/open.h"

namespace kb::engine {

using BreakerBlock = std::optional<api::CircuitBreaker>;

// Enables the breakers of a run, before anything is asked.
void enable(CircuitBreakers& breakers, const BreakerBlock& block);
// Puts them around the requests to brokers.
void guard(kafka::ClusterSettings& settings, const BreakerBlock& block,
           std::shared_ptr<CircuitBreakers> breakers);
// The same around the storage.
std::optional<storage::Guard> store_guard(const BreakerBlock& block,
                                          std::shared_ptr<CircuitBreakers> breakers);
// How long a run tries again.
RetryPolicy retry_policy(const BreakerBlock& block);
// What is added to a limit on how long nothing may happen.
Duration reset_timeout(const BreakerBlock& block);
// At most this long may a broker keep a request that waits for data.
Duration answer_wait(Duration wanted, const BreakerBlock& block);
Duration operation_timeout(const api::CircuitBreaker& block);

// A line for each peer that was left alone.
std::vector<std::string> breaker_warnings(const CircuitBreakers& breakers);

}  // namespace kb::engine
