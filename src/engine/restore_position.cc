#include "engine/restore_position.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "base/checksum.h"
#include "base/error.h"
#include "base/task_group.h"
#include "engine/log_batches.h"
#include "engine/source_reader.h"
#include "kafka/record.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;

constexpr std::size_t inflated_bytes_max = 1024 * 1024 * 1024;

std::string name_of(const TopicPartition& tp) {
  return fmt::format("{}/{}", tp.topic, tp.partition);
}

// A record as far as one has to be told from another.
struct SeenRecord {
  std::int64_t offset = 0;
  std::string digest;  // of key, value, headers and timestamp
};

std::string digest_of(const kafka::RecordFrame& frame) {
  return sha256_hex(fmt::format("{} {}", frame.timestamp, frame.body));
}

// What the end of a partition's log says.
struct Tail {
  Position position;
  std::optional<SeenRecord> last;  // that this restore wrote
  bool begun = false;              // a record or a fence of this restore was found
  // Of the last record that somebody else wrote; what is ours lies behind.
  std::optional<std::int64_t> foreign_offset;
};

SeenRecord last_record(const kafka::RecordBatch& batch) {
  std::string scratch;
  kafka::RecordReader reader(batch, kafka::inflate_records(batch, scratch, inflated_bytes_max));
  kafka::RecordFrame last;
  for (kafka::RecordFrame frame; reader.next(frame);) last = frame;
  return {.offset = batch.last_offset(), .digest = digest_of(last)};
}

// Reads the log of a partition backwards, batch by batch.
class TailReader {
 public:
  // Without a producer id, that of the last record is taken for this restore's.
  TailReader(TopicPartition tp, std::int64_t log_start, std::int64_t log_end,
             std::optional<std::int64_t> producer_id)
      : tp_(std::move(tp)), log_start_(log_start), end_(log_end), producer_id_(producer_id) {
    tail_.position.end_offset = log_end;
  }

  // The offset whose batch is to be shown next; none when the tail is known.
  std::optional<std::int64_t> wanted() const {
    return end_ > log_start_ && !tail_.foreign_offset ? std::optional(end_ - 1) : std::nullopt;
  }
  void show(const kafka::RecordBatch& batch) {
    if (batch.base_offset() >= end_) {
      tail_.foreign_offset = end_ - 1;  // a cleaner was there: only others' topics have one while we write
      return;
    }
    tail_.begun |= batch.producer_id() == producer_id_;
    if (batch.is_control()) {
      end_ = batch.base_offset();
      return;
    }
    if (!producer_id_) producer_id_ = batch.producer_id();
    if (batch.producer_id() != producer_id_ || batch.base_sequence() < 0)
      tail_.foreign_offset = batch.last_offset();
    else
      show_own(batch);
  }
  const TopicPartition& partition() const { return tp_; }
  Tail take() { return std::move(tail_); }

 private:
  // All that this epoch wrote lies between its first record, which had sequence number 0, and here.
  void show_own(const kafka::RecordBatch& batch) {
    auto begin = batch.base_offset() - batch.base_sequence();
    if (begin < log_start_)
      throw Error(ErrorKind::conflict,
                  fmt::format("{}: records that this restore wrote have been deleted below offset {}",
                              name_of(tp_), log_start_));
    tail_.position.records += static_cast<std::uint64_t>(end_ - begin);
    if (!tail_.last) tail_.last = last_record(batch);
    end_ = begin;
  }

  TopicPartition tp_;
  std::int64_t log_start_, end_;
  std::optional<std::int64_t> producer_id_;
  Tail tail_;
};

// The tails in the order of the readers.
std::vector<Tail> read_tails(const Context& ctx, kafka::Cluster& cluster, std::vector<TailReader> readers) {
  std::map<TopicPartition, TailReader*> by_partition;
  for (auto& reader : readers) by_partition[reader.partition()] = &reader;
  for (;;) {
    std::map<TopicPartition, std::int64_t> offsets;
    for (const auto& [tp, reader] : by_partition)
      if (auto offset = reader->wanted()) offsets[tp] = *offset;
    if (offsets.empty()) break;
    read_batches(ctx, cluster, offsets, [&](const TopicPartition& tp, const kafka::RecordBatch& batch) {
      by_partition.at(tp)->show(batch);
    });
  }
  std::vector<Tail> tails;
  for (auto& reader : readers) tails.push_back(reader.take());
  return tails;
}

