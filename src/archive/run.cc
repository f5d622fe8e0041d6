#include "archive/run.h"

#include <algorithm>
#include <random>

#include "archive/document.h"
#include "archive/layout.h"
#include "archive/typed_document.h"
#include "base/checksum.h"
#include "base/error.h"

namespace kb::archive {
namespace {

std::string random_nonce() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

struct Checkpoint {
  Index stored;
  History happened;
};

// The JSON of a checkpoint.
struct CheckpointHead {
  std::string writer;
  std::optional<History> history;
  void fields(auto& f) {
    f("writer", writer, "Who wrote it.");
    f("history", history, "What happened to the logs since the last one.");
  }
};

std::optional<Checkpoint> read_checkpoint(const Context& ctx, const Archive& archive,
                                          const std::string& backup_id, int shard, int generation) {
  auto key = checkpoint_key(backup_id, shard, generation);
  auto bytes = archive.store().get(ctx, key);
  if (!bytes) return std::nullopt;
  try {
    auto head = parse_document<CheckpointHead>("checkpoint", key, *bytes);
    return Checkpoint{.stored = decode_index(unseal("checkpoint", key, *bytes).payload),
                      .happened = std::move(head.history).value_or(History{})};
  } catch (const Error& error) {
    throw error.while_doing("object " + key);
  }
}

// Reads generations from 1 until there is none; gives the number of the last.
int read_generations(const Context& ctx, const Archive& archive, const std::string& backup_id, int shard,
                     Checkpoint& all) {
  int generation = 0;
  while (auto checkpoint = read_checkpoint(ctx, archive, backup_id, shard, generation + 1)) {
    all.stored.append(checkpoint->stored);
    add_history(all.happened, checkpoint->happened);
    ++generation;
  }
  return generation;
}

bool put_checkpoint(const Context& ctx, const Archive& archive, const std::string& backup_id, int shard,
                    int generation, const std::string& nonce, const Index& index,
                    const History& happened = {}) {
  auto key = checkpoint_key(backup_id, shard, generation);
  CheckpointHead head{.writer = nonce};
  if (!happened.empty()) head.history = happened;
  auto bytes =
      seal("checkpoint", key, {.head = schema::write(head).get_object(), .payload = encode_index(index)});
  if (archive.store().put_if_absent(ctx, key, bytes)) return true;
  return archive.store().get(ctx, key) == bytes;  // ours after all: the answer to the first attempt was lost
}

template <class Visit>
void for_each_partition(const Capture& capture, Visit visit) {
  for (const auto& topic : capture.topics)
    for (const auto& p : topic.partitions) visit(StreamId{topic.name, p.partition, p.lineage}, p);
}

[[noreturn]] void refuse(const std::string& backup_id, const StreamId& stream, const std::string& why) {
  fail(ErrorKind::internal, "backup {} cannot be committed: {}/{} {}", backup_id, stream.topic,
       stream.partition, why);
}

std::optional<MissingOffsets> missing_from(const Capture& capture, const Index& stored) {
  std::optional<MissingOffsets> missing;
  for_each_partition(capture, [&](const StreamId& stream, const CapturedPartition& p) {
    if (missing || p.from >= p.end) return;
    auto it = stored.streams.find(stream);
    auto at = it == stored.streams.end() ? p.from : first_uncovered(it->second, {p.from, p.end});
    if (at < p.end) missing = {.stream = stream, .shard = p.shard, .offsets = {at, p.end}};
  });
  return missing;
}

// Everything that was planned is stored.
void require_complete(const Capture& capture, const Index& stored) {
  if (auto missing = missing_from(capture, stored))
    refuse(
        capture.backup_id, missing->stream,
        fmt::format("is not stored from offset {} to {}", missing->offsets.start, missing->offsets.end - 1));
}

// Nothing else is: the next run begins at `end`, and blocks of one stream must never overlap.
void require_planned(const Capture& capture, const Index& stored) {
  std::map<StreamId, Bounds> planned;
  for_each_partition(capture, [&](const StreamId& stream, const CapturedPartition& p) {
    planned[stream] = {p.from, p.end};
  });
  for (const auto& [stream, blocks] : stored.streams) {
    auto bounds = planned[stream];
    for (const auto& block : blocks)
      if (block.first_offset < bounds.start || block.next_offset > bounds.end)
        refuse(capture.backup_id, stream,
               fmt::format("has stored offsets {} to {}, planned were {} to {}", block.first_offset,
                           block.next_offset - 1, bounds.start, bounds.end - 1));
  }
}

// What this run did not read is in the base, and what it read is not.
void require_continues(const Capture& capture, const std::map<StreamId, Bounds>& base) {
  for_each_partition(capture, [&](const StreamId& stream, const CapturedPartition& p) {
    auto it = base.find(stream);
    bool is_new = p.lineage == capture.backup_id;
    if (is_new ? p.from != p.start
               : it == base.end() || p.start < it->second.start || p.end < it->second.end ||
                     p.from != std::max(p.start, it->second.end))
      refuse(capture.backup_id, stream,
             fmt::format("(offsets {} to {}, read from {}) does not continue lineage {} of base '{}'",
                         p.start, p.end, p.from, p.lineage, capture.base));
  });
}

// What only the stored blocks tell: the last leader epoch and the size of each lineage.
void settle(std::vector<CapturedTopic>& topics, const Index& stored) {
  for (auto& topic : topics) {
    for (auto& p : topic.partitions) {
      auto it = stored.streams.find({topic.name, p.partition, p.lineage});
      if (it == stored.streams.end()) continue;
      for (const auto& block : it->second) {
        p.lineage_bytes += block.raw_bytes;
        p.leader_epoch = std::max(p.leader_epoch, block.leader_epoch);
      }
    }
  }
}

// Replaces index_fan_in references of one level by one of the next, as often as needed.
void merge_levels(const Context& ctx, const Archive& archive, Set& set) {
  const auto bounds = set.bounds();
  for (int level = 0;; ++level) {
    auto of_level = [&](const IndexReference& r) { return r.level == level; };
    auto n = std::count_if(set.indexes.begin(), set.indexes.end(), of_level);
    if (n == 0 && std::none_of(set.indexes.begin(), set.indexes.end(),
                               [&](const IndexReference& r) { return r.level > level; }))
      return;
    if (n < static_cast<std::ptrdiff_t>(index_fan_in)) continue;
    Index merged;
    for (const auto& reference : set.indexes)
      if (of_level(reference)) merged.append(restrict_to(archive.load_index(ctx, reference), bounds));
    std::erase_if(set.indexes, of_level);
    if (merged.block_count() > 0)
      set.indexes.push_back(archive.put_index(ctx, set.capture.backup_id, level + 1, merged));
  }
}

Set read_base(const Context& ctx, const Archive& archive, const Capture& capture) {
  auto key = decision_key(capture.base);
  auto bytes = archive.store().get(ctx, key);
  if (!bytes)
    fail(ErrorKind::corrupt, "the set {} that backup {} builds on is gone", capture.base, capture.backup_id);
  if (sha256_hex(*bytes) != capture.base_sha256)
    fail(ErrorKind::corrupt, "object {}: SHA-256 is not the one that the plan of backup {} recorded", key,
         capture.backup_id);
  auto decision = parse_document<Decision>("decision", key, *bytes);
  if (!decision.set)
    fail(ErrorKind::corrupt, "backup {} builds on {}, which was abandoned", capture.backup_id, capture.base);
  return std::move(*decision.set);
}

Checkpoint read_all_checkpoints(const Context& ctx, const Archive& archive, const Plan& plan) {
  Checkpoint all;
  for (int shard = 0; shard < plan.shards; ++shard)
    read_generations(ctx, archive, plan.capture.backup_id, shard, all);
  return all;
}

// What the plan says, what the workers saw, and the gaps as they are stored.
void settle(std::optional<History>& history, const Checkpoint& all) {
  auto lost = lost_ranges(all.stored);
  if (!history && all.happened.empty() && lost.empty()) return;
  if (!history) history.emplace();
  add_history(*history, all.happened);
  history->insert(history->end(), lost.begin(), lost.end());
}

Set make_set(const Context& ctx, const Archive& archive, const Plan& plan, std::int64_t now_ms) {
  const auto& capture = plan.capture;
  const auto checkpoints = read_all_checkpoints(ctx, archive, plan);
  const auto& stored = checkpoints.stored;
  require_complete(capture, stored);
  require_planned(capture, stored);
  Set base;
  if (!capture.base.empty()) base = read_base(ctx, archive, capture);
  require_continues(capture, base.bounds());
  Set set{.capture = capture,
          .committed_at_ms = now_ms,
          .totals = totals_of(stored),
          .indexes = std::move(base.indexes)};
  settle(set.capture.topics, stored);
  settle(set.capture.history, checkpoints);
  if (stored.block_count() > 0) set.indexes.push_back(archive.put_index(ctx, capture.backup_id, 0, stored));
  merge_levels(ctx, archive, set);
  CHECK(set.indexes.size() <= indexes_max);
  return set;
}

}  // namespace

ShardWriter::ShardWriter(const Archive& archive, std::string backup_id, int shard)
    : archive_(archive), backup_id_(std::move(backup_id)), shard_(shard), nonce_(random_nonce()) {}

ShardWriter::ShardWriter(ShardWriter&& other) noexcept
    : archive_(other.archive_),
      backup_id_(other.backup_id_),
      shard_(other.shard_),
      nonce_(other.nonce_),
      stored_(std::move(other.stored_)),
      claimed_generation_(other.claimed_generation_),
      generation_(other.generation_),
      sequence_(other.sequence_) {}

ShardWriter ShardWriter::claim(const Context& ctx, const Archive& archive, const std::string& backup_id,
                               int shard) {
  time_of(backup_id);
  for (;;) {
    ShardWriter writer(archive, backup_id, shard);
    Checkpoint before;
    auto last = read_generations(ctx, archive, backup_id, shard, before);
    writer.stored_ = std::move(before.stored);
    writer.claimed_generation_ = writer.generation_ = last + 1;
    if (put_checkpoint(ctx, archive, backup_id, shard, last + 1, writer.nonce_, {})) return writer;
    ctx.check();  // somebody else was quicker: claim behind them
  }
}

std::string ShardWriter::next_segment_key() {
  std::lock_guard lock(mutex_);
  return segment_key(backup_id_, shard_, claimed_generation_, ++sequence_);
}

void ShardWriter::checkpoint(const Context& ctx, const Index& stored_since, const History& happened) {
  std::lock_guard lock(mutex_);
  if (!put_checkpoint(ctx, archive_, backup_id_, shard_, generation_ + 1, nonce_, stored_since, happened))
    throw Error(ErrorKind::conflict,
                fmt::format("backup {} shard {} was taken over by another worker", backup_id_, shard_),
                "nothing is lost: the other worker goes on with it");
  ++generation_;
}

Index read_checkpoints(const Context& ctx, const Archive& archive, const std::string& backup_id, int shard) {
  Checkpoint all;
  read_generations(ctx, archive, backup_id, shard, all);
  return std::move(all.stored);
}

RunTotals totals_of(const Index& index) {
  RunTotals totals;
  Holes holes;
  for (const auto& object : index.objects) totals.stored_bytes += object.bytes;
  totals.segments = index.objects.size();
  for (const auto& [stream, blocks] : index.streams) {
    for (const auto& block : blocks) {
      totals.records += block.records;
      totals.raw_bytes += block.raw_bytes;
      holes += block.holes;
    }
  }
  totals.aborted = holes.aborted;
  totals.control = holes.control;
  totals.compacted = holes.compacted;
  totals.lost = holes.lost;
  return totals;
}

std::optional<MissingOffsets> first_missing(const Context& ctx, const Archive& archive, const Plan& plan) {
  return missing_from(plan.capture, read_all_checkpoints(ctx, archive, plan).stored);
}

Decision commit(const Context& ctx, const Archive& archive, const Plan& plan, std::int64_t now_ms) {
  const auto& id = plan.capture.backup_id;
  if (auto standing = archive.decision(ctx, id)) return std::move(*standing);
  try {
    return archive.decide(ctx, id, {.set = make_set(ctx, archive, plan, now_ms)});
  } catch (const Error&) {
    // Once a run is decided, prune may take away what a late worker still reads.
    if (auto standing = archive.decision(ctx, id)) return std::move(*standing);
    throw;
  }
}

}  // namespace kb::archive
