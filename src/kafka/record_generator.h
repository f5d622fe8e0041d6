// Random records and batches for tests and benchmarks: the same seed gives the same ones.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/record_batch_builder.h"

namespace kb::kafka {

constexpr CompressionType all_codecs[] = {CompressionType::none, CompressionType::gzip,
                                          CompressionType::snappy, CompressionType::lz4,
                                          CompressionType::zstd};

// A record that owns its bytes.
struct OwnedRecord {
  std::int64_t offset = 0, timestamp = 0;
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  bool operator==(const OwnedRecord&) const = default;

  Record view() const {
    Record record{.offset = offset, .timestamp = timestamp, .key = key, .value = value};
    for (const auto& [name, content] : headers) record.headers.push_back({name, content});
    return record;
  }
  static OwnedRecord copy(const Record& record) {
    const auto own = [](const std::optional<std::string_view>& bytes) {
      return bytes ? std::optional<std::string>(*bytes) : std::nullopt;
    };
    OwnedRecord owned{record.offset, record.timestamp, own(record.key), own(record.value), {}};
    for (const auto& header : record.headers) owned.headers.emplace_back(header.key, own(header.value));
    return owned;
  }
};

class RecordGenerator {
 public:
  explicit RecordGenerator(std::uint64_t seed) : random_(seed) {}

  std::int64_t between(std::int64_t low, std::int64_t high) {  // inclusive
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool one_in(std::int64_t n) { return between(1, n) == 1; }
  CompressionType codec() { return all_codecs[between(0, 4)]; }
  // Half text that compresses, half noise that does not.
  std::string bytes(std::size_t size) {
    const bool noise = one_in(2);
    std::string made(size, '\0');
    std::ranges::generate(made,
                          [&] { return static_cast<char>(noise ? between(0, 255) : between('a', 'd')); });
    return made;
  }
  // Null, empty or up to size_max bytes.
  std::optional<std::string> nullable_bytes(std::int64_t size_max) {
    if (one_in(6)) return {};
    return bytes(one_in(6) ? 0 : static_cast<std::size_t>(between(0, size_max)));
  }
  std::int64_t timestamp() {
    constexpr std::int64_t now = 1'700'000'000'000, far = std::numeric_limits<std::int64_t>::max();
    if (one_in(20)) return one_in(2) ? 0 : one_in(2) ? -1 : far - between(0, 3);
    return now + between(-100'000, 100'000);
  }
  OwnedRecord record(std::int64_t offset, std::int64_t value_bytes_max = 300) {
    OwnedRecord made{offset, timestamp(), nullable_bytes(20), nullable_bytes(value_bytes_max), {}};
    for (auto left = one_in(3) ? between(0, 4) : 0; left > 0; --left)
      made.headers.emplace_back(one_in(3) ? "same" : bytes(static_cast<std::size_t>(between(0, 5))),
                                nullable_bytes(9));
    return made;
  }
  // Records from `offset` on; `with_holes` leaves some offsets out.
  std::vector<OwnedRecord> records(std::int64_t offset, std::int64_t count, bool with_holes,
                                   std::int64_t value_bytes_max = 300) {
    std::vector<OwnedRecord> made;
    for (; count > 0; --count) {
      if (with_holes && one_in(3)) offset += between(1, one_in(10) ? 100'000 : 3);
      made.push_back(record(offset++, value_bytes_max));
    }
    return made;
  }

 private:
  std::mt19937_64 random_;
};

inline std::string make_batch(std::int64_t base_offset, const std::vector<OwnedRecord>& records,
                              const RecordBatchBuilder::Options& options) {
  RecordBatchBuilder builder(base_offset);
  for (const auto& record : records) builder.add(record.view());
  return builder.batch(options);
}

inline std::vector<OwnedRecord> read_records(const RecordBatch& batch) {
  constexpr std::size_t bytes_max = 64 * 1024 * 1024;
  std::string scratch;
  std::vector<OwnedRecord> records;
  RecordReader reader(batch, inflate_records(batch, scratch, bytes_max));
  for (RecordFrame frame; reader.next(frame);) records.push_back(OwnedRecord::copy(parse_record(frame)));
  return records;
}

}  // namespace kb::kafka
