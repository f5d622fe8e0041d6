#include "engine/follow_pipeline.h"

#include <limits>

#include "base/error.h"
#include "engine/backup_settings.h"
#include "engine/block_merge.h"
#include "engine/topic_id.h"

namespace kb::engine {
namespace {

std::vector<FetchCursor> open_cursors(const archive::Plan& opening, const kafka::Cluster& cluster,
                                      ProgressCounters& progress) {
  std::vector<FetchCursor> cursors;
  for (const auto& topic : opening.capture.topics)
    for (const auto& p : topic.partitions)
      cursors.push_back({.stream = {topic.name, p.partition, p.lineage},
                         .segment_class = topic.compacted ? SegmentClass::compacted : SegmentClass::deleted,
                         .position = p.from,
                         .end = std::numeric_limits<std::int64_t>::max(),
                         .leader_epoch = cluster.leader_epoch(topic.name, p.partition),
                         .topic_id = topic_id_of(topic.topic_id),
                         .last_epoch = last_epoch_behind(p)});
  progress.partitions_total = cursors.size();
  progress.lags.clear();
  return cursors;
}

SegmentSettings sealing(const BackupRequest& request) {
  auto settings = follow_segment_settings(request);
  settings.before_seal = [blocks = block_settings(request.spec)](auto& pending) {
    merge_blocks(pending, blocks);
  };
  return settings;
}

// Compressed when they are merged.
BlockSettings as_they_are(BlockSettings settings) {
  settings.encoding = archive::BlockEncoding::as_is;
  return settings;
}

}  // namespace

FollowPipeline::FollowPipeline(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                               const archive::Plan& opening, archive::ShardWriter& shard,
                               const BackupRequest& request, Limits& limits, ProgressCounters& progress)
    : on_stop_(ctx.stop, [this] { reading_.request_stop(); }),
      settings_(follow_fetch_settings(request, cluster.brokers().size())),
      blocks_(as_they_are(block_settings(request.spec))),
      scheduler_(
          open_cursors(opening, cluster, progress), scheduler_limits(settings_),
          [&cluster](const archive::StreamId& s) { return cluster.leader(s.topic, s.partition); },
          settings_.retry),
      budget_(request.memory_bytes_max),
      writer_({}, archive.store(), shard, sealing(request), budget_.bytes_max(), progress),
      on_writer_failure_(writer_.context().stop, [this] { reading_.request_stop(); }),
      shared_{.cluster = cluster,
              .scheduler = scheduler_,
              .budget = budget_,
              .bytes_per_second = limits.bytes_per_second,
              .records_per_second = limits.records_per_second,
              .progress = progress,
              .settings = settings_,
              .blocks = blocks_,
              .note = [this](archive::HistoryEvent event) { writer_.note(std::move(event)); },
              .lags = &progress.lags,
              // Told to stop, a reader still hands on what it has taken apart.
              .sink = [this](const Context&,
                             BlockBatch batch) { writer_.add(writer_.context(), std::move(batch)); }},
      readers_({.stop = reading_.get_token()}) {
  for (std::size_t i = 0; i < settings_.threads; ++i)
    readers_.spawn([this](const Context& c) { Fetcher(shared_).run(c); });
}

bool FollowPipeline::wait_until(Clock::time_point time) const {
  const auto ctx = readers_.context();
  if (ctx.stop.stop_requested()) return false;
  try {
    ctx.sleep_for(std::max<Duration>(time - Clock::now(), Duration(0)));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::cancelled) throw;
    return false;
  }
  return true;
}

std::optional<Error> FollowPipeline::stop_reading() {
  reading_.request_stop();
  try {
    readers_.wait();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::cancelled) return error;
  }
  return std::nullopt;
}

}  // namespace kb::engine
