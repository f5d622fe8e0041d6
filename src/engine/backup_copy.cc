#include "engine/backup_copy.h"

#include "archive/run.h"
#include "base/error.h"
#include "base/task_group.h"
#include "engine/backup_settings.h"
#include "engine/fetcher.h"
#include "engine/segment_writer.h"
#include "engine/topic_id.h"

namespace kb::engine {
namespace {

// Of the batch before the position.
std::int32_t last_epoch(const archive::CapturedPartition& p, const archive::Index& stored,
                        const archive::StreamId& stream, std::int64_t position) {
  auto it = stored.streams.find(stream);
  if (it != stored.streams.end())
    for (const auto& block : it->second)
      if (block.next_offset == position) return block.leader_epoch;
  return position == p.from ? last_epoch_behind(p) : -1;
}

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
                         .leader_epoch = cluster.leader_epoch(topic.name, p.partition),
                         .topic_id = topic_id_of(topic.topic_id),
                         .last_epoch = last_epoch(p, stored, stream, position)});
    }
  }
  return cursors;
}

void read_all(FetchShared& shared, SegmentWriter& writer) {
  TaskGroup readers(writer.context());
  for (std::size_t i = 0; i < shared.settings.threads; ++i)
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
  const auto settings = fetch_settings(request, cluster.brokers().size());
  const auto blocks = block_settings(request.spec);
  FetchScheduler scheduler(
      std::move(cursors), scheduler_limits(settings),
      [&](const archive::StreamId& stream) { return cluster.leader(stream.topic, stream.partition); },
      settings.retry);
  ByteBudget budget(request.memory_bytes_max);
  // Every worker of the run has its share.
  RateLimiter bytes_per_second(share_of(limits.bytes_per_sec, request.shard)),
      records_per_second(share_of(limits.records_per_sec, request.shard));

  SegmentWriter writer(ctx, archive.store(), shard, segment_settings(request), budget.bytes_max(), progress);
  FetchShared shared{.cluster = cluster,
                     .scheduler = scheduler,
                     .budget = budget,
                     .bytes_per_second = bytes_per_second,
                     .records_per_second = records_per_second,
                     .progress = progress,
                     .settings = settings,
                     .blocks = blocks,
                     .note = [&](archive::HistoryEvent event) { writer.note(std::move(event)); },
                     .sink = [&](const Context& c, BlockBatch batch) { writer.add(c, std::move(batch)); }};
  read_all(shared, writer);
  writer.finish();
  return resumed;
}

}  // namespace kb::engine
