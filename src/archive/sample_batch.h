// For tests: Kafka record batches (magic 2, uncompressed) whose records can be told from their place. Written
// from the layout in Kafka's documentation, "Record Batch" and "Record".
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "archive/varint.h"
#include "base/checksum.h"
#include "base/error.h"

namespace kb::archive::sample {

inline std::int64_t timestamp_at(std::int64_t offset) {
  return 1'735'689'600'000 + 10 * offset;
}

template <class T>
std::string big_endian(T value) {
  std::string bytes;
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

// Record bytes with a varint length in front; Kafka's varints are the zigzag ones of index bodies.
inline std::string with_length(const std::string& bytes) {
  ByteWriter out;
  out.sint(static_cast<std::int64_t>(bytes.size()));
  return std::move(out).take() + bytes;
}

inline std::string make_record(std::string_view topic, std::int32_t partition, std::int64_t offset,
                               std::int64_t delta) {
  ByteWriter deltas;
  deltas.sint(10 * delta);
  deltas.sint(delta);
  auto key = fmt::format("k{}", offset), value = fmt::format("{}/{} at {}", topic, partition, offset);
  std::string no_headers(1, 0), attributes(1, 0);
  return with_length(attributes + std::move(deltas).take() + with_length(key) + with_length(value) +
                     no_headers);
}

// Records at all offsets of [first, next).
inline std::string make_batch(std::string_view topic, std::int32_t partition, std::int64_t first,
                              std::int64_t next) {
  auto count = static_cast<std::int32_t>(next - first);
  std::string covered = big_endian(std::int16_t{0}) + big_endian(count - 1) +
                        big_endian(timestamp_at(first)) + big_endian(timestamp_at(next - 1)) +
                        big_endian(std::int64_t{-1}) + big_endian(std::int16_t{-1}) +
                        big_endian(std::int32_t{-1}) + big_endian(count);
  for (auto offset = first; offset < next; ++offset)
    covered += make_record(topic, partition, offset, offset - first);
  const std::int32_t leader_epoch = 3;
  auto length = static_cast<std::int32_t>(4 + 1 + 4 + covered.size());
  return big_endian(first) + big_endian(length) + big_endian(leader_epoch) + "\2" +
         big_endian(crc32c(covered)) + covered;
}

// Walks batches, checking magic and CRC; gives the sum of their record counts.
inline std::uint64_t count_records(std::string_view batches) {
  auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (auto c : batches.substr(at, 4)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  };
  std::uint64_t records = 0;
  while (!batches.empty()) {
    if (batches.size() < 61 || batches.size() < 12 + number(8))
      fail(ErrorKind::corrupt, "{} bytes of a batch", batches.size());
    auto batch = batches.substr(0, 12 + number(8));
    if (batch[16] != 2 || crc32c(batch.substr(21)) != number(17)) fail(ErrorKind::corrupt, "a damaged batch");
    records += number(57);
    batches.remove_prefix(batch.size());
  }
  return records;
}

}  // namespace kb::archive::sample
