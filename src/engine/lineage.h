// Whether what a partition holds now continues what the base set holds of it. Pure; rules in
// docs/archive-format.md, "Lineages".
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "archive/set.h"

namespace kb::engine {

// A partition as the brokers describe it at capture.
struct PartitionNow {
  std::int32_t partition = 0;
  std::int64_t log_start_offset = 0;
  std::int64_t last_stable_offset = 0;
  // End offset of the base's last leader epoch; absent when the brokers could not say.
  std::optional<std::int64_t> end_offset_of_base_epoch;
  std::optional<std::uint64_t> log_bytes;  // on the leader's disk; asked for only with a log cleaner
};

// What matters only for a topic with a log cleaner.
struct CompactionNow {
  std::int64_t now_ms = 0;
  std::int64_t base_captured_at_ms = 0;  // 0: it does not have all of any time
  std::int64_t delete_retention_ms = 0;
  bool settings_known = true;  // else nothing is known of the cleaner, not even whether there is one
};

struct TopicNow {
  std::string name;
  std::string topic_id;
  std::optional<CompactionNow> compaction;  // absent without a log cleaner
};

// The partition's entry for a new set. `base` is its entry in the base set, absent when that has none;
// `base_topic_id` the id the topic had there.
archive::CapturedPartition continue_or_begin(const TopicNow& topic, const PartitionNow& now,
                                             const std::optional<archive::CapturedPartition>& base,
                                             const std::string& base_topic_id, const std::string& backup_id);

}  // namespace kb::engine
