#include "archive/history.h"

#include <algorithm>

#include <fmt/format.h>

namespace kb::archive {
namespace {

std::string range_of(const HistoryEvent& event) {
  if (event.from < 0 || event.to < 0) return {};
  const auto what = event.kind == history::partitions_added ? "partitions" : "offsets";
  return fmt::format(" {} {} to {}", what, event.from, event.to - 1);
}

std::string_view words_of(const HistoryEvent& event) {
  if (event.kind == history::topic_appeared) return "new topic";
  if (event.kind == history::topic_vanished) return "not there any more; older backups keep it";
  if (event.kind == history::partitions_added) return "added";
  if (event.kind == history::lineage_began) return "read afresh";
  if (event.kind == history::topic_deleted) return "the topic was deleted during the backup";
  if (event.kind == history::topic_recreated)
    return "the topic was deleted and created again during the backup; the new one is in the next backup";
  if (event.kind == history::log_truncated) return "the log was truncated during the backup";
  if (event.kind == history::records_lost) return "lost";
  return event.kind;
}

}  // namespace

History lost_ranges(const Index& stored) {
  History events;
  for (const auto& [stream, blocks] : stored.streams) {
    for (const auto& block : blocks) {
      if (block.holes.lost == 0) continue;
      if (!events.empty() && events.back().topic == stream.topic &&
          events.back().partition == stream.partition && events.back().to == block.first_offset) {
        events.back().to = block.next_offset;
        continue;
      }
      events.push_back({.kind = std::string(history::records_lost),
                        .topic = stream.topic,
                        .partition = stream.partition,
                        .from = block.first_offset,
                        .to = block.next_offset,
                        .detail = "gone before they were read"});
    }
  }
  return events;
}

std::uint64_t lost_offsets(const History& events) {
  std::uint64_t lost = 0;
  for (const auto& event : events)
    if (event.kind == history::records_lost && event.to > event.from)
      lost += static_cast<std::uint64_t>(event.to - event.from);
  return lost;
}

bool is_warning(const HistoryEvent& event) {
  return event.kind != history::topic_appeared && event.kind != history::topic_vanished &&
         event.kind != history::partitions_added;
}

void add_history(History& events, const History& more) {
  for (const auto& event : more)
    if (std::find(events.begin(), events.end(), event) == events.end()) events.push_back(event);
}

std::string to_string(const HistoryEvent& event) {
  auto text = event.topic;
  if (event.partition >= 0) text += fmt::format("/{}", event.partition);
  text += fmt::format(":{} {}", range_of(event), words_of(event));
  return event.detail.empty() ? text : text + ": " + event.detail;
}

}  // namespace kb::archive
