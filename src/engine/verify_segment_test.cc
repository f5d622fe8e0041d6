#include "engine/verify_segment.h"

#include "engine/block_builder.h"
#include "kafka/record_generator.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

struct Made {
  archive::Block block;
  std::string stored;
};

// The block of batches that cover [0, 100) as far as they lie in [first, next), as a backup stores it.
Made make_block(std::int64_t first, std::int64_t next,
                archive::BlockEncoding encoding = archive::BlockEncoding::as_is) {
  kafka::RecordGenerator generator(7);
  std::string records;
  for (std::int64_t at = 0; at < 100; at += 20)
    records += kafka::make_batch(at, generator.records(at, 20, false), {});
  auto built = build_blocks({.stream = {"orders", 3, "l"},
                             .position = first,
                             .end = next,
                             .records = records,
                             .aborted_transactions = {},
                             .owner = nullptr},
                            {.encoding = encoding});
  REQUIRE(built.blocks.size() == 1);
  Made made{.block = built.blocks[0].block, .stored = {}};
  for (auto part : built.blocks[0].parts) made.stored += part;
  return made;
}

std::string wrong_with(const Made& made, SegmentFindings* findings = nullptr) {
  SegmentFindings own;
  return check_block(made.block, made.stored, findings ? *findings : own);
}

std::string without_last_batch(std::string bytes) {
  std::string_view rest = bytes, last;
  while (auto batch = kafka::next_batch(rest)) last = batch->bytes();
  return bytes.substr(0, bytes.size() - last.size());
}

}  // namespace

TEST_CASE("whole blocks pass in every encoding") {
  for (auto encoding :
       {archive::BlockEncoding::as_is, archive::BlockEncoding::lz4, archive::BlockEncoding::zstd}) {
    SegmentFindings findings;
    CHECK(wrong_with(make_block(0, 100, encoding), &findings) == "");
    CHECK(findings.records == 100);
    CHECK(findings.batches == 5);
  }
}

TEST_CASE("batches that a bound cuts count by their records inside") {
  SegmentFindings findings;
  CHECK(wrong_with(make_block(13, 87), &findings) == "");
  CHECK(findings.records == 74);
  CHECK(findings.batches == 5);
}

TEST_CASE("a block without bytes passes when its holes account for it") {
  auto lost = lost_block({"orders", 3, "l"}, 10, 20).block;
  SegmentFindings findings;
  CHECK(check_block(lost, {}, findings) == "");
  lost.holes.lost = 9;
  CHECK(check_block(lost, {}, findings).find("do not make 10 offsets") != std::string::npos);
  lost.holes.lost = 0;
  lost.records = 10;
  CHECK(check_block(lost, {}, findings).find("holds 0 records instead of 10") != std::string::npos);
}

TEST_CASE("batches that do not belong into the block are found") {
  auto early = make_block(20, 100);
  early.block.first_offset = 60;  // two batches before it
  early.block.records = 40;
  CHECK(wrong_with(early).find("batch of offsets 20 to 39 does not belong there") != std::string::npos);
  auto late = make_block(0, 100);
  late.block.next_offset = 40;
  late.block.records = 40;
  CHECK(wrong_with(late).find("batch of offsets 40 to 59 does not belong there") != std::string::npos);
  auto twice = make_block(0, 100);
  twice.stored += twice.stored;
  twice.block.raw_bytes = static_cast<std::uint32_t>(twice.stored.size());
  CHECK(wrong_with(twice).find("batch of offsets 0 to 19 does not belong there") != std::string::npos);
}

TEST_CASE("missing, cut and damaged batches are found") {
  auto shorter = make_block(0, 100);
  shorter.stored = without_last_batch(shorter.stored);
  CHECK(wrong_with(shorter).find("holds 80 records instead of 100") != std::string::npos);
  auto cut = make_block(0, 100);
  cut.stored.pop_back();
  CHECK(wrong_with(cut).find("ends inside a batch") != std::string::npos);
  auto damaged = make_block(0, 100);
  damaged.stored[damaged.stored.size() - 5] ^= 1;
  CHECK(wrong_with(damaged).find("CRC-32C of the batch at offset 80 does not match") != std::string::npos);
}

TEST_CASE("a transaction marker is never stored") {
  auto made = make_block(0, 100);
  kafka::RecordGenerator generator(8);
  made.stored = kafka::make_batch(0, generator.records(0, 100, false),
                                  {.more_attributes = kafka::RecordBatch::control_bit});
  CHECK(wrong_with(made).find("is a transaction marker") != std::string::npos);
}

TEST_CASE("an unusable segment is told once per partition, with all the offsets it holds") {
  archive::StreamId a{"orders", 0, "l"}, b{"orders", 1, "l"};
  ExpectedSegment segment{.entry = {.key = "segments/x", .bytes = 9, .crc = 0}, .blocks = {}};
  for (std::int64_t at : {30, 10, 20})
    segment.blocks.push_back(expected_block(a, {.first_offset = at, .next_offset = at + 10}));
  segment.blocks.push_back(expected_block(b, {.first_offset = 5, .next_offset = 6}));
  auto problems = unusable_segment(segment, "is missing");
  REQUIRE(problems.size() == 2);
  CHECK(problems[0] == VerifyProblem{"segments/x", "orders", 0, 10, 39, "is missing"});
  CHECK(problems[1] == VerifyProblem{"segments/x", "orders", 1, 5, 5, "is missing"});
}
