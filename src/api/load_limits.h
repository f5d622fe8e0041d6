// How much load a run may put on a cluster; shared by KafkaBackup and KafkaRestore.
// Source: the CRDs of kafka.oso.sh/v1alpha1.
#pragma once
#include <cstdint>
#include <optional>

#include "schema/field.h"

namespace kb::api {

struct RateLimiting {
  std::uint64_t records_per_sec = 0;
  std::uint64_t bytes_per_sec = 0;
  std::uint64_t max_concurrent_partitions = 4;

  void fields(auto& f) {
    f("recordsPerSec", records_per_sec, "Records per second of the whole run; 0 is unlimited.");
    f("bytesPerSec", bytes_per_sec,
      "Bytes per second of the whole run, as they are on the wire; 0 is unlimited.");
    f("maxConcurrentPartitions", max_concurrent_partitions, "Partitions worked on at the same time.",
      {.min = 1});
  }
};

// What applies when the block is absent: no rates. As many partitions at a time as memory allows, which the
// engine decides.
inline RateLimiting rate_limiting_or_default(const std::optional<RateLimiting>& block) {
  constexpr std::uint64_t partitions_without_block = 8;
  return block.value_or(RateLimiting{.max_concurrent_partitions = partitions_without_block});
}

struct CircuitBreaker {
  bool enabled = true;
  std::uint32_t failure_threshold = 5;
  std::uint64_t reset_timeout_secs = 60;
  std::uint32_t success_threshold = 3;
  std::uint64_t operation_timeout_ms = 30000;

  void fields(auto& f) {
    f("enabled", enabled, "Stop asking a broker that keeps failing.");
    f("failureThreshold", failure_threshold, "Failures in a row that open the breaker.");
    f("resetTimeoutSecs", reset_timeout_secs, "Seconds until an open breaker tries again.");
    f("successThreshold", success_threshold, "Successes in a row that close it.");
    f("operationTimeoutMs", operation_timeout_ms, "Milliseconds after which an operation counts as failed.");
  }
  bool operator==(const CircuitBreaker&) const = default;
};

}  // namespace kb::api
