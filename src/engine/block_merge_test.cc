#include "engine/block_merge.h"

#include "base/checksum.h"
#include "kafka/record_batch_builder.h"
#include "kafka/record_generator.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

// Blocks as a broker's answers give them, one for each batch.
struct Fixture {
  std::vector<archive::PendingBlock> blocks;
  std::string all;  // of partition 0

  void add(std::int32_t partition, std::int64_t first, std::int64_t count) {
    kafka::BatchHeader header{.base_offset = first,
                              .leader_epoch = static_cast<std::int32_t>(first / 10),
                              .last_offset_delta = static_cast<std::int32_t>(count - 1),
                              .base_timestamp = 1000 + first,
                              .max_timestamp = 2000 + first,
                              .record_count = static_cast<std::int32_t>(count)};
    auto bytes = std::make_shared<std::string>(
        kafka::encode_batch(header, std::string(200, 'x'), kafka::CompressionType::none));
    if (partition == 0) all += *bytes;
    archive::PendingBlock pending{.stream = {"orders", partition, "l"},
                                  .block = {.first_offset = first,
                                            .next_offset = first + count,
                                            .records = static_cast<std::uint64_t>(count),
                                            .base_timestamp_min = 1000 + first,
                                            .max_timestamp = 2000 + first,
                                            .leader_epoch = static_cast<std::int32_t>(first / 10),
                                            .stored_bytes = static_cast<std::uint32_t>(bytes->size()),
                                            .raw_bytes = static_cast<std::uint32_t>(bytes->size())},
                                  .parts = {*bytes},
                                  .owners = {bytes},
                                  .crc = crc32c(*bytes)};
    blocks.push_back(std::move(pending));
  }
  std::string bytes(const archive::PendingBlock& pending) const {
    std::string out;
    for (auto part : pending.parts) out += part;
    return out;
  }
};

constexpr BlockSettings as_they_are{.encoding = archive::BlockEncoding::as_is};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "blocks that follow each other become one, with all figures") {
  add(0, 10, 5);
  add(1, 0, 3);
  add(0, 15, 6);
  blocks.push_back({.stream = {"orders", 0, "l"},
                    .block = {.first_offset = 21, .next_offset = 23, .holes = {.control = 2}}});
  add(0, 23, 2);
  merge_blocks(blocks, as_they_are);
  REQUIRE(blocks.size() == 2);
  const auto& block = blocks[0].block;
  CHECK(block.first_offset == 10);
  CHECK(block.next_offset == 25);
  CHECK(block.records == 13);
  CHECK(block.holes.control == 2);
  CHECK(block.base_timestamp_min == 1010);
  CHECK(block.max_timestamp == 2023);
  CHECK(block.leader_epoch == 2);
  CHECK(block.raw_bytes == all.size());
  CHECK(bytes(blocks[0]) == all);
  CHECK(blocks[0].crc == crc32c(all));
  CHECK(blocks[1].stream.partition == 1);
}

TEST_CASE_FIXTURE(Fixture, "what was lost stays a block of its own, as the history is read from it") {
  blocks.push_back(
      {.stream = {"orders", 0, "l"}, .block = {.first_offset = 5, .next_offset = 10, .holes = {.lost = 5}}});
  add(0, 10, 5);
  merge_blocks(blocks, as_they_are);
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].block.next_offset == 10);
  CHECK(blocks[1].block.records == 5);
}

TEST_CASE_FIXTURE(Fixture, "a gap, another codec taken off and the size end a block") {
  add(0, 10, 5);
  add(0, 16, 5);
  merge_blocks(blocks, as_they_are);
  CHECK(blocks.size() == 2);
  add(0, 21, 5);
  blocks.back().block.inflated_from = 1;
  merge_blocks(blocks, as_they_are);
  CHECK(blocks.size() == 3);
  add(0, 26, 5);
  blocks.back().block.inflated_from = 1;
  auto small = as_they_are;
  small.block_bytes_target = blocks.back().block.raw_bytes;
  merge_blocks(blocks, small);
  CHECK(blocks.size() == 4);
  merge_blocks(blocks, as_they_are);
  CHECK(blocks.size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "a merged block is compressed as a whole") {
  add(0, 10, 5);
  add(0, 15, 6);
  merge_blocks(blocks, {.encoding = archive::BlockEncoding::zstd});
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].block.encoding == archive::BlockEncoding::zstd);
  CHECK(blocks[0].block.stored_bytes < all.size());
  std::string scratch;
  const auto stored = bytes(blocks[0]);
  CHECK(raw_batches(blocks[0].block, stored, scratch) == all);
}
