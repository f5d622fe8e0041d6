#include "kafka/record_batch.h"

#include "base/checksum.h"
#include "base/error.h"
#include "kafka/record_generator.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::kafka;

namespace {

std::string sample(std::int64_t base_offset = 7, std::int64_t count = 3,
                   const RecordBatchBuilder::Options& options = {}) {
  return make_batch(base_offset, RecordGenerator(42).records(base_offset, count, false), options);
}

// The Error that walking `bytes` throws, as "kind: text".
std::string complaint(std::string_view bytes) {
  try {
    while (next_batch(bytes)) continue;
  } catch (const Error& error) {
    return fmt::format("{}: {}", info(error.kind()).name, error.what());
  }
  return {};
}

template <class Int>
std::string with(std::string bytes, std::size_t at, Int value) {
  write_big_endian(bytes.data() + at, value);
  return bytes;
}

}  // namespace

TEST_CASE("a batch made by hand from the documented layout reads as it was written") {
  // base_offset 258, batch_length 56, leader_epoch 9, magic 2, crc, attributes gzip|transactional ...
  std::string bytes;
  const auto put = [&](auto value) {
    char buffer[sizeof value];
    write_big_endian(buffer, value);
    bytes.append(buffer, sizeof value);
  };
  put(std::int64_t{258});
  put(std::int32_t{56});
  put(std::int32_t{9});
  put(std::int8_t{2});
  put(std::uint32_t{0xdeadbeef});
  put(std::int16_t{0x51});
  put(std::int32_t{4});
  put(std::int64_t{1000});
  put(std::int64_t{2000});
  put(std::int64_t{77});
  put(std::int16_t{3});
  put(std::int32_t{12});
  put(std::int32_t{2});
  bytes += "payload";
  REQUIRE_EQ(bytes.size(), batch_header_bytes + 7);
  const auto batch = RecordBatch::whole(bytes);
  CHECK_EQ(batch.base_offset(), 258);
  CHECK_EQ(batch.batch_length(), 56);
  CHECK_EQ(batch.size_bytes(), 68);
  CHECK_EQ(batch.leader_epoch(), 9);
  CHECK_EQ(batch.magic(), 2);
  CHECK_EQ(batch.crc(), 0xdeadbeef);
  CHECK_EQ(batch.codec(), CompressionType::gzip);
  CHECK(batch.is_transactional());
  CHECK(batch.has_delete_horizon());
  CHECK_FALSE(batch.is_control());
  CHECK_FALSE(batch.is_log_append_time());
  CHECK_EQ(batch.last_offset_delta(), 4);
  CHECK_EQ(batch.last_offset(), 262);
  CHECK_EQ(batch.next_offset(), 263);
  CHECK_EQ(batch.base_timestamp(), 1000);
  CHECK_EQ(batch.max_timestamp(), 2000);
  CHECK_EQ(batch.producer_id(), 77);
  CHECK_EQ(batch.producer_epoch(), 3);
  CHECK_EQ(batch.base_sequence(), 12);
  CHECK_EQ(batch.record_count(), 2);
  CHECK_FALSE(batch.is_dense());
  CHECK_EQ(batch.payload(), "payload");
  CHECK_FALSE(batch.crc_matches());
}

TEST_CASE("walking takes whole batches and stops at a partial tail of any length") {
  const auto first = sample(0, 3), second = sample(3, 5), both = first + second;
  for (std::size_t size = 0; size <= both.size(); ++size) {
    std::string_view rest = std::string_view(both).substr(0, size);
    std::size_t seen = 0;
    while (const auto batch = next_batch(rest)) {
      REQUIRE_EQ(batch->bytes(), seen == 0 ? first : second);
      REQUIRE(batch->crc_matches());
      ++seen;
    }
    REQUIRE_EQ(seen, (size >= first.size() ? 1 : 0) + (size >= both.size() ? 1 : 0));
    REQUIRE_EQ(rest.size(), size - (seen > 0 ? first.size() : 0) - (seen > 1 ? second.size() : 0));
  }
}

