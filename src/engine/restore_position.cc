#include "engine/restore_position.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "engine/source_reader.h"
#include "kafka/record.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;

std::string name_of(const TopicPartition& tp) {
  return fmt::format("{}/{}", tp.topic, tp.partition);
}

// A batch of the target's log, kept.
struct LogBatch {
  std::string bytes;
  kafka::RecordBatch view() const { return kafka::RecordBatch::whole(bytes); }
};

// The batch that holds `offset`, aborted or not.
LogBatch read_batch(const Context& ctx, kafka::Cluster& cluster, const TopicPartition& tp,
                    std::int64_t offset) {
  kafka::FetchRequest request{.max_wait_ms = 1000, .min_bytes = 1, .max_bytes = 1};
  request.isolation_level = kafka::IsolationLevel::read_uncommitted;
  kafka::FetchRequest::Partition partition{
      .partition = tp.partition, .fetch_offset = offset, .partition_max_bytes = 1};
  request.topics.push_back({.topic = tp.topic, .partitions = {partition}});
  auto doing = fmt::format("reading offset {} of {}", offset, name_of(tp));
  return retry(ctx, cluster.settings().retry, doing, [&] {
    auto leader = cluster.leader(tp.topic, tp.partition);
    if (leader < 0) cluster.refresh(ctx, std::array{tp.topic});
    auto reply = cluster.call_broker(ctx, cluster.leader(tp.topic, tp.partition), request);
    const auto& topics = reply.message.responses;
    if (topics.empty() || topics[0].partitions.empty())
      fail(ErrorKind::corrupt, "the broker's answer leaves out {}", name_of(tp));
    const auto& answer = topics[0].partitions[0];
    if (kafka::retriable(answer.error_code)) {
      cluster.refresh(ctx, std::array{tp.topic});
      throw Error(ErrorKind::unavailable, kafka::describe(answer.error_code));
    }
    kafka::require(answer.error_code, doing);
    auto rest = answer.records.bytes;
    while (auto batch = kafka::next_batch(rest))
      if (batch->next_offset() > offset) return LogBatch{std::string(batch->bytes())};
    throw Error(ErrorKind::unavailable, "the broker answered with no batch");
  });
}

// What the end of a partition's log says.
struct Tail {
  Position position;
  std::optional<LogBatch> last;  // the last batch that this restore wrote
  bool begun = false;            // a record or a fence of this restore was found
  // Of the last record that somebody else wrote; what is ours lies behind.
  std::optional<std::int64_t> foreign_offset;
};

// Without a producer id, that of the last record is taken for this restore's.
Tail read_tail(const Context& ctx, kafka::Cluster& cluster, const TopicPartition& tp, std::int64_t log_start,
               std::int64_t log_end, std::optional<std::int64_t> producer_id) {
  Tail tail{.position = {.end_offset = log_end}};
  for (auto end = log_end; end > log_start;) {
    auto batch = read_batch(ctx, cluster, tp, end - 1);
    auto view = batch.view();
    if (view.base_offset() >= end) {
      tail.foreign_offset = end - 1;  // a cleaner was there: only others' topics have one while we write
      break;
    }
    tail.begun |= view.producer_id() == producer_id;
    if (view.is_control()) {
      end = view.base_offset();
      continue;
    }
    if (!producer_id) producer_id = view.producer_id();
    if (view.producer_id() != producer_id || view.base_sequence() < 0) {
      tail.foreign_offset = view.last_offset();
      break;
    }
    // All that this epoch wrote lies between its first record, which had sequence number 0, and here.
    auto begin = view.base_offset() - view.base_sequence();
    if (begin < log_start)
      throw Error(ErrorKind::conflict,
                  fmt::format("{}: records that this restore wrote have been deleted below offset {}",
                              name_of(tp), log_start));
    tail.position.records += static_cast<std::uint64_t>(end - begin);
    if (!tail.last) tail.last = std::move(batch);
    end = begin;
  }
  return tail;
}

