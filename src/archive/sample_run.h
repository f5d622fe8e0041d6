// For tests: a Kafka whose every record can be told from its place, a worker that backs it up through the
// archive's public functions in the order that the engine keeps, and a reader that checks a set record by
// record. Not thread-safe.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "archive/archive.h"
#include "archive/run.h"
#include "archive/segment.h"
#include "base/checksum.h"
#include "base/error.h"

namespace kb::archive::sample {

struct LogBounds {
  std::int64_t start = 0, end = 0;
};

struct Topic {
  std::string name;
  int incarnation = 1;  // counts how often it was created
  std::vector<LogBounds> partitions;
  std::string id() const { return fmt::format("{:032x}", incarnation); }
};

using Cluster = std::vector<Topic>;

inline bool is_marker(std::int64_t offset) {
  return offset % 7 == 5;
}

// Six bytes that no other place has but by chance.
inline std::string record_at(std::string_view topic_id, std::int32_t partition, std::int64_t offset) {
  auto mix =
      std::hash<std::string_view>()(topic_id) + static_cast<std::uint64_t>(partition) * 0x9e3779b97f4a7c15;
  mix += static_cast<std::uint64_t>(offset);
  for (int round = 0; round < 2; ++round) mix = (mix ^ (mix >> 31)) * 0xbf58476d1ce4e5b9;
  std::string bytes(6, 0);
  for (auto& c : bytes) c = static_cast<char>(std::exchange(mix, mix >> 8));
  return bytes;
}

inline PendingBlock make_block(const StreamId& stream, const std::string& topic_id, std::int64_t first,
                               std::int64_t next) {
  PendingBlock pending{.stream = stream, .block = {.first_offset = first, .next_offset = next}};
  auto bytes = std::make_shared<std::string>();
  auto& block = pending.block;
  for (auto offset = first; offset < next; ++offset) {
    if (is_marker(offset)) {
      ++block.holes.control;
      continue;
    }
    *bytes += record_at(topic_id, stream.partition, offset);
    ++block.records;
    if (block.base_timestamp_min < 0) block.base_timestamp_min = 1000 + offset;
    block.max_timestamp = 1000 + offset;
  }
  block.leader_epoch = static_cast<std::int32_t>(first / 50);
  block.raw_bytes = block.stored_bytes = static_cast<std::uint32_t>(bytes->size());
  if (!bytes->empty()) pending.parts.push_back(*bytes);
  pending.owners.push_back(std::move(bytes));
  return pending;
}

inline PendingBlock lost_block(const StreamId& stream, std::int64_t first, std::int64_t next) {
  auto lost = static_cast<std::uint64_t>(next - first);
  return {.stream = stream, .block = {.first_offset = first, .next_offset = next, .holes = {.lost = lost}}};
}

// --- planning

struct Base {
  Set set;
  std::string sha256;
};

inline CapturedPartition plan_partition(const Topic& topic, std::int32_t partition, const Base* base,
                                        const std::string& backup_id, int shards) {
  const auto& log = topic.partitions[static_cast<std::size_t>(partition)];
  CapturedPartition p{.partition = partition,
                      .lineage = backup_id,
                      .start = log.start,
                      .end = log.end,
                      .from = log.start,
                      .shard = partition % shards};
  if (!base) return p;
  for (const auto& before : base->set.capture.topics) {
    if (before.name != topic.name || before.topic_id != topic.id()) continue;
    for (const auto& q : before.partitions) {
      if (q.partition != partition) continue;
      p.lineage = q.lineage;
      p.from = std::max(log.start, q.end);
      p.leader_epoch = q.leader_epoch;
      p.lineage_bytes = q.lineage_bytes;
    }
  }
  return p;
}

inline Plan make_plan(const Cluster& cluster, const Archive& archive, const std::string& backup_id,
                      const Base* base, int shards, std::int64_t now_ms) {
  Plan plan{.capture = {.backup_id = backup_id,
                        .archive_id = archive.header().archive_id,
                        .kafka_cluster_id = "sample-cluster",
                        .captured_at_ms = now_ms},
            .shards = shards,
            .spec_sha256 = sha256_hex("sample")};
  if (base) {
    plan.capture.base = base->set.capture.backup_id;
    plan.capture.base_sha256 = base->sha256;
  }
  for (const auto& topic : cluster) {
    auto& captured = plan.capture.topics.emplace_back();
    captured.name = topic.name;
    captured.topic_id = topic.id();
    captured.replication_factor = 1;
    for (std::size_t i = 0; i < topic.partitions.size(); ++i)
      captured.partitions.push_back(
          plan_partition(topic, static_cast<std::int32_t>(i), base, backup_id, shards));
  }
  return plan;
}

// The base is pinned before the plan that names it can be seen.
inline Plan plan_once(const Context& ctx, const Archive& archive, const Cluster& cluster,
                      const std::string& backup_id, int shards, std::int64_t now_ms) {
  if (auto plan = archive.plan(ctx, backup_id)) return *plan;
  std::optional<Base> base;
  while (auto newest = archive.newest_set(ctx)) {
    const auto& id = newest->capture.backup_id;
    if (!archive.pin(ctx, backup_id, id)) continue;
    base = Base{.set = *newest, .sha256 = archive.set_sha256(ctx, id)};
    break;
  }
  return archive.put_plan(ctx,
                          make_plan(cluster, archive, backup_id, base ? &*base : nullptr, shards, now_ms));
}

// --- working

struct WorkShape {
  std::int64_t offsets_per_block = 4;
  std::size_t blocks_per_segment = 2;
  std::size_t segments_per_checkpoint = 2;
};

inline std::int64_t log_start_now(const Cluster& cluster, const std::string& name,
                                  const std::string& topic_id, std::int32_t partition) {
  for (const auto& topic : cluster)
    if (topic.name == name && topic.id() == topic_id)
      return topic.partitions[static_cast<std::size_t>(partition)].start;
  return 0;
}

// What is still to be stored of one partition.
inline void collect_blocks(const Cluster& cluster, const CapturedTopic& topic, const CapturedPartition& p,
                           const Index& stored, const WorkShape& shape, std::vector<PendingBlock>& blocks) {
  StreamId stream{topic.name, p.partition, p.lineage};
  auto it = stored.streams.find(stream);
  auto at = it == stored.streams.end() ? p.from : first_uncovered(it->second, {p.from, p.end});
  auto readable = std::min(log_start_now(cluster, topic.name, topic.topic_id, p.partition), p.end);
  if (at < readable) {
    blocks.push_back(lost_block(stream, at, readable));
    at = readable;
  }
  for (; at < p.end; at = std::min(at + shape.offsets_per_block, p.end))
    blocks.push_back(make_block(stream, topic.topic_id, at, std::min(at + shape.offsets_per_block, p.end)));
}

inline Index store_segment(const Context& ctx, const Archive& archive, ShardWriter& writer,
                           std::vector<PendingBlock> blocks) {
  auto segment = seal_segment(writer.next_segment_key(), std::move(blocks));
  auto index = std::move(segment->index);
  bool has_bytes = segment->parts.size() > 2;  // more than head and tail
  if (!has_bytes)
    index.objects.clear();  // holes only: they are in the checkpoint
  else if (!archive.store().put_if_absent(ctx, segment->key, segment->parts))
    fail(ErrorKind::conflict, "object {} exists already", segment->key);
  return index;
}

// Claims a shard, stores what is missing of it and checkpoints it.
inline void copy_shard(const Context& ctx, const Archive& archive, const Cluster& cluster, const Plan& plan,
                       int shard, const WorkShape& shape = {}) {
  auto writer = ShardWriter::claim(ctx, archive, plan.capture.backup_id, shard);
  std::vector<PendingBlock> blocks;
  for (const auto& topic : plan.capture.topics)
    for (const auto& p : topic.partitions)
      if (p.shard == shard) collect_blocks(cluster, topic, p, writer.stored(), shape, blocks);
  Index since;
  std::size_t segments = 0;
  for (std::size_t i = 0; i < blocks.size(); i += shape.blocks_per_segment) {
    auto last = std::min(i + shape.blocks_per_segment, blocks.size());
    std::vector<PendingBlock> some(
        std::make_move_iterator(blocks.begin() + static_cast<std::ptrdiff_t>(i)),
        std::make_move_iterator(blocks.begin() + static_cast<std::ptrdiff_t>(last)));
    since.append(store_segment(ctx, archive, writer, std::move(some)));
    if (++segments % shape.segments_per_checkpoint == 0) writer.checkpoint(ctx, std::exchange(since, {}));
  }
  if (since.block_count() > 0) writer.checkpoint(ctx, since);
}

struct RunRequest {
  std::string backup_id;
  int shards = 1;
  std::int64_t now_ms = 0;
  WorkShape shape;
};

// A whole run by one worker.
inline Decision back_up(const Context& ctx, const Archive& archive, const Cluster& cluster,
                        const RunRequest& request) {
  if (auto decision = archive.decision(ctx, request.backup_id)) return *decision;
  auto plan = plan_once(ctx, archive, cluster, request.backup_id, request.shards, request.now_ms);
  for (int shard = 0; shard < plan.shards; ++shard)
    copy_shard(ctx, archive, cluster, plan, shard, request.shape);
  return commit(ctx, archive, plan, request.now_ms);
}

// --- checking

inline void check_block(const std::string& topic_id, const StreamId& stream, const Block& block,
                        std::string_view object) {
  auto expected = make_block(stream, topic_id, block.first_offset, block.next_offset);
  if (object.substr(block.position, block.stored_bytes) !=
      (expected.parts.empty() ? std::string_view() : expected.parts[0]))
    fail(ErrorKind::corrupt, "{}: other bytes", describe(stream, block));
  auto same = block;
  same.object = expected.block.object;
  same.position = same.crc = 0;
  if (same != expected.block) fail(ErrorKind::corrupt, "{}: other figures", describe(stream, block));
}

// Checks that a set holds each record of its bounds; gives how many there are. Throws corrupt.
inline std::uint64_t check_set(const Context& ctx, const Archive& archive, const Set& set) {
  auto index = archive.load_index(ctx, set);
  std::vector<std::string> objects;
  for (const auto& entry : index.objects) {
    auto bytes = archive.store().get(ctx, entry.key);
    if (!bytes) fail(ErrorKind::corrupt, "object {} is missing", entry.key);
    if (bytes->size() != entry.bytes || crc32c(*bytes) != entry.crc)
      fail(ErrorKind::corrupt, "object {} is another one", entry.key);
    open_segment(entry.key, *bytes);
    objects.push_back(std::move(*bytes));
  }
  std::uint64_t records = 0;
  for (const auto& topic : set.capture.topics) {
    for (const auto& p : topic.partitions) {
      StreamId stream{topic.name, p.partition, p.lineage};
      const auto& blocks = index.streams[stream];
      auto covered = first_uncovered(blocks, {p.start, p.end});
      if (covered != p.end)
        fail(ErrorKind::corrupt, "{}/{} is not covered from {}", topic.name, p.partition, covered);
      for (const auto& block : blocks) {
        records += block.records;
        if (block.holes.lost == 0)
          check_block(topic.topic_id, stream, block,
                      block.object == Block::no_object ? std::string_view() : objects[block.object]);
      }
    }
  }
  return records;
}

}  // namespace kb::archive::sample
