// What happened to the source's logs that a reader of a set should know: why records are not there, and why
// offsets of older sets do not go on. Pure; docs/archive-format.md, "History".
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/index.h"

namespace kb::archive {

// Kinds are text, so that a reader knows at least the words of a kind that came later.
namespace history {
constexpr std::string_view topic_appeared = "topicAppeared";      // not in the base
constexpr std::string_view topic_vanished = "topicVanished";      // in the base only
constexpr std::string_view partitions_added = "partitionsAdded";  // from partition `from` up to `to`
constexpr std::string_view lineage_began = "lineageBegan";        // read afresh; `detail` says why
constexpr std::string_view topic_deleted = "topicDeleted";        // while it was read
constexpr std::string_view topic_recreated = "topicRecreated";    // while it was read
constexpr std::string_view log_truncated = "logTruncated";        // while it was read, to offset `from`
constexpr std::string_view records_lost = "recordsLost";          // [from, to) was gone before it was read
}  // namespace history

struct HistoryEvent {
  std::string kind;
  std::string topic;
  std::int32_t partition = -1;      // -1: of the topic as a whole
  std::int64_t from = -1, to = -1;  // a range of offsets, or of partitions; -1: none
  std::string detail;               // in words
  bool operator==(const HistoryEvent&) const = default;
  void fields(auto& f) {
    f("kind", kind,
      "topicAppeared, topicVanished, partitionsAdded, lineageBegan, topicDeleted, topicRecreated, "
      "logTruncated "
      "or recordsLost.");
    f("topic", topic, "Topic.");
    f("partition", partition, "Partition; -1 for the topic as a whole.");
    f("from", from, "First offset, or partition, that it is about; -1 for none.");
    f("to", to, "The one behind the last.");
    f("detail", detail, "In words.");
  }
};
using History = std::vector<HistoryEvent>;

// The ranges that the blocks call lost, those of a partition that meet as one.
History lost_ranges(const Index& stored);
// How many offsets the events call lost.
std::uint64_t lost_offsets(const History& events);
// Whether somebody should look at it: records are gone, or offsets do not go on.
bool is_warning(const HistoryEvent& event);
// Adds what is not there yet.
void add_history(History& events, const History& more);
// "orders/3: offsets 100 to 199 were lost: ..."
std::string to_string(const HistoryEvent& event);

}  // namespace kb::archive
