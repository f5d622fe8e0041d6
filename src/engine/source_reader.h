// The record batches of a target partition's sources, in the order of the plan, from a given record on: read
// from the store, checked, and made fit for producing.
#pragma once
#include <memory>
#include <optional>

#include "base/byte_budget.h"
#include "engine/restore_plan.h"
#include "kafka/rebatch.h"
#include "storage/object_store.h"

namespace kb::engine {

// Owned by one thread at a time.
class SourceReader {
 public:
  // Leaves the first `skip_records` records out. `plan` and `target` must outlive the reader.
  SourceReader(storage::ObjectStore& store, const RestorePlan& plan, const TargetPartition& target,
               const kafka::RebatchSettings& settings, std::uint64_t skip_records);

  // A batch that is ready, without reading anything.
  std::optional<kafka::OutputBatch> ready();
  // Bytes that the next read() needs in memory; 0 when there is nothing left to read.
  std::size_t next_bytes() const;
  // Reads the next block; its batches are then ready(). `lease` pays for it. Throws corrupt, naming object,
  // partition and offsets, for bytes that are not those that were stored.
  void read(const Context& ctx, ByteBudget::Lease lease);
  bool finished() const { return next_bytes() == 0; }

 private:
  struct Memory;
  const archive::Block* next_block() const;
  void skip_whole_blocks();
  void add_batches(const SourcePartition& source, const archive::Block& block,
                   const std::shared_ptr<Memory>& memory);
  std::shared_ptr<Buffer> stored_bytes(const Context& ctx, const SourcePartition& source,
                                       const archive::Block& block) const;

  storage::ObjectStore& store_;
  const RestorePlan& plan_;
  const TargetPartition& target_;
  std::uint64_t skip_records_;
  std::size_t source_ = 0, block_ = 0;  // to be read next
  std::optional<kafka::Rebatcher> rebatcher_;
};

}  // namespace kb::engine
