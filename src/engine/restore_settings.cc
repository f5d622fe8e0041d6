#include "engine/restore_settings.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "engine/breaker_settings.h"

namespace kb::engine {
namespace {

std::size_t max_message_bytes(const kafka::TopicConfig& config) {
  std::size_t bytes = kafka::RebatchSettings{}.max_message_bytes;
  if (auto it = config.effective.find("max.message.bytes"); it != config.effective.end())
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), bytes);
  return bytes;
}

}  // namespace

ProduceSettings produce_settings(const api::KafkaRestoreSpec& spec) {
  constexpr auto any_number = std::numeric_limits<std::uint64_t>::max();
  const auto partitions = spec.rate_limiting ? spec.rate_limiting->max_concurrent_partitions : any_number;
  const auto connections = spec.kafka_cluster.connection.value_or(api::Connection{}).connections_per_broker;
  const auto workers = std::clamp<std::size_t>(std::min<std::size_t>(connections - 1, partitions), 1, 2);
  const auto at_once = std::min<std::size_t>(partitions, ProduceSettings{}.partitions_at_once_max);
  return {.workers = workers,
          .partitions_at_once_max = at_once,
          .produce_timeout_ms = spec.produce_timeout_ms,
          .retry = retry_policy(spec.circuit_breaker)};
}

kafka::RebatchSettings rebatch_settings(const api::KafkaRestoreSpec& spec, const kafka::TopicConfig& target) {
  kafka::RebatchSettings settings{.max_message_bytes = max_message_bytes(target)};
  settings.merged_bytes_max = std::min(settings.merged_bytes_max, settings.max_message_bytes);
  settings.merged_records_max = spec.produce_batch_size;
  return settings;
}

}  // namespace kb::engine