// Whether it matters what the plan has behind a record, which may cost reading another block.
enum class Behind { ignored, wanted };

// The plan at a place: the digest of the record there, empty behind the last, and whether more come behind.
struct PlannedRecord {
  std::string digest;
  bool more = false;
};

PlannedRecord planned_record(const Context& ctx, storage::ObjectStore& store, const RestorePlan& plan,
                             const TargetPartition& target, std::uint64_t position, Behind behind) {
  ByteBudget budget(1);
  // The record's own size does not matter here, it was written before.
  SourceReader reader(store, plan, target,
                      {.max_message_bytes = std::numeric_limits<std::int32_t>::max(),
                       .merge_below_bytes = 0,
                       .merge_compressed_below_bytes = 0},
                      position);
  const auto next = [&] {
    std::optional<kafka::OutputBatch> batch;
    while (!(batch = reader.ready()) && !reader.finished()) reader.read(ctx, budget.acquire(ctx, 0));
    return batch;
  };
  auto batch = next();
  if (!batch) return {};
  std::string scratch;
  auto view = kafka::RecordBatch::whole({batch->bytes.data(), batch->bytes.size()});
  kafka::RecordReader records(view, kafka::inflate_records(view, scratch, inflated_bytes_max));
  kafka::RecordFrame frame;
  records.next(frame);
  return {.digest = digest_of(frame),
          .more = behind == Behind::wanted && (batch->record_count > 1 || next())};
}

// A tail beside the plan.
struct Comparison {
  bool fits = true;   // the last record that this restore wrote is the one that the plan has there
  bool more = false;  // the plan has records behind it
};

bool has_records(const Context& ctx, storage::ObjectStore& store, const RestorePlan& plan,
                 const TargetPartition& planned) {
  return !planned_record(ctx, store, plan, planned, 0, Behind::ignored).digest.empty();
}

Comparison compare(const Context& ctx, storage::ObjectStore& store, const RestorePlan& plan,
                   const TargetPartition& planned, const Tail& tail, Behind behind) {
  if (!tail.last) return {.more = behind == Behind::wanted && has_records(ctx, store, plan, planned)};
  auto record = planned_record(ctx, store, plan, planned, tail.position.records - 1, behind);
  return {.fits = tail.last->digest == record.digest, .more = record.more};
}

[[noreturn]] void refuse_unfitting(const TopicPartition& tp, const Tail& tail) {
  throw Error(
      ErrorKind::conflict,
      fmt::format("{} at offset {}: what stands there is not record {} of the backup", name_of(tp),
                  tail.last->offset, tail.position.records),
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
  const TargetPartition* planned;
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
                     .planned = &p,
                     .log_start = target[i].log_start.at(p.partition),
                     .log_end = target[i].log_end.at(p.partition)});
    }
  }
  return all;
}

std::vector<Tail> read_tails(const Context& ctx, kafka::Cluster& cluster, std::span<const Candidate> all,
                             std::optional<std::int64_t> producer_id) {
  std::vector<TailReader> readers;
  for (const auto& c : all) readers.emplace_back(c.tp, c.log_start, c.log_end, producer_id);
  return read_tails(ctx, cluster, std::move(readers));
}

// By several threads: each partition costs the store a request.
std::vector<Comparison> compare_all(const Context& ctx, storage::ObjectStore& store, const RestorePlan& plan,
                                    std::span<const Candidate> all, const std::vector<Tail>& tails,
                                    Behind behind) {
  constexpr std::size_t threads_max = 8;
  std::vector<Comparison> results(all.size());
  std::atomic<std::size_t> next = 0;
  TaskGroup tasks(ctx);
  for (std::size_t i = 0; i < std::min(threads_max, all.size()); ++i)
    tasks.spawn([&](const Context& c) {
      for (std::size_t at; (at = next++) < all.size();)
        results[at] = compare(c, store, plan, *all[at].planned, tails[at], behind);
    });
  tasks.wait();
  return results;
}

