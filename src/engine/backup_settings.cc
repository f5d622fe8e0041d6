#include "engine/backup_settings.h"

#include <algorithm>
#include <chrono>

namespace kb::engine {

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

SegmentSettings segment_settings(const BackupRequest& request) {
  constexpr std::uint64_t segment_bytes_limit = 64 * 1024 * 1024;
  SegmentSettings settings;
  settings.segment_bytes_max = static_cast<std::size_t>(std::min(
      {request.spec.segment_max_bytes, segment_bytes_limit, std::uint64_t{request.memory_bytes_max / 4}}));
  settings.segment_interval_max = std::chrono::milliseconds(request.spec.segment_max_interval_ms);
  auto checkpoint = request.spec.checkpoint.value_or(api::Checkpoint{});
  settings.checkpoints = checkpoint.enabled;
  settings.checkpoint_interval = std::chrono::seconds(checkpoint.interval_secs);
  return settings;
}

FetchSettings fetch_settings(const BackupRequest& request) {
  FetchSettings settings;
  auto connections = request.spec.kafka_cluster.connection.value_or(api::Connection{}).connections_per_broker;
  settings.workers = std::clamp<std::size_t>(connections - 1, 1, 8);  // one is left for control
  const auto limits = api::rate_limiting_or_default(request.spec.rate_limiting);
  // Without the block nothing but memory limits how many.
  if (request.spec.rate_limiting)
    settings.partitions_at_once_max = static_cast<std::size_t>(limits.max_concurrent_partitions);
  constexpr std::size_t mebibyte = 1024 * 1024;
  const auto memory = request.memory_bytes_max;
  settings.answer_bytes_min = std::min(4 * mebibyte, memory / 32);
  settings.answer_bytes_max = std::min(16 * mebibyte, memory / 8);
  settings.in_flight_bytes_max = std::min(48 * mebibyte, memory * 3 / 8);
  // A limited run asks for a quarter of a second's worth at a time, so that the limit holds smoothly.
  if (limits.bytes_per_sec > 0)
    settings.answer_bytes_min = settings.answer_bytes_max = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(limits.bytes_per_sec / 4, 64 * 1024, settings.answer_bytes_min));
  return settings;
}

}  // namespace kb::engine
