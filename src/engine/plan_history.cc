#include "engine/plan_history.h"

#include <algorithm>
#include <map>

namespace kb::engine {
namespace {

using archive::HistoryEvent;
namespace history = archive::history;

using Topics = std::map<std::string, const archive::CapturedTopic*>;

Topics by_name(const archive::Capture& capture) {
  Topics topics;
  for (const auto& topic : capture.topics) topics[topic.name] = &topic;
  return topics;
}

// Why partitions are read afresh: once for the topic when it is the same for all that were there before.
void add_lineages(const archive::CapturedTopic& topic, archive::History& events) {
  std::map<std::string, std::vector<std::int32_t>> by_reason;
  for (const auto& p : topic.partitions)
    if (!p.lineage_reason.empty()) by_reason[p.lineage_reason].push_back(p.partition);
  for (const auto& [reason, partitions] : by_reason) {
    if (partitions.size() == topic.partitions.size()) {
      events.push_back({.kind = std::string(history::lineage_began), .topic = topic.name, .detail = reason});
      continue;
    }
    for (auto partition : partitions)
      events.push_back({.kind = std::string(history::lineage_began),
                        .topic = topic.name,
                        .partition = partition,
                        .detail = reason});
  }
}

// A lineage that goes on behind a gap: what came between was deleted before any backup.
void add_gaps(const archive::CapturedTopic& topic, const archive::CapturedTopic& before,
              archive::History& events) {
  std::map<std::int32_t, const archive::CapturedPartition*> in_base;
  for (const auto& p : before.partitions) in_base[p.partition] = &p;
  for (const auto& p : topic.partitions) {
    auto it = in_base.find(p.partition);
    if (it == in_base.end() || it->second->lineage != p.lineage || p.start <= it->second->end) continue;
    events.push_back({.kind = std::string(history::records_lost),
                      .topic = topic.name,
                      .partition = p.partition,
                      .from = it->second->end,
                      .to = p.start,
                      .detail = "deleted by retention between two backups"});
  }
}

}  // namespace

archive::History planned_history(const archive::Capture& plan, const archive::Capture* base) {
  archive::History events;
  if (!base) return events;
  const auto before = by_name(*base), now = by_name(plan);
  for (const auto& [name, topic] : before)
    if (!now.contains(name)) events.push_back({.kind = std::string(history::topic_vanished), .topic = name});
  for (const auto& topic : plan.topics) {
    auto it = before.find(topic.name);
    if (it == before.end()) {
      events.push_back({.kind = std::string(history::topic_appeared), .topic = topic.name});
      continue;
    }
    add_lineages(topic, events);
    const auto had = it->second->partitions.size(), has = topic.partitions.size();
    if (has > had && it->second->topic_id == topic.topic_id)
      events.push_back({.kind = std::string(history::partitions_added),
                        .topic = topic.name,
                        .from = static_cast<std::int64_t>(had),
                        .to = static_cast<std::int64_t>(has)});
    add_gaps(topic, *it->second, events);
  }
  return events;
}

}  // namespace kb::engine
