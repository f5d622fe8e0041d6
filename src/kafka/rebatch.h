// Turns stored batches into batches that a broker accepts from a producer, touching as few of them as
// possible.
//
// A broker refuses a batch with a hole (record_count != last_offset_delta + 1), with the control or
// transactional bit, with LogAppendTime, or above max.message.bytes, and takes only one batch per partition
// and request (Apache Kafka LogValidator.java, ProduceRequest.java). So a stored batch
//   - passes through, its bytes untouched and unread, when a broker takes it as it is once restamp() has been
//   there;
//   - is written anew when its records are not those that are wanted or not as they have to be: holes,
//   offsets outside
//     of the clip range, LogAppendTime (its records get max_timestamp as their own timestamp), a delete
//     horizon (it would make tombstones go at once), more bytes than allowed;
//   - is merged with its neighbours of the same codec when it is small. Uncompressed records are copied and
//   get new
//     deltas; compressed ones are inflated and compressed again with their codec.
// Pure; belongs to one thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kafka/record_batch_builder.h"

namespace kb::kafka {

// Offsets from `from` up to, not including, `to`.
struct OffsetRange {
  std::int64_t from = 0;
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
  bool contains(std::int64_t offset) const { return from <= offset && offset < to; }
  bool operator==(const OffsetRange&) const = default;
};

struct RebatchSettings {
  // Of the target topic. No output is larger.
  std::size_t max_message_bytes = 1'048'588;
  // Smaller batches are merged; 0 merges none. Merging compressed ones costs inflating and compressing again,
  // so only the small are worth it.
  std::size_t merge_below_bytes = 8 * 1024;
  std::size_t merge_compressed_below_bytes = 2 * 1024;
  // Of what is merged: stored bytes, and bytes before compression.
  std::size_t merged_bytes_max = 512 * 1024;
  std::uint64_t merged_records_max = std::numeric_limits<std::uint64_t>::max();
  std::size_t merged_inflated_bytes_max = 4 * 1024 * 1024;
  // What one batch may inflate to; beyond it is an error, not memory.
  std::size_t inflated_bytes_max = 256 * 1024 * 1024;
};

struct StoredBatch {
  // One whole batch. Passed on as it is when it needs no change, for restamp() to write into.
  std::span<char> bytes;
  // Keeps `bytes` alive as long as the rebatcher or an output needs them.
  std::shared_ptr<const void> owner;
  // Source offsets that are wanted of it.
  OffsetRange clip = {};
};

struct OutputBatch {
  // One whole batch, complete but for restamp(): base_offset, leader_epoch and producer may still be the
  // source's.
  std::span<char> bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
  std::int32_t record_count;          // > 0; as many offsets of the target
  // From the first record's source offset to the one behind the last record's. Outputs do not overlap.
  OffsetRange source;
};

// After flush(): records_in == records_clipped + records_skipped + records_out.
struct RebatchCounts {
  std::int64_t batches_in = 0, batches_out = 0;
  std::int64_t batches_passed = 0,
               batches_decoded = 0;  // of batches_in; the others were empty, clipped or skipped
  std::int64_t records_in = 0, records_clipped = 0, records_skipped = 0, records_out = 0;
  bool operator==(const RebatchCounts&) const = default;
};

// add() batches in the order of their offsets, take() outputs until there is none, flush() at the end or
// before another source partition begins. The same settings, skip and input give the same output bytes. With
// another `skip` the same records come in the same order, in batches that may begin and end elsewhere.
class Rebatcher {
 public:
  // The first `skip_records` of the wanted records are left out: they are in the target already.
  explicit Rebatcher(const RebatchSettings& settings, std::int64_t skip_records = 0);

  // Throws Error corrupt when the batch is damaged (its CRC is checked only when it has to be decoded), holds
  // control records, or overlaps with the one before; Error invalid when a record cannot be made to fit into
  // max_message_bytes. The rebatcher is of no use afterwards.
  void add(StoredBatch stored);
  void flush();
  // Copies what small batches still wait for neighbours: until flush() or the next add() nothing but outputs
  // keeps the memory of what was added.
  void keep_small();
  std::optional<OutputBatch> take();
  const RebatchCounts& counts() const { return counts_; }

 private:
  // Record number `first_record` of the run came from `source_offset`, the following ones from those behind
  // it.
  struct Stretch {
    std::int32_t first_record;
    std::int64_t source_offset;
  };

  // Ifs: what a batch needs.
  void check_order(const RecordBatch& batch, const OffsetRange& wanted);
  bool passable(const RecordBatch& batch, const OffsetRange& wanted) const;
  bool small(const RecordBatch& batch) const;
  bool fits_group(const RecordBatch& batch) const;
  // What is done to it.
  void pass(StoredBatch stored);
  void join_group(StoredBatch stored, bool passable);
  void close_group();
  void decode(const StoredBatch& stored);
  void append(const RecordFrame& frame);
  void close_run();
  void emit_compressed(const RecordBatch& records, std::int32_t first_record);
  void emit_halves(const RecordBatch& records, std::int32_t first_record);
  void emit(std::string bytes, std::int32_t first_record, std::int32_t count);
  std::int64_t source_offset(std::int32_t record) const;

  const RebatchSettings settings_;
  std::int64_t skip_;            // records still to be left out
  std::int64_t source_end_ = 0;  // wanted offsets below it have been added
  RebatchCounts counts_;
  std::deque<OutputBatch> ready_;

  // The group that small batches join: one that may still pass alone, or the run of the records of several.
  CompressionType codec_ = CompressionType::none;  // of the run
  std::size_t group_bytes_ = 0;                    // as stored; 0 without a group
  std::uint64_t group_records_ = 0;
  std::optional<StoredBatch> alone_;
  RecordBatchBuilder run_;
  std::vector<Stretch> stretches_;  // of the run
  std::int64_t stretch_end_ = 0;    // the source offset that would go on with the last stretch
};

}  // namespace kb::kafka
