// The records inside a batch: read without copying, written one after another.
//
// Source: KIP-82 (headers), KIP-98, KIP-534, https://kafka.apache.org/documentation/#record. A record is
//   length varint | attributes int8 | timestamp delta varlong | offset delta varint | body
//   body = key length varint, key | value length varint, value | header count varint, headers
//   header = key length varint, key | value length varint, value
// where length counts what follows it, and a negative length is null (header keys cannot be null). Offset
// deltas count from the batch's base_offset, timestamp deltas from its base_timestamp. Everything here is
// pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/record_batch.h"

namespace kb::kafka {

// What has to change when a record moves to another batch, and the rest, which never changes.
struct RecordFrame {
  std::int64_t offset = 0;
  // In ms. What a consumer sees: the batch's max_timestamp when that is LogAppendTime.
  std::int64_t timestamp = 0;
  std::int8_t attributes = 0;
  std::string_view body;  // not looked at, see parse_record()
};

struct RecordHeader {
  std::string_view key;
  std::optional<std::string_view> value;  // null is not empty
  bool operator==(const RecordHeader&) const = default;
};

struct Record {
  std::int64_t offset = 0;
  std::int64_t timestamp = 0;
  std::int8_t attributes = 0;
  std::optional<std::string_view> key, value;  // null is not empty; bytes, not text
  std::vector<RecordHeader> headers;           // in order, keys may repeat
  bool operator==(const Record&) const = default;
};

// The records of the batch as they are before compression: its payload, or `scratch` filled from it. Throws
// as decompress() does, naming the batch.
std::string_view inflate_records(const RecordBatch& batch, std::string& scratch, std::size_t bytes_max);

// Reads the frames of a batch's records in order.
class RecordReader {
 public:
  // `records` is what inflate_records() gave; batch and records must outlive what is read.
  RecordReader(const RecordBatch& batch, std::string_view records);
  // False behind the last record. Throws Error corrupt, naming batch and index of the record, when a record
  // ends outside of `records`, offsets do not rise or leave the batch, or bytes are left behind the last
  // record.
  bool next(RecordFrame& frame);

 private:
  [[noreturn]] void damaged(std::string_view why) const;

  const RecordBatch batch_;
  const char* at_;
  const char* const end_;
  const std::int64_t base_timestamp_;
  const bool log_append_time_;
  std::int32_t index_ = 0;  // of the record to be read next
  std::int32_t previous_delta_ = -1;
};

// Key, value and headers of a frame, as views of it. Throws Error corrupt, naming the offset, when they do
// not fill the body exactly.
Record parse_record(const RecordFrame& frame);

// Appends the body that parse_record() reads.
void append_body(std::string& out, const Record& record);

}  // namespace kb::kafka