// The key, value, headers and timestamp of a batch's last record.
std::pair<std::int64_t, std::string> last_record(const kafka::RecordBatch& batch) {
  constexpr std::size_t inflated_bytes_max = 1024 * 1024 * 1024;
  std::string scratch;
  kafka::RecordReader reader(batch, kafka::inflate_records(batch, scratch, inflated_bytes_max));
  std::pair<std::int64_t, std::string> last;
  for (kafka::RecordFrame frame; reader.next(frame);) last = {frame.timestamp, std::string(frame.body)};
  return last;
}

// The record that the plan has at `position`; nothing behind the last.
std::optional<std::pair<std::int64_t, std::string>> planned_record(const Context& ctx,
                                                                   storage::ObjectStore& store,
                                                                   const RestorePlan& plan,
                                                                   const TargetPartition& target,
                                                                   std::uint64_t position) {
  ByteBudget budget(1);
  // The record's own size does not matter here, it was written before.
  SourceReader reader(store, plan, target,
                      {.max_message_bytes = std::numeric_limits<std::int32_t>::max(),
                       .merge_below_bytes = 0,
                       .merge_compressed_below_bytes = 0},
                      position);
  std::optional<kafka::OutputBatch> batch;
  while (!(batch = reader.ready()) && !reader.finished()) reader.read(ctx, budget.acquire(ctx, 0));
  if (!batch) return {};
  std::string scratch;
  auto view = kafka::RecordBatch::whole({batch->bytes.data(), batch->bytes.size()});
  kafka::RecordReader records(view, kafka::inflate_records(view, scratch, 1024 * 1024 * 1024));
  kafka::RecordFrame frame;
  records.next(frame);
  return std::pair(frame.timestamp, std::string(frame.body));
}

// Whether the last record that this restore wrote is the one that the plan has there.
bool fits(const Context& ctx, storage::ObjectStore& store, const RestorePlan& plan,
          const TargetPartition& planned, const Tail& tail) {
  return !tail.last || last_record(tail.last->view()) ==
                           planned_record(ctx, store, plan, planned, tail.position.records - 1);
}

[[noreturn]] void refuse_unfitting(const TopicPartition& tp, const Tail& tail) {
  throw Error(
      ErrorKind::conflict,
      fmt::format("{} at offset {}: what stands there is not record {} of the backup", name_of(tp),
                  tail.last->view().last_offset(), tail.position.records),
      "others, or a restore with other settings, wrote to the topic; delete it, or restore to another name");
}

// Records of others may stand only before what this restore wrote. Its first act in a partition that holds
// records is a fence in all of them; so where records of others are last and it has begun elsewhere, or ever,
// they came later.
bool may_append(const Tail& tail, bool begun_anywhere, const kafka::ProducerSession& session) {
  return tail.begun || (!begun_anywhere && session.producer_epoch == 0);
}

[[noreturn]] void refuse_foreign(const TopicPartition& tp, const Tail& tail) {
  throw Error(
      ErrorKind::conflict,
      fmt::format("{} holds records that this restore did not write, up to offset {}", name_of(tp),
                  *tail.foreign_offset),
      "restore to another name with spec.topicMapping, delete the topic, or set spec.existingData: append; "
      "when this is the rest of an interrupted restore, name its backup in spec.backupRef.backupId and run "
      "it "
      "in as many shards as before");
}

struct Candidate {
  TopicPartition tp;
  const TargetPartition& planned;
  std::int64_t log_start, log_end;
};

// What is there of the partitions for which `wanted(topic, its state, partition)` holds.
template <class Wanted>
std::vector<Candidate> candidates(const RestorePlan& plan, const std::vector<TargetState>& target,
                                  Wanted wanted) {
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    if (target[i].action == TargetAction::create) continue;
    for (const auto& p : plan.topics[i].partitions) {
      if (!wanted(plan.topics[i], target[i], p)) continue;
      all.push_back({.tp = {plan.topics[i].name, p.partition},
                     .planned = p,
                     .log_start = target[i].log_start.at(p.partition),
                     .log_end = target[i].log_end.at(p.partition)});
    }
  }
  return all;
}

}  // namespace

