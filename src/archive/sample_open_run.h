// For tests: a continuous backup that follows a sample cluster through the archive's public functions, in the
// order that the engine keeps. Not thread-safe.
#pragma once
#include "archive/open_run.h"
#include "archive/sample_run.h"

namespace kb::archive::sample {

// Closes and commits what others left open; a run that stored nothing is abandoned.
inline void settle(const Context& ctx, const Archive& archive, std::int64_t now_ms) {
  for (const auto& id : archive.catalog(ctx).undecided) {
    const auto opening = opening_of(ctx, archive, id);
    if (!opening) continue;
    if (const auto plan = close_run(ctx, archive, *opening))
      commit(ctx, archive, *plan, now_ms);
    else
      archive.decide(ctx, id, {.abandoned = "nothing was stored"});
  }
}

struct Following {
  Plan opening;
  ShardWriter writer;
  Index stored;
};

// Nothing when the id is taken.
inline std::optional<Following> open_after_newest(const Context& ctx, const Archive& archive,
                                                  const Cluster& cluster, const std::string& id,
                                                  std::int64_t now_ms) {
  std::optional<Base> base;
  while (auto newest = archive.newest_set(ctx)) {
    const auto& base_id = newest->capture.backup_id;
    if (!archive.pin(ctx, id, base_id)) continue;
    base = Base{.set = *newest, .sha256 = archive.set_sha256(ctx, base_id)};
    break;
  }
  auto opening = make_plan(cluster, archive, id, base ? &*base : nullptr, 1, now_ms);
  for (auto& topic : opening.capture.topics)
    for (auto& p : topic.partitions) {
      if (p.lineage == id) p.from = p.start;
      p.end = p.from;
    }
  auto writer = open_run(ctx, archive, opening);
  if (!writer) return std::nullopt;
  return Following{.opening = std::move(opening), .writer = std::move(*writer), .stored = {}};
}

// Stores and checkpoints what is new of the logs that were opened; gives what it made durable.
inline Index follow_once(const Context& ctx, const Archive& archive, const Cluster& cluster, Following& run,
                         const WorkShape& shape) {
  std::vector<PendingBlock> blocks;
  for (const auto& topic : run.opening.capture.topics)
    for (auto p : topic.partitions)
      for (const auto& now : cluster)
        if (now.name == topic.name && now.id() == topic.topic_id) {
          p.end = std::max(p.from, now.partitions[static_cast<std::size_t>(p.partition)].end);
          collect_blocks(cluster, topic, p, run.stored, shape, blocks);
        }
  if (blocks.empty()) return {};
  auto since = store_segment(ctx, archive, run.writer, std::move(blocks));
  run.writer.checkpoint(ctx, since);
  run.stored.append(since);
  return since;
}

}  // namespace kb::archive::sample
