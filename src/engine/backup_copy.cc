#include "engine/backup_copy.h"

#include <algorithm>
#include <chrono>

#include "archive/run.h"
#include "base/error.h"
#include "base/task_group.h"
#include "engine/fetcher.h"
#include "engine/segment_writer.h"

namespace kb::engine {
namespace {

// Where each partition of the shard is to be read on from, behind what the checkpoints hold.
std::vector<FetchCursor> open_cursors(const archive::Plan& plan, int shard, const archive::Index& stored,
                                      const kafka::Cluster& cluster, ProgressCounters& progress) {
  std::vector<FetchCursor> cursors;
  for (const auto& topic : plan.capture.topics) {
    for (const auto& p : topic.partitions) {
      if (p.shard != shard) continue;
      progress.partitions_total += 1;
      progress.records_total += static_cast<std::uint64_t>(p.end - p.from);
      archive::StreamId stream{topic.name, p.partition, p.lineage};
      auto it = stored.streams.find(stream);
      auto position =
          it == stored.streams.end() ? p.from : archive::first_uncovered(it->second, {p.from, p.end});
      progress.records_done += static_cast<std::uint64_t>(position - p.from);
      if (position >= p.end) {
        progress.partitions_done += 1;
        continue;
      }
      cursors.push_back({.stream = stream,
                         .segment_class = topic.compacted ? SegmentClass::compacted : SegmentClass::deleted,
                         .position = position,
                         .end = p.end,
                         .leader_epoch = cluster.leader_epoch(topic.name, p.partition)});
    }
  }
  return cursors;
}

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

FetchSettings fetch_settings(const BackupRequest& request, std::uint64_t bytes_per_second) {
  FetchSettings settings;
  auto connections = request.spec.kafka_cluster.connection.value_or(api::Connection{}).connections_per_broker;
  settings.workers = std::clamp<std::size_t>(connections - 1, 1, 8);  // one is left for control
  settings.answer_bytes_max = std::min<std::size_t>(2 * 1024 * 1024, request.memory_bytes_max / 8);
  // A limited run asks for a quarter of a second's worth at a time, so that the limit holds smoothly.
  if (bytes_per_second > 0)
    settings.answer_bytes_max = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(bytes_per_second / 4, 64 * 1024, settings.answer_bytes_max));
  return settings;
}

void read_all(FetchShared& shared, SegmentWriter& writer) {
  TaskGroup readers(writer.context());
  for (std::size_t i = 0; i < shared.settings.workers; ++i)
    readers.spawn([&shared](const Context& ctx) { Fetcher(shared).run(ctx); });
  try {
    readers.wait();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) writer.rethrow_failure();  // what stopped the readers
    throw;
  }
}

}  // namespace

bool copy_shard(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                const archive::Plan& plan, const BackupRequest& request, ProgressCounters& progress) {
  const auto index = request.shard.index;
  auto shard = archive::ShardWriter::claim(ctx, archive, plan.capture.backup_id, index);
  const bool resumed = !shard.stored().streams.empty();
  auto cursors = open_cursors(plan, index, shard.stored(), cluster, progress);
  if (cursors.empty()) return resumed;
  const auto limits = api::rate_limiting_or_default(request.spec.rate_limiting);
  const auto settings = fetch_settings(request, limits.bytes_per_sec);
  const auto blocks = block_settings(request.spec);
  FetchScheduler scheduler(
      std::move(cursors), static_cast<std::size_t>(limits.max_concurrent_partitions),
      [&](const archive::StreamId& stream) { return cluster.leader(stream.topic, stream.partition); },
      settings.retry);
  ByteBudget budget(request.memory_bytes_max);
  RateLimiter bytes_per_second(limits.bytes_per_sec), records_per_second(limits.records_per_sec);

  SegmentWriter writer(ctx, archive.store(), shard, segment_settings(request), budget.bytes_max(), progress);
  FetchShared shared{.cluster = cluster,
                     .scheduler = scheduler,
                     .budget = budget,
                     .bytes_per_second = bytes_per_second,
                     .records_per_second = records_per_second,
                     .progress = progress,
                     .settings = settings,
                     .blocks = blocks,
                     .sink = [&](const Context& c, BlockBatch batch) { writer.add(c, std::move(batch)); }};
  read_all(shared, writer);
  writer.finish();
  return resumed;
}

}  // namespace kb::engine
