#include "engine/open_plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/unix_time.h"
#include "schema/writer.h"

namespace kb::engine {
namespace {

using archive::CapturedPartition;
using archive::StreamId;

template <class Visit>
void for_each_stream(const archive::Capture& capture, Visit visit) {
  for (const auto& topic : capture.topics)
    for (const auto& p : topic.partitions) visit(StreamId{topic.name, p.partition, p.lineage}, p);
}

std::map<StreamId, CapturedPartition> streams_of(const archive::Capture& capture) {
  std::map<StreamId, CapturedPartition> streams;
  for_each_stream(capture, [&](const StreamId& id, const CapturedPartition& p) { streams[id] = p; });
  return streams;
}

std::string text(const auto& value) {
  return boost::json::serialize(schema::write(value));
}

// What matters of a topic beside its records.
std::string description(const archive::CapturedTopic& topic) {
  std::string out = fmt::format("{} {} {} {} {}", topic.name, topic.topic_id, topic.replication_factor,
                                text(topic.configs), topic.configs_not_captured);
  for (const auto& p : topic.partitions) out += fmt::format(" {}:{}", p.partition, p.lineage);
  return out;
}

std::string description(const archive::Capture& capture) {
  std::string out = text(capture.groups) + text(capture.missing_topics);
  if (capture.acls) out += text(*capture.acls);
  if (capture.client_quotas) out += text(*capture.client_quotas);
  for (const auto& topic : capture.topics) out += description(topic) + "\n";
  return out;
}

}  // namespace

Asked ask_cluster_for(const Context& ctx, kafka::Cluster& cluster, const BackupRequest& request,
                      const std::string& backup_id, const std::string& archive_id,
                      std::optional<archive::Set> held, std::int64_t held_until_ms) {
  std::optional<Base> base;
  if (held) {
    held->capture.captured_at_ms = held_until_ms;
    // A continuous archive may start behind the log, which is no sign of another log here.
    for (auto& topic : held->capture.topics)
      for (auto& p : topic.partitions) p.start = 0;
    base = Base{.set = std::move(*held), .sha256 = {}};
  }
  Asked asked{.chosen = choose_topics_of(ctx, cluster, request.spec), .plan = {}};
  asked.plan = make_plan(ctx, cluster, request, asked.chosen, backup_id, archive_id, base, unix_now_ms());
  return asked;
}

archive::Set held_by(const archive::Plan& opening, const archive::Index& stored) {
  archive::Set set{.capture = archive::closed_plan(opening, stored, std::nullopt).capture};
  for (auto& topic : set.capture.topics)
    for (auto& p : topic.partitions)
      if (auto it = stored.streams.find({topic.name, p.partition, p.lineage}); it != stored.streams.end())
        for (const auto& block : it->second) {
          p.leader_epoch = std::max(p.leader_epoch, block.leader_epoch);
          p.lineage_bytes += block.raw_bytes;
        }
  return set;
}

archive::Plan make_opening(const Asked& asked, const std::optional<Base>& base, const RaisedStarts& raised) {
  auto opening = asked.plan;
  auto& capture = opening.capture;
  capture.base = base ? base->set.capture.backup_id : "";
  capture.base_sha256 = base ? base->sha256 : "";
  // Until all is read that was asked about, it has no more than the base.
  capture.captured_at_ms = base ? base->set.capture.captured_at_ms : 0;
  const auto held = base ? streams_of(base->set.capture) : std::map<StreamId, CapturedPartition>();
  // Streams that go on behind the base are read from there on, and what is gone by then is noted when it is
  // met.
  if (capture.history)
    std::erase_if(*capture.history,
                  [](const auto& event) { return event.kind == archive::history::records_lost; });
  for (auto& topic : capture.topics) {
    for (auto& p : topic.partitions) {
      const StreamId stream{topic.name, p.partition, p.lineage};
      p.shard = 0;
      auto it = held.find(stream);
      if (it == held.end()) {
        p.from = p.end = p.start;
        continue;
      }
      const auto& before = it->second;
      auto raise = raised.find(stream);
      p.start = raise == raised.end() ? before.start : std::clamp(raise->second, before.start, before.end);
      p.from = p.end = before.end;
      p.leader_epoch = before.leader_epoch;
      p.lineage_bytes = before.lineage_bytes;
    }
  }
  return opening;
}

bool covers(const archive::Capture& now, const archive::Capture& asked) {
  const auto has = streams_of(now);
  bool all = true;
  for_each_stream(asked, [&](const StreamId& id, const CapturedPartition& p) {
    auto it = has.find(id);
    if (it == has.end() ? p.end > p.start : it->second.end < p.end) all = false;
  });
  return all;
}

std::string vanished_topic(const ChosenTopics& now, const archive::Capture& opened) {
  std::set<std::string> names;
  for (const auto& topic : now.topics) names.insert(*topic.name);
  for (const auto& topic : opened.topics)
    if (!names.contains(topic.name)) return topic.name;
  return {};
}

bool are_other_topics(const ChosenTopics& now, const archive::Capture& opened) {
  std::set<std::string> before, after;
  for (const auto& topic : opened.topics)
    before.insert(fmt::format("{} {} {}", topic.name, topic.topic_id, topic.partitions.size()));
  for (const auto& topic : now.topics)
    after.insert(
        fmt::format("{} {:02x} {}", *topic.name, fmt::join(topic.topic_id, ""), topic.partitions.size()));
  return before != after;
}

bool says_something_new(const archive::Capture& now, const std::optional<Base>& base) {
  return !base || description(now) != description(base->set.capture);
}

RaisedStarts starts_without_older(const archive::Set& set, const archive::Index& index,
                                  std::int64_t oldest_ms) {
  RaisedStarts raised;
  for (const auto& topic : set.capture.topics) {
    if (topic.compacted) continue;
    for (const auto& p : topic.partitions) {
      const StreamId stream{topic.name, p.partition, p.lineage};
      auto it = index.streams.find(stream);
      if (it == index.streams.end()) continue;
      auto start = p.start;
      for (const auto& block : it->second) {
        if (block.max_timestamp >= oldest_ms) break;
        start = std::max(start, std::min(block.next_offset, p.end));
      }
      if (start > p.start) raised[stream] = start;
    }
  }
  return raised;
}

}  // namespace kb::engine
