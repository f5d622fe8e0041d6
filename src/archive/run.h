// Writing a run: a worker claims its shard, stores segments, checkpoints them, and somebody commits. Killing
// and repeating any of it is harmless (docs/archive-format.md, "Runs").
#pragma once
#include <mutex>
#include <optional>
#include <string>

#include "archive/archive.h"

namespace kb::archive {

// One worker's claim on a shard of a run. The claim is a checkpoint generation, so a later claim fences this
// one: its next checkpoint fails with conflict. Thread-safe after claim().
class ShardWriter {
 public:
  static ShardWriter claim(const Context& ctx, const Archive& archive, const std::string& backup_id,
                           int shard);
  ShardWriter(ShardWriter&& other) noexcept;

  // What the generations before this claim had stored.
  const Index& stored() const { return stored_; }
  // Whether nobody had claimed the shard before.
  bool is_first() const { return claimed_generation_ == 1; }
  // A name that no other worker and no other call uses.
  std::string next_segment_key();
  // Makes what `stored_since` lists part of the run, and what happened meanwhile part of its history; the
  // segments must be in the store. Throws conflict when
  // another worker has claimed the shard. After any error the writer is of no more use: what was stored is
  // known to the next claim.
  void checkpoint(const Context& ctx, const Index& stored_since, const History& happened = {});

 private:
  ShardWriter(const Archive& archive, std::string backup_id, int shard);

  // constant after construction
  const Archive archive_;
  const std::string backup_id_;
  const int shard_;
  const std::string nonce_;
  Index stored_;
  int claimed_generation_ = 0;
  // guarded by mutex_
  std::mutex mutex_;
  int generation_ = 0;
  int sequence_ = 0;
};

// All that the checkpoints of a shard list.
Index read_checkpoints(const Context& ctx, const Archive& archive, const std::string& backup_id, int shard);

// Of what a run, or one shard of it, stored.
RunTotals totals_of(const Index& stored);

// A planned range of offsets that no checkpoint lists yet.
struct MissingOffsets {
  StreamId stream;
  int shard = 0;
  Bounds offsets;
};
// The first of them, in the order of the plan; nothing when the run can be committed.
std::optional<MissingOffsets> first_missing(const Context& ctx, const Archive& archive, const Plan& plan);

// Commits the run and gives the decision that stands: this set, or what was decided before. Throws internal,
// naming partition and offset, when a planned offset is not covered by checkpoints, when they cover more than
// was planned, or when a partition does not go on where the base ends (docs/archive-format.md, "Commit");
// corrupt when the base is not the one that the plan names.
Decision commit(const Context& ctx, const Archive& archive, const Plan& plan, std::int64_t now_ms);

// How many indexes of a level are merged into one of the next, and what a set may refer to at most.
constexpr std::size_t index_fan_in = 8;
constexpr std::size_t indexes_max = 64;

}  // namespace kb::archive
