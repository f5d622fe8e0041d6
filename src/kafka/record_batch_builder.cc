#include "kafka/record_batch_builder.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "kafka/varint.h"

namespace kb::kafka {

std::string encode_batch(BatchHeader header, std::string_view records, CompressionType codec,
                         std::optional<int> level) {
  std::string bytes(batch_header_bytes, '\0');
  compress(codec, records, bytes, level);
  header.attributes = static_cast<std::int16_t>((header.attributes & ~RecordBatch::compression_mask) |
                                                static_cast<int>(codec));
  write_header(bytes, header);
  return bytes;
}

RecordBatchBuilder::Deltas RecordBatchBuilder::deltas(const RecordFrame& frame) const {
  const auto base = record_count_ == 0 ? frame.timestamp : base_timestamp_;
  // Wraps around as the reader's addition does.
  const auto timestamp = static_cast<std::int64_t>(static_cast<std::uint64_t>(frame.timestamp) -
                                                   static_cast<std::uint64_t>(base));
  const auto offset = frame.offset - base_offset_;
  CHECK(offset > last_offset_delta_ && offset <= std::numeric_limits<std::int32_t>::max());
  return {.timestamp = timestamp,
          .offset = static_cast<std::int32_t>(offset),
          .length = 1 + varlong_bytes(timestamp) + varlong_bytes(offset) + frame.body.size()};
}

std::size_t RecordBatchBuilder::size_bytes_with(const RecordFrame& frame) const {
  const auto length = deltas(frame).length;
  return size_bytes() + varlong_bytes(static_cast<std::int64_t>(length)) + length;
}

void RecordBatchBuilder::add(const RecordFrame& frame) {
  const auto deltas = this->deltas(frame);
  const auto length = static_cast<std::int64_t>(deltas.length);
  if (record_count_ == 0) {
    bytes_.resize(batch_header_bytes);
    base_timestamp_ = max_timestamp_ = frame.timestamp;
  }
  char front[varint_bytes_max + 1 + varlong_bytes_max + varint_bytes_max];
  char* end = write_varlong(front, length);
  *end++ = static_cast<char>(frame.attributes);
  end = write_varlong(write_varlong(end, deltas.timestamp), deltas.offset);
  bytes_.append(front, end);
  bytes_.append(frame.body);
  max_timestamp_ = std::max(max_timestamp_, frame.timestamp);
  last_offset_delta_ = deltas.offset;
  ++record_count_;
}

void RecordBatchBuilder::add(const Record& record) {
  std::string body;
  append_body(body, record);
  add(RecordFrame{
      .offset = record.offset, .timestamp = record.timestamp, .attributes = record.attributes, .body = body});
}

BatchHeader RecordBatchBuilder::header() const {
  CHECK(record_count_ > 0);
  return {.base_offset = base_offset_,
          .last_offset_delta = last_offset_delta_,
          .base_timestamp = base_timestamp_,
          .max_timestamp = max_timestamp_,
          .record_count = record_count_};
}

std::string RecordBatchBuilder::batch(const Options& options) const {
  auto header = this->header();
  header.leader_epoch = options.leader_epoch;
  header.attributes = options.more_attributes;
  header.last_offset_delta += options.trailing_offsets;
  header.producer = options.producer;
  return encode_batch(header, std::string_view(bytes_).substr(batch_header_bytes), options.codec,
                      options.level);
}

std::string RecordBatchBuilder::take_uncompressed(std::int64_t base_offset) {
  write_header(bytes_, header());
  auto taken = std::move(bytes_);
  *this = RecordBatchBuilder(base_offset);
  return taken;
}

}  // namespace kb::kafka
