// Record batches of message format version 2 as raw bytes: seen, walked, checked and re-stamped without
// decoding a record.
//
// Source: KIP-98 (message format), KIP-534 (delete horizon),
// https://kafka.apache.org/documentation/#recordbatch. All integers are big-endian; batch_layout says where
// each field starts. The records are compressed as a whole. The CRC-32C covers everything from attributes on.
// Everything here is pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "kafka/big_endian.h"
#include "kafka/compression.h"

namespace kb::kafka {

namespace batch_layout {
constexpr std::size_t base_offset = 0, batch_length = 8, leader_epoch = 12, magic = 16, crc = 17,
                      attributes = 21, last_offset_delta = 23, base_timestamp = 27, max_timestamp = 35,
                      producer_id = 43, producer_epoch = 51, base_sequence = 53, record_count = 57,
                      records = 61;
// What batch_length does not count: base_offset and itself.
constexpr std::size_t uncounted_bytes = 12;
}  // namespace batch_layout
constexpr std::size_t batch_header_bytes = batch_layout::records;

// A view over one whole batch; the bytes must outlive it. Made by next_batch() and RecordBatch::whole(),
// which check that lengths, counts and offsets are possible; the CRC is checked only by crc_matches().
class RecordBatch {
 public:
  static constexpr std::int16_t compression_mask = 0x07, log_append_time_bit = 0x08, transactional_bit = 0x10,
                                control_bit = 0x20, delete_horizon_bit = 0x40;

  // The one batch that fills `bytes`. Throws as next_batch() does, and Error corrupt when it does not fill
  // them.
  static RecordBatch whole(std::string_view bytes);

  std::string_view bytes() const { return bytes_; }
  std::size_t size_bytes() const { return bytes_.size(); }
  // The records, compressed when codec() says so.
  std::string_view payload() const { return bytes_.substr(batch_header_bytes); }

  std::int64_t base_offset() const { return read<std::int64_t>(batch_layout::base_offset); }
  std::int32_t batch_length() const { return read<std::int32_t>(batch_layout::batch_length); }
  std::int32_t leader_epoch() const { return read<std::int32_t>(batch_layout::leader_epoch); }
  std::int8_t magic() const { return read<std::int8_t>(batch_layout::magic); }
  std::uint32_t crc() const { return read<std::uint32_t>(batch_layout::crc); }
  std::int16_t attributes() const { return read<std::int16_t>(batch_layout::attributes); }
  std::int32_t last_offset_delta() const { return read<std::int32_t>(batch_layout::last_offset_delta); }
  std::int64_t base_timestamp() const { return read<std::int64_t>(batch_layout::base_timestamp); }
  std::int64_t max_timestamp() const { return read<std::int64_t>(batch_layout::max_timestamp); }
  std::int64_t producer_id() const { return read<std::int64_t>(batch_layout::producer_id); }
  std::int16_t producer_epoch() const { return read<std::int16_t>(batch_layout::producer_epoch); }
  std::int32_t base_sequence() const { return read<std::int32_t>(batch_layout::base_sequence); }
  // Of the records that are there; compaction makes it smaller than the offsets the batch spans, down to 0.
  std::int32_t record_count() const { return read<std::int32_t>(batch_layout::record_count); }

  // Throws Error invalid for an id that Kafka has not given out.
  CompressionType codec() const { return compression_type(attributes() & compression_mask); }
  // Then the timestamp of every record is max_timestamp(), whatever the records say.
  bool is_log_append_time() const { return (attributes() & log_append_time_bit) != 0; }
  bool is_transactional() const { return (attributes() & transactional_bit) != 0; }
  bool is_control() const { return (attributes() & control_bit) != 0; }
  // Then base_timestamp() is the time at which the cleaner may remove the tombstones or markers in here, not
  // the first record's timestamp. The records' timestamp deltas count from it all the same (KIP-534).
  bool has_delete_horizon() const { return (attributes() & delete_horizon_bit) != 0; }

  std::int64_t last_offset() const { return base_offset() + last_offset_delta(); }
  // The offset to fetch next: never "last record + 1", as the last record may have been compacted away.
  std::int64_t next_offset() const { return last_offset() + 1; }
  // No record is missing between base_offset() and last_offset().
  bool is_dense() const { return record_count() == static_cast<std::int64_t>(last_offset_delta()) + 1; }

  bool crc_matches() const { return checked_crc32c().has_value(); }
  // CRC-32C of all of bytes(), in one pass over the payload; nothing when crc() does not match.
  std::optional<std::uint32_t> checked_crc32c() const;

 private:
  explicit RecordBatch(std::string_view bytes) : bytes_(bytes) {}
  friend std::optional<RecordBatch> next_batch(std::string_view& rest);
  template <class Int>
  Int read(std::size_t at) const {
    return read_big_endian<Int>(bytes_.data() + at);
  }
  void check_header() const;

  std::string_view bytes_;
};

// Takes the next whole batch off the front of `rest`, which holds what a fetch answer or a log segment holds.
// Empty at the end and where only a part of a batch is left (fetch answers end like that); `rest` then stays
// as it is. Throws Error corrupt for impossible lengths, counts, offsets or versions, and Error invalid for
// message format versions 0 and 1 (before Kafka 0.11): they are refused, not misread.
std::optional<RecordBatch> next_batch(std::string_view& rest);

struct ProducerStamp {
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
};

// Makes one whole stored batch ready to be produced by ourselves, in place: base_offset 0, leader_epoch -1,
// not transactional, `stamp` as its producer. The CRC follows by linearity from the old one, in O(log size)
// and without reading the records; so a CRC that was wrong stays wrong and the broker finds what the disk
// did.
void restamp(std::span<char> batch, const ProducerStamp& stamp);

struct BatchHeader {
  std::int64_t base_offset = 0;
  std::int32_t leader_epoch = -1;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp = -1;
  std::int64_t max_timestamp = -1;
  ProducerStamp producer;
  std::int32_t record_count = 0;
};
// Fills the first batch_header_bytes of `batch`, whose payload is already behind them; batch_length and CRC
// follow from it.
void write_header(std::span<char> batch, const BatchHeader& header);

}  // namespace kb::kafka