TEST_CASE("impossible headers are corrupt, and say where") {
  const auto good = sample();
  CHECK_EQ(complaint(with(good, 8, std::int32_t{48})),
           "corrupt: the batch at offset 7 claims the impossible length 48");
  CHECK_EQ(complaint(with(good, 8, std::int32_t{-1})),
           "corrupt: the batch at offset 7 claims the impossible length -1");
  CHECK_EQ(complaint(with(good, 57, std::int32_t{4})),
           "corrupt: the batch at offset 7 claims 4 records up to its offset delta 2");
  CHECK_EQ(complaint(with(good, 57, std::int32_t{-1})),
           "corrupt: the batch at offset 7 claims -1 records up to its offset delta 2");
  CHECK_EQ(complaint(with(good, 23, std::int32_t{-1})),
           "corrupt: the batch at offset 7 claims 3 records up to its offset delta -1");
  CHECK_EQ(complaint(with(good, 0, std::int64_t{-5})), "corrupt: a batch claims the impossible offset -5");
  CHECK_EQ(complaint(with(good, 0, std::numeric_limits<std::int64_t>::max())),
           "corrupt: a batch claims the impossible offset 9223372036854775807");
  CHECK_EQ(complaint(with(good, 16, std::int8_t{3})),
           "corrupt: the batch at offset 7 claims the unknown message format version 3");
  CHECK_EQ(complaint(with(good, 8, std::int32_t{1 << 30})), "");  // a partial batch, however long
}

TEST_CASE("old message formats are refused, not misread") {
  for (const std::int8_t magic : {std::int8_t{0}, std::int8_t{1}}) {
    // offset, size, crc, magic, attributes, [timestamp,] key and value null: the smallest old message.
    std::string old(magic == 0 ? 26 : 34, '\0');
    write_big_endian(old.data(), std::int64_t{1234});
    write_big_endian(old.data() + 8, static_cast<std::int32_t>(old.size() - 12));
    old[16] = static_cast<char>(magic);
    CHECK_EQ(
        complaint(old),
        fmt::format("invalid: the batch at offset 1234 has message format version {}, only 2 is supported",
                    magic));
  }
}

TEST_CASE("whole() wants exactly one batch") {
  const auto good = sample();
  CHECK_NOTHROW(RecordBatch::whole(good));
  CHECK_THROWS_AS(RecordBatch::whole(good + "x"), Error);
  CHECK_THROWS_AS(RecordBatch::whole(std::string_view(good).substr(1)), Error);
  CHECK_THROWS_AS(RecordBatch::whole(std::string_view(good).substr(0, good.size() - 1)), Error);
  CHECK_THROWS_AS(RecordBatch::whole({}), Error);
}

TEST_CASE("every flipped bit under the CRC is found, and none outside of it") {
  const auto good = sample();
  for (std::size_t bit = 17 * 8; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    std::string_view rest = bad;
    try {
      const auto batch = next_batch(rest);
      REQUIRE(batch);
      REQUIRE_FALSE(batch->crc_matches());
    } catch (const Error& error) {
      REQUIRE_EQ(error.kind(), ErrorKind::corrupt);
    }
  }
  CHECK(RecordBatch::whole(with(good, 0, std::int64_t{99})).crc_matches());
  CHECK(RecordBatch::whole(with(good, 12, std::int32_t{99})).crc_matches());
}

TEST_CASE("re-stamping writes our producer and keeps everything else, with a CRC that follows") {
  RecordGenerator random(8);
  for (int round = 0; round < 3000; ++round) {
    const auto base = random.between(0, 1'000'000'000'000);
    auto bytes =
        make_batch(base, random.records(base, random.between(1, 30), false),
                   {.codec = random.codec(),
                    .more_attributes = random.one_in(2) ? RecordBatch::transactional_bit : std::int16_t{0},
                    .producer = {random.between(0, 1000), 5, 77},
                    .leader_epoch = 12});
    const bool damaged = random.one_in(4);
    if (damaged) bytes[batch_header_bytes] = static_cast<char>(bytes[batch_header_bytes] ^ 1);
    const auto before_bytes = bytes;
    const auto before = RecordBatch::whole(before_bytes);
    const ProducerStamp stamp{random.between(0, 1'000'000),
                              static_cast<std::int16_t>(random.between(0, 30000)),
                              static_cast<std::int32_t>(random.between(0, 2'000'000'000))};
    restamp(bytes, stamp);
    const auto after = RecordBatch::whole(bytes);
    REQUIRE_EQ(after.crc_matches(), !damaged);
    REQUIRE_EQ(after.base_offset(), 0);
    REQUIRE_EQ(after.leader_epoch(), -1);
    REQUIRE_EQ(after.attributes(), before.attributes() & ~RecordBatch::transactional_bit);
    REQUIRE_EQ(after.producer_id(), stamp.producer_id);
    REQUIRE_EQ(after.producer_epoch(), stamp.producer_epoch);
    REQUIRE_EQ(after.base_sequence(), stamp.base_sequence);
    REQUIRE_EQ(after.payload(), before.payload());
    REQUIRE_EQ(after.record_count(), before.record_count());
    REQUIRE_EQ(after.base_timestamp(), before.base_timestamp());
    REQUIRE_EQ(after.max_timestamp(), before.max_timestamp());
    REQUIRE_EQ(after.last_offset_delta(), before.last_offset_delta());
  }
}
