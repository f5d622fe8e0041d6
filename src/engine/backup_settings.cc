#include "engine/backup_settings.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/breaker_settings.h"

namespace kb::engine {
namespace {

constexpr std::uint64_t segment_bytes_limit = 64 * 1024 * 1024;

std::size_t connections_for_data(const BackupRequest& request) {
  auto connections = request.spec.kafka_cluster.connection.value_or(api::Connection{}).connections_per_broker;
  return std::clamp<std::size_t>(connections - 1, 1, 8);  // one is left for control
}

// Enough for every broker, so that none waits for another one, and one more for what has no leader or comes
// to lead later. With very many brokers the workers go from one to the other.
std::size_t threads_for(std::size_t workers_per_broker, std::size_t brokers) {
  constexpr std::size_t threads_max = 48;
  return std::min(workers_per_broker * std::max<std::size_t>(brokers, 1) + 1, threads_max);
}

}  // namespace

BlockSettings block_settings(const api::KafkaBackupSpec& spec) {
  BlockSettings settings{.level = spec.compression_level,
                         .recompress = spec.recompress == api::Recompress::always};
  switch (spec.compression) {
    case api::Compression::none:
      settings.encoding = archive::BlockEncoding::as_is;
      break;
    case api::Compression::lz4:
      settings.encoding = archive::BlockEncoding::lz4;
      break;
    case api::Compression::zstd:
      settings.encoding = archive::BlockEncoding::zstd;
      break;
  }
  return settings;
}

// Four segments may be in memory, one that fills, one that waits and two on their way to the store: together
// they leave the fetches what these may have on theirs.
SegmentSettings segment_settings(const BackupRequest& request) {
  SegmentSettings settings;
  settings.segment_bytes_max = static_cast<std::size_t>(std::min(
      {request.spec.segment_max_bytes, segment_bytes_limit, std::uint64_t{request.memory_bytes_max / 8}}));
  settings.segment_interval_max = std::chrono::milliseconds(request.spec.segment_max_interval_ms);
  auto checkpoint = request.spec.checkpoint.value_or(api::Checkpoint{});
  settings.checkpoints = checkpoint.enabled;
  settings.checkpoint_interval = std::chrono::seconds(checkpoint.interval_secs);
  return settings;
}

FetchSettings fetch_settings(const BackupRequest& request, std::size_t brokers) {
  FetchSettings settings;
  settings.workers = connections_for_data(request);
  settings.threads = threads_for(settings.workers, brokers);
  settings.client_rack = request.spec.kafka_cluster.client_rack.value_or("");
  const auto limits = api::rate_limiting_or_default(request.spec.rate_limiting);
  // Without the block nothing but memory limits how many.
  if (request.spec.rate_limiting)
    settings.partitions_at_once_max = static_cast<std::size_t>(limits.max_concurrent_partitions);
  constexpr std::size_t mebibyte = 1024 * 1024;
  const auto memory = request.memory_bytes_max;
  settings.in_flight_bytes_max = std::min(96 * mebibyte, memory * 3 / 8);
  settings.answer_bytes_min =
      std::min({4 * mebibyte, memory / 32, settings.in_flight_bytes_max / settings.threads});
  settings.answer_bytes_max = std::min(16 * mebibyte, memory / 8);
  // A limited run asks every broker for its share of a quarter of a second, so that the limit holds smoothly.
  if (limits.bytes_per_sec > 0)
    settings.answer_bytes_min = settings.answer_bytes_max =
        static_cast<std::size_t>(std::clamp<std::uint64_t>(
            share_of(limits.bytes_per_sec, request.shard) / (4 * std::max<std::size_t>(brokers, 1)),
            std::min<std::size_t>(64 * 1024, settings.answer_bytes_min), settings.answer_bytes_min));
  // What is asked for ahead would come before the limit is felt.
  if (limits.bytes_per_sec > 0 || limits.records_per_sec > 0) {
    settings.fetches_in_flight_max = 1;
    settings.answer_bytes_min = settings.answer_bytes_max = std::min(2 * mebibyte, settings.answer_bytes_min);
  }
  const auto& breaker = request.spec.circuit_breaker;
  settings.retry = retry_policy(breaker);
  settings.stall_max += reset_timeout(breaker);
  settings.answer_wait = answer_wait(settings.answer_wait, breaker);
  return settings;
}

SegmentSettings follow_segment_settings(const BackupRequest& request) {
  auto settings = segment_settings(request);
  settings.segment_bytes_max = static_cast<std::size_t>(std::min(
      {request.spec.segment_max_bytes, segment_bytes_limit, std::uint64_t{request.memory_bytes_max / 2}}));
  settings.prompt_write_interval = std::chrono::milliseconds(550);
  settings.checkpoints = true;
  settings.checkpoint_interval = std::chrono::seconds(1);
  return settings;
}

FetchSettings follow_fetch_settings(const BackupRequest& request, std::size_t brokers) {
  constexpr std::size_t answer_bytes_least = 256 * 1024, answer_bytes_most = 2 * 1024 * 1024;
  constexpr std::uint64_t poll_interval_ms_max = 60'000;
  auto settings = fetch_settings(request, brokers);
  settings.follows = true;
  settings.workers = std::min<std::size_t>(settings.workers, 2);
  settings.threads = threads_for(settings.workers, brokers);
  settings.partitions_at_once_max = std::numeric_limits<std::size_t>::max();
  // A request that waits for news holds the memory for its answer.
  const auto share = request.memory_bytes_max / (4 * settings.threads);
  settings.answer_bytes_max =
      std::min({settings.answer_bytes_max, std::max(share, answer_bytes_least), answer_bytes_most});
  settings.answer_bytes_min = std::min(settings.answer_bytes_min, settings.answer_bytes_max);
  settings.in_flight_bytes_max = request.memory_bytes_max / 4;
  settings.fetches_in_flight_max = 1;  // behind a request that waits for news the next one would wait as well
  settings.answer_wait = answer_wait(std::chrono::seconds(1), request.spec.circuit_breaker);
  settings.rest_after_little =
      std::chrono::milliseconds(std::min(request.spec.poll_interval_ms, poll_interval_ms_max));
  return settings;
}

}  // namespace kb::engine
