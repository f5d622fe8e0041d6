#include "engine/lineage.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/backup_id.h"

namespace kb::engine {
namespace {

const std::string no_topic_id(32, '0');

// Why the offsets of the base no longer mean the same records; empty when they do.
std::string broken_by(const TopicNow& topic, const PartitionNow& now, const archive::CapturedPartition& base,
                      const std::string& base_topic_id) {
  if (topic.topic_id != base_topic_id && topic.topic_id != no_topic_id && base_topic_id != no_topic_id)
    return "the topic was deleted and created again";
  if (now.log_start_offset < base.start)
    return fmt::format("the log starts at offset {}, before the {} archived", now.log_start_offset,
                       base.start);
  if (base.end > now.last_stable_offset)
    return fmt::format("the log ends at offset {}, before the {} archived", now.last_stable_offset, base.end);
  if (now.end_offset_of_base_epoch && *now.end_offset_of_base_epoch < base.end)
    return fmt::format("the log was truncated to offset {}: an unclean leader election",
                       *now.end_offset_of_base_epoch);
  return {};
}

// Appending to a compacted log is right only while no tombstone can have come and gone since the base. What
// came is new: while the log has not grown, the archive holds all that it has.
std::string outgrown_by_compaction(const CompactionNow& compaction, const PartitionNow& now,
                                   const archive::CapturedPartition& base) {
  if (now.last_stable_offset == base.end) return {};
  if (!compaction.settings_known)
    return "the topic's configuration may not be read: whether a log cleaner removes records is not known";
  // A stream that has not been read to its end yet is as old as its beginning.
  const auto began = time_of_backup_id(base.lineage);
  const auto known_until_ms = std::max<std::int64_t>(compaction.base_captured_at_ms,
                                                     began ? began->time_since_epoch().count() * 1000 : 0);
  if (compaction.now_ms - known_until_ms >= compaction.delete_retention_ms)
    return "compacted: tombstones may have come and gone since the last backup";
  if (now.log_bytes && base.lineage_bytes > 2 * *now.log_bytes)
    return "compacted: the archive holds more than twice what the log does";
  return {};
}

}  // namespace

archive::CapturedPartition continue_or_begin(const TopicNow& topic, const PartitionNow& now,
                                             const std::optional<archive::CapturedPartition>& base,
                                             const std::string& base_topic_id, const std::string& backup_id) {
  archive::CapturedPartition captured{.partition = now.partition,
                                      .lineage = backup_id,
                                      .start = now.log_start_offset,
                                      .end = std::max(now.last_stable_offset, now.log_start_offset)};
  captured.from = captured.start;
  if (!base) return captured;
  auto reason = broken_by(topic, now, *base, base_topic_id);
  if (reason.empty() && topic.compaction) reason = outgrown_by_compaction(*topic.compaction, now, *base);
  if (!reason.empty()) {
    captured.lineage_reason = reason;
    return captured;
  }
  captured.lineage = base->lineage;
  captured.leader_epoch = base->leader_epoch;
  captured.lineage_bytes = base->lineage_bytes;
  captured.from = std::clamp(base->end, captured.start, captured.end);
  return captured;
}

}  // namespace kb::engine