std::map<TopicPartition, Position> find_positions(const Context& ctx, kafka::Cluster& cluster,
                                                  storage::ObjectStore& store, const RestorePlan& plan,
                                                  const std::vector<TargetState>& target, int shard,
                                                  const kafka::ProducerSession& session,
                                                  ForeignData foreign) {
  std::map<TopicPartition, Position> positions;
  auto all =
      candidates(plan, target, [&](auto&, auto&, const TargetPartition& p) { return p.shard == shard; });
  if (all.empty()) return positions;
  std::vector<TopicPartition> partitions;
  std::vector<Tail> before;
  for (const auto& c : all) {
    partitions.push_back(c.tp);
    before.push_back(read_tail(ctx, cluster, c.tp, c.log_start, c.log_end, session.producer_id));
  }
  bool begun_anywhere =
      std::any_of(before.begin(), before.end(), [](const Tail& tail) { return tail.begun; });
  for (std::size_t i = 0; i < all.size(); ++i)
    if (before[i].foreign_offset &&
        (foreign == ForeignData::refuse || !may_append(before[i], begun_anywhere, session)))
      refuse_foreign(all[i].tp, before[i]);
  kafka::fence(ctx, cluster, session, partitions);
  auto ends = kafka::list_offsets(ctx, cluster, partitions, kafka::OffsetAt::latest,
                                  kafka::IsolationLevel::read_uncommitted);
  for (const auto& c : all) {
    auto tail = read_tail(ctx, cluster, c.tp, c.log_start, ends.at(c.tp), session.producer_id);
    if (tail.foreign_offset && foreign == ForeignData::refuse) refuse_foreign(c.tp, tail);
    if (!fits(ctx, store, plan, c.planned, tail)) refuse_unfitting(c.tp, tail);
    positions[c.tp] = tail.position;
  }
  return positions;
}

void refuse_foreign_topics(const Context& ctx, kafka::Cluster& cluster, storage::ObjectStore& store,
                           const RestorePlan& plan, const std::vector<TargetState>& target, int shard) {
  auto all = candidates(plan, target, [&](const TargetTopic& topic, const TargetState& state, auto&) {
    return state.action != TargetAction::load && has_share(topic, shard);
  });
  for (const auto& c : all) {
    auto tail = read_tail(ctx, cluster, c.tp, c.log_start, c.log_end, std::nullopt);
    if (!fits(ctx, store, plan, c.planned, tail)) tail.foreign_offset = tail.last->view().last_offset();
    if (tail.foreign_offset) refuse_foreign(c.tp, tail);
  }
}

Completeness check_complete(const Context& ctx, kafka::Cluster& cluster, storage::ObjectStore& store,
                            const RestorePlan& plan, const std::vector<TargetState>& target,
                            ForeignData foreign) {
  Completeness result;
  for (std::size_t i = 0; i < plan.topics.size(); ++i)
    if (target[i].action == TargetAction::create)
      return {.lacking = fmt::format("target topic {} does not exist yet", plan.topics[i].name)};
  for (const auto& c : candidates(plan, target, [](auto&...) { return true; })) {
    if (c.planned.records_max == 0) continue;
    auto tail = read_tail(ctx, cluster, c.tp, c.log_start, c.log_end, std::nullopt);
    if (!fits(ctx, store, plan, c.planned, tail)) {
      // To append to, a partition may hold records of others before this restore has come to it.
      if (foreign == ForeignData::refuse) refuse_unfitting(c.tp, tail);
      tail.position.records = 0;
    } else if (tail.foreign_offset && foreign == ForeignData::refuse) {
      refuse_foreign(c.tp, tail);
    }
    if (planned_record(ctx, store, plan, c.planned, tail.position.records))
      return {.lacking = fmt::format("{} holds {} of {} records, up to offset {}", name_of(c.tp),
                                     tail.position.records, c.planned.records_max, c.log_end)};
    result.records += tail.position.records;
  }
  return result;
}

}  // namespace kb::engine
