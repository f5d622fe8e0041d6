#include "archive/open_run.h"

#include <limits>
#include <map>
#include <utility>

#include "archive/document.h"
#include "archive/layout.h"
#include "archive/typed_document.h"

namespace kb::archive {
namespace {

constexpr int only_shard = 0;

void take_over(Capture& capture, const ClosingFacts& facts) {
  capture.captured_at_ms = facts.captured_at_ms;
  capture.groups = facts.groups;
  capture.held_back = facts.held_back;
  capture.acls = facts.acls;
  capture.client_quotas = facts.client_quotas;
  std::map<std::string, const CapturedTopic*> now;
  for (const auto& topic : facts.topics) now[topic.name] = &topic;
  for (auto& topic : capture.topics) {
    auto it = now.find(topic.name);
    if (it == now.end() || it->second->topic_id != topic.topic_id) continue;
    topic.configs = it->second->configs;
    topic.configs_not_captured = it->second->configs_not_captured;
    topic.replication_factor = it->second->replication_factor;
  }
}

// A transaction that has ended since then holds nothing back: what is behind it was stored.
void drop_ended_transactions(Capture& capture) {
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> ends;
  for (const auto& topic : capture.topics)
    for (const auto& p : topic.partitions) ends[{topic.name, p.partition}] = p.end;
  std::erase_if(capture.held_back, [&](const HeldBack& held) {
    auto it = ends.find({held.topic, held.partition});
    return it == ends.end() || it->second > held.offset;
  });
}

}  // namespace

std::optional<ShardWriter> open_run(const Context& ctx, const Archive& archive, const Plan& opening) {
  const auto& id = opening.capture.backup_id;
  const auto key = opening_key(id);
  CHECK(opening.shards == 1);
  const auto bytes = seal("opening", key, {.head = schema::write(opening).get_object()});
  if (!archive.store().put_if_absent(ctx, key, bytes)) return std::nullopt;
  auto writer = ShardWriter::claim(ctx, archive, id, only_shard);
  // Somebody has closed it already.
  if (!writer.is_first()) return std::nullopt;
  return writer;
}

std::optional<Plan> opening_of(const Context& ctx, const Archive& archive, const std::string& backup_id) {
  return read_document<Plan>(ctx, archive.store(), "opening", opening_key(backup_id));
}

Plan closed_plan(const Plan& opening, const Index& stored, const std::optional<ClosingFacts>& facts) {
  constexpr auto no_end = std::numeric_limits<std::int64_t>::max();
  auto plan = opening;
  for (auto& topic : plan.capture.topics)
    for (auto& p : topic.partitions)
      if (auto it = stored.streams.find({topic.name, p.partition, p.lineage}); it != stored.streams.end())
        p.end = first_uncovered(it->second, {p.from, no_end});
  if (facts) take_over(plan.capture, *facts);
  drop_ended_transactions(plan.capture);
  return plan;
}

std::optional<Plan> close_run(const Context& ctx, const Archive& archive, const Plan& opening) {
  const auto& id = opening.capture.backup_id;
  if (auto plan = archive.plan(ctx, id)) return plan;
  // The claim takes the name of the worker's next checkpoint.
  const auto claim = ShardWriter::claim(ctx, archive, id, only_shard);
  if (claim.stored().streams.empty()) return archive.plan(ctx, id);
  return archive.put_plan(ctx, closed_plan(opening, claim.stored(), std::nullopt));
}

}  // namespace kb::archive
