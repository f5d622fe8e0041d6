#include "kafka/record.h"

#include "base/error.h"
#include "kafka/record_batch_builder.h"
#include "kafka/record_generator.h"
#include "kafka/varint.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::kafka;

namespace {

// A batch around records given as bytes, with a CRC that fits.
std::string batch_around(std::string_view records, std::int32_t count, std::int32_t last_offset_delta) {
  return encode_batch({.base_offset = 100,
                       .last_offset_delta = last_offset_delta,
                       .base_timestamp = 1000,
                       .max_timestamp = 5000,
                       .record_count = count},
                      records, CompressionType::none);
}

std::string complaint(const std::string& bytes) {
  try {
    read_records(RecordBatch::whole(bytes));
  } catch (const Error& error) {
    CHECK_EQ(error.kind(), ErrorKind::corrupt);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("varints are written in the fewest bytes and read back") {
  RecordGenerator random(9);
  for (int round = 0; round < 20'000; ++round) {
    const auto shift = random.between(0, 63);
    const auto value =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(random.between(INT64_MIN, INT64_MAX)) >> shift) *
        (random.one_in(2) ? 1 : -1);
    char bytes[varlong_bytes_max];
    const char* const end = write_varlong(bytes, value);
    REQUIRE_EQ(static_cast<std::size_t>(end - bytes), varlong_bytes(value));
    std::int64_t read = 0;
    const char* at = bytes;
    REQUIRE(read_varlong(at, end, read));
    REQUIRE_EQ(at, end);
    REQUIRE_EQ(read, value);
    at = bytes;
    REQUIRE_FALSE(read_varlong(at, end - 1, read));
    std::int32_t narrow = 0;
    at = bytes;
    REQUIRE_EQ(read_varint(at, end, narrow), value == static_cast<std::int32_t>(value));
  }
  // Protocol Buffers' examples of sint64.
  CHECK_EQ(zig_zag(0), 0);
  CHECK_EQ(zig_zag(-1), 1);
  CHECK_EQ(zig_zag(1), 2);
  CHECK_EQ(zig_zag(2147483647), 4294967294);
  CHECK_EQ(zig_zag(-2147483648), 4294967295);
  const std::string endless(11, '\x80');
  const char* at = endless.data();
  std::int64_t value = 0;
  CHECK_FALSE(read_varlong(at, at + endless.size(), value));
}

TEST_CASE("a record made by hand from the documented layout") {
  // length 18, attributes 0, timestamp +10, offset +0, key "k", value empty, 2 headers: h=null, \xff=""
  const std::string record("\x1c\0\x14\0\2k\0\4\2h\1\2\xff\0", 14);
  // length 7: no key, no value, no headers; offset +2, timestamp -1
  const std::string second("\x0c\0\1\4\1\1\0", 7);
  // The first length field is 13 bytes: 0x1a.
  const auto bytes = batch_around("\x1a" + record.substr(1) + second, 2, 3);
  const auto records = read_records(RecordBatch::whole(bytes));
  REQUIRE_EQ(records.size(), 2);
  CHECK_EQ(records[0], OwnedRecord{100, 1010, "k", "", {{"h", std::nullopt}, {"\xff", ""}}});
  CHECK_EQ(records[1], OwnedRecord{102, 999, std::nullopt, std::nullopt, {}});
}

TEST_CASE("what the builder writes the reader reads, in every codec") {
  RecordGenerator random(10);
  for (int round = 0; round < 3000; ++round) {
    const auto base = random.between(0, 1'000'000);
    const auto records = random.records(base, random.between(1, 40), random.one_in(2));
    const auto trailing = static_cast<std::int32_t>(random.between(0, 5));
    const auto bytes = make_batch(base, records, {.codec = random.codec(), .trailing_offsets = trailing});
    const auto batch = RecordBatch::whole(bytes);
    REQUIRE(batch.crc_matches());
    REQUIRE_EQ(batch.record_count(), static_cast<std::int32_t>(records.size()));
    REQUIRE_EQ(batch.next_offset(), records.back().offset + 1 + trailing);
    REQUIRE_EQ(batch.base_timestamp(), records.front().timestamp);
    REQUIRE_EQ(batch.max_timestamp(), std::ranges::max(records, {}, &OwnedRecord::timestamp).timestamp);
    REQUIRE_EQ(read_records(batch), records);
  }
}

TEST_CASE("the builder knows sizes beforehand") {
  RecordGenerator random(11);
  RecordBatchBuilder builder(0);
  std::string body;
  for (int offset = 0; offset < 2000; ++offset) {
    const auto record = random.record(offset, 20'000 >> random.between(0, 12));
    body.clear();
    append_body(body, record.view());
    const RecordFrame frame{.offset = record.offset, .timestamp = record.timestamp, .body = body};
    const auto expected = builder.size_bytes_with(frame);
    builder.add(frame);
    REQUIRE_EQ(builder.size_bytes(), expected);
  }
  CHECK_EQ(builder.batch({}).size(), builder.size_bytes());
  const auto size = builder.size_bytes();
  const auto copy = builder.batch({});
  const auto taken = builder.take_uncompressed(5);
  CHECK_EQ(taken.size(), size);
  CHECK_EQ(taken, copy);
  CHECK_EQ(builder.record_count(), 0);
  builder.add(OwnedRecord{6, 0, {}, {}, {}}.view());
  const auto next = builder.take_uncompressed();
  CHECK_EQ(RecordBatch::whole(next).base_offset(), 5);
  CHECK_EQ(RecordBatch::whole(next).last_offset(), 6);
}

TEST_CASE("LogAppendTime gives every record the batch's time, a delete horizon changes none") {
  const auto records = RecordGenerator(12).records(50, 9, false);
  auto expected = records;
  const auto plain = make_batch(50, records, {});
  const auto stamped = make_batch(50, records, {.more_attributes = RecordBatch::log_append_time_bit});
  const auto max = RecordBatch::whole(plain).max_timestamp();
  for (auto& record : expected) record.timestamp = max;
  CHECK_EQ(read_records(RecordBatch::whole(stamped)), expected);

  // Written by the cleaner: base_timestamp is the horizon, and deltas count from there.
  RecordBatchBuilder around(49);
  auto horizon = OwnedRecord{49, 1'800'000'000'000, {}, {}, {}};
  around.add(horizon.view());
  for (const auto& record : records) around.add(record.view());
  const auto with_horizon = around.batch({});
  const auto view = RecordBatch::whole(with_horizon);
  RecordReader reader(view, view.payload());
  RecordFrame first;
  reader.next(first);
  const auto rest =
      view.payload().substr(static_cast<std::size_t>(first.body.end() - view.payload().begin()));
  const auto cleaned = encode_batch({.base_offset = 49,
                                     .attributes = RecordBatch::delete_horizon_bit,
                                     .last_offset_delta = view.last_offset_delta(),
                                     .base_timestamp = 1'800'000'000'000,
                                     .max_timestamp = max,
                                     .record_count = static_cast<std::int32_t>(records.size())},
                                    rest, CompressionType::none);
  CHECK_EQ(read_records(RecordBatch::whole(cleaned)), records);
}

TEST_CASE("a batch without records has none, whatever its codec") {
  for (const auto codec : all_codecs) {
    const auto bytes = encode_batch({.attributes = static_cast<std::int16_t>(codec), .last_offset_delta = 9},
                                    {}, CompressionType::none);
    const auto batch = RecordBatch::whole(bytes);
    CHECK_EQ(batch.next_offset(), 10);
    CHECK(read_records(batch).empty());
  }
}

TEST_CASE("damage is named by batch and record") {
  const std::string good("\x0c\0\0\0\1\1\0", 7), next("\x0c\0\0\2\1\1\0", 7);
  CHECK_EQ(complaint(batch_around(good + next, 2, 1)), "");
  CHECK_EQ(complaint(batch_around(good, 2, 1)),
           "the batch at offset 100 is damaged at record 1 of 2: its length is cut off");
  CHECK_EQ(complaint(batch_around(good + next.substr(0, 5), 2, 1)),
           "the batch at offset 100 is damaged at record 1 of 2: its length is impossible");
  CHECK_EQ(complaint(batch_around(std::string("\0", 1) + next, 2, 1)),
           "the batch at offset 100 is damaged at record 0 of 2: its length is impossible");
  CHECK_EQ(complaint(batch_around(good + good, 2, 1)),
           "the batch at offset 100 is damaged at record 1 of 2: its offset is out of order or outside of "
           "the batch");
  CHECK_EQ(complaint(batch_around(next, 1, 0)),
           "the batch at offset 100 is damaged at record 0 of 1: its offset is out of order or outside of "
           "the batch");
  CHECK_EQ(complaint(batch_around(good + next, 1, 1)),
           "the batch at offset 100 is damaged at record 1 of 1: bytes follow the last record");
  CHECK_EQ(complaint(batch_around(std::string("\2\0", 2), 1, 0)),
           "the batch at offset 100 is damaged at record 0 of 1: its timestamp is cut off");
  CHECK_EQ(complaint(batch_around(std::string("\4\0\0", 3), 1, 0)),
           "the batch at offset 100 is damaged at record 0 of 1: its offset is cut off");
  const auto body = [](std::string_view bytes) {
    return batch_around(
        std::string(1, static_cast<char>((3 + bytes.size()) * 2)) + std::string(3, '\0') + std::string(bytes),
        1, 0);
  };
  CHECK_EQ(complaint(body("")), "the record at offset 100 is damaged at its key");
  CHECK_EQ(complaint(body("\x08kk")), "the record at offset 100 is damaged at its key");
  CHECK_EQ(complaint(body("\1\x08v")), "the record at offset 100 is damaged at its value");
  CHECK_EQ(complaint(body("\1\1")), "the record at offset 100 is damaged at its headers");
  CHECK_EQ(complaint(body("\1\1\x7f")), "the record at offset 100 is damaged at its headers");
  CHECK_EQ(complaint(body("\1\1\2\1\1")), "the record at offset 100 is damaged at its header key");
  CHECK_EQ(complaint(body("\1\1\2\2h\x08")), "the record at offset 100 is damaged at its header value");
  CHECK_EQ(complaint(body(std::string_view("\1\1\0x", 4))), "the record at offset 100 is damaged at its end");
}

TEST_CASE("records that inflate beyond the limit name their batch") {
  const auto bytes = make_batch(31, {OwnedRecord{31, 0, {}, std::string(100'000, 'x'), {}}},
                                {.codec = CompressionType::zstd});
  std::string scratch;
  CHECK_THROWS_WITH_AS(inflate_records(RecordBatch::whole(bytes), scratch, 1000),
                       "the batch at offset 31: zstd data inflates to more than 1000 bytes", Error);
}

TEST_CASE("random bytes for records are read or refused") {
  RecordGenerator random(13);
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto records = std::string(make_batch(0, random.records(0, 3, false, 10), {})).substr(batch_header_bytes);
    for (auto left = random.between(1, 3); left > 0; --left)
      records[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(records.size()) - 1))] =
          static_cast<char>(random.between(0, 255));
    refused += !complaint(batch_around(records, 3, 2)).empty();
  }
  CHECK_GT(refused, 5000);
}