// Groups of them: whoever finds out early that something is wrong need not look at all.
template <class Function>
void in_groups(std::span<const Candidate> all, Function some) {
  constexpr std::size_t group_max = 1000;
  for (; !all.empty(); all = all.subspan(std::min(group_max, all.size())))
    some(all.first(std::min(group_max, all.size())));
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
  for (const auto& c : all) partitions.push_back(c.tp);
  const auto before = read_tails(ctx, cluster, all, session.producer_id);
  bool begun_anywhere =
      std::any_of(before.begin(), before.end(), [](const Tail& tail) { return tail.begun; });
  for (std::size_t i = 0; i < all.size(); ++i)
    if (before[i].foreign_offset &&
        (foreign == ForeignData::refuse || !may_append(before[i], begun_anywhere, session)))
      refuse_foreign(all[i].tp, before[i]);
  kafka::fence(ctx, cluster, session, partitions);
  auto ends = kafka::list_offsets(ctx, cluster, partitions, kafka::OffsetAt::latest,
                                  kafka::IsolationLevel::read_uncommitted);
  for (auto& c : all) c.log_end = ends.at(c.tp);
  in_groups(all, [&](std::span<const Candidate> some) {
    const auto tails = read_tails(ctx, cluster, some, session.producer_id);
    const auto compared = compare_all(ctx, store, plan, some, tails, Behind::ignored);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (tails[i].foreign_offset && foreign == ForeignData::refuse) refuse_foreign(some[i].tp, tails[i]);
      if (!compared[i].fits) refuse_unfitting(some[i].tp, tails[i]);
      positions[some[i].tp] = tails[i].position;
    }
  });
  return positions;
}

void refuse_foreign_topics(const Context& ctx, kafka::Cluster& cluster, storage::ObjectStore& store,
                           const RestorePlan& plan, const std::vector<TargetState>& target, int shard) {
  const auto all = candidates(plan, target, [&](const TargetTopic& topic, const TargetState& state, auto&) {
    return state.action != TargetAction::load && has_share(topic, shard);
  });
  in_groups(all, [&](std::span<const Candidate> some) {
    auto tails = read_tails(ctx, cluster, some, std::nullopt);
    const auto compared = compare_all(ctx, store, plan, some, tails, Behind::ignored);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (!compared[i].fits) tails[i].foreign_offset = tails[i].last->offset;
      if (tails[i].foreign_offset) refuse_foreign(some[i].tp, tails[i]);
    }
  });
}

namespace {

// Adds what the partition holds; says what it lacks.
std::string take_count(const Context& ctx, storage::ObjectStore& store, const RestorePlan& plan,
                       const Candidate& c, Tail tail, Comparison compared, ForeignData foreign,
                       std::uint64_t& records) {
  if (!compared.fits) {
    // To append to, a partition may hold records of others before this restore has come to it.
    if (foreign == ForeignData::refuse) refuse_unfitting(c.tp, tail);
    tail.position.records = 0;
    compared.more = has_records(ctx, store, plan, *c.planned);
  } else if (tail.foreign_offset && foreign == ForeignData::refuse) {
    refuse_foreign(c.tp, tail);
  }
  records += tail.position.records;
  if (!compared.more) return {};
  return fmt::format("{} holds {} of {} records, up to offset {}", name_of(c.tp), tail.position.records,
                     c.planned->records_max, c.log_end);
}

}  // namespace

Completeness check_complete(const Context& ctx, kafka::Cluster& cluster, storage::ObjectStore& store,
                            const RestorePlan& plan, const std::vector<TargetState>& target,
                            ForeignData foreign) {
  Completeness result;
  for (std::size_t i = 0; i < plan.topics.size(); ++i)
    if (target[i].action == TargetAction::create)
      return {.lacking = fmt::format("target topic {} does not exist yet", plan.topics[i].name)};
  const auto all =
      candidates(plan, target, [](auto&, auto&, const TargetPartition& p) { return p.records_max > 0; });
  in_groups(all, [&](std::span<const Candidate> some) {
    if (!result.lacking.empty()) return;
    const auto tails = read_tails(ctx, cluster, some, std::nullopt);
    const auto compared = compare_all(ctx, store, plan, some, tails, Behind::wanted);
    for (std::size_t i = 0; i < some.size() && result.lacking.empty(); ++i)
      result.lacking = take_count(ctx, store, plan, some[i], tails[i], compared[i], foreign, result.records);
  });
  return result;
}

}  // namespace kb::engine
