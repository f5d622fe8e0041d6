// Makes record batches out of records: for those that have to be written anew, and for tests. Pure; an object
// belongs to one thread at a time.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kafka/record.h"

namespace kb::kafka {

// The batch of `records`, which are not compressed yet, under `header`, whose attributes get the codec.
std::string encode_batch(BatchHeader header, std::string_view records, CompressionType codec,
                         std::optional<int> level = {});

// Collects records one after another and makes a batch of them.
class RecordBatchBuilder {
 public:
  // Offsets of records count from `base_offset`, which the batch will carry.
  explicit RecordBatchBuilder(std::int64_t base_offset = 0) : base_offset_(base_offset) {}

  // Offsets must rise from the base offset on; what the frame points to is copied.
  void add(const RecordFrame& frame);
  void add(const Record& record);

  std::int32_t record_count() const { return record_count_; }
  // Of the batch without compression, now and with one more record.
  std::size_t size_bytes() const { return bytes_.empty() ? batch_header_bytes : bytes_.size(); }
  std::size_t size_bytes_with(const RecordFrame& frame) const;

  struct Options {
    CompressionType codec = CompressionType::none;
    std::optional<int> level = {};     // the codec's own
    std::int16_t more_attributes = 0;  // bits beside the codec, RecordBatch::..._bit
    ProducerStamp producer = {};
    std::int32_t leader_epoch = -1;
    std::int32_t trailing_offsets = 0;  // how many offsets behind the last record the batch spans
  };
  // The batch of at least one record; base_timestamp is the first one's, max_timestamp the greatest.
  std::string batch(const Options& options) const;
  // The same without codec, options and copy; the builder is empty afterwards and counts from `base_offset`.
  std::string take_uncompressed(std::int64_t base_offset = 0);

 private:
  struct Deltas {
    std::int64_t timestamp;
    std::int32_t offset;
    std::size_t length;  // of the record behind its length field
  };
  Deltas deltas(const RecordFrame& frame) const;
  BatchHeader header() const;

  std::int64_t base_offset_;
  std::string bytes_;  // room for the header, then the records; empty as long as there is no record
  std::int64_t base_timestamp_ = -1, max_timestamp_ = -1;
  std::int32_t last_offset_delta_ = -1, record_count_ = 0;
};

}  // namespace kb::kafka
