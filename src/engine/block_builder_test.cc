#include "engine/block_builder.h"

#include "base/error.h"
#include "kafka/record_generator.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
using archive::BlockEncoding;
using kafka::CompressionType;
using kafka::RecordBatch;

namespace {

// A log under construction, with what a read_committed consumer sees of it.
struct SampleLog {
  kafka::RecordGenerator random{1};
  std::string bytes;
  std::int64_t next = 0;
  std::vector<std::string> kept;                // the batches that are seen
  std::vector<std::int64_t> seen;               // offsets of their records
  std::vector<std::int64_t> control;            // offsets of markers
  std::vector<archive::Bounds> aborted_ranges;  // offsets that aborted batches span
  std::vector<kafka::AbortedTransaction> aborted;

  void add(const std::string& batch, std::int64_t next_offset) {
    bytes += batch;
    next = next_offset;
  }
  void batch(std::int64_t count, const kafka::RecordBatchBuilder::Options& options = {},
             bool with_holes = false) {
    auto records = random.records(next, count, with_holes);
    kept.push_back(kafka::make_batch(next, records, options));
    for (const auto& record : records) seen.push_back(record.offset);
    add(kept.back(), records.back().offset + 1 + options.trailing_offsets);
  }
  void marker(std::int64_t producer_id, std::int16_t type) {
    char key[4];
    kafka::write_big_endian(key, std::int16_t{0});
    kafka::write_big_endian(key + 2, type);
    control.push_back(next);
    add(kafka::make_batch(next, {{next, 5, std::string(key, 4), std::string(6, '\0'), {}}},
                          {.more_attributes = RecordBatch::transactional_bit | RecordBatch::control_bit,
                           .producer = {producer_id, 0, -1}}),
        next + 1);
  }
  void abort(std::int64_t producer_id, std::int64_t count) {
    aborted.push_back({.producer_id = producer_id, .first_offset = next});
    aborted_ranges.push_back({.start = next, .end = next + count});
    add(kafka::make_batch(
            next, random.records(next, count, false),
            {.more_attributes = RecordBatch::transactional_bit, .producer = {producer_id, 0, 0}}),
        next + count);
    marker(producer_id, 0);
  }
  void commit(std::int64_t producer_id, std::int64_t count) {
    batch(count, {.more_attributes = RecordBatch::transactional_bit, .producer = {producer_id, 0, 0}});
    marker(producer_id, 1);
  }
  // A batch that the cleaner has emptied but for its header.
  void emptied(std::int64_t span) {
    add(kafka::encode_batch({.base_offset = next, .last_offset_delta = static_cast<std::int32_t>(span - 1)},
                            "", CompressionType::none),
        next + span);
  }
  // As a broker answers: with the aborted transactions that reach behind the position.
  FetchedPartition fetched(std::int64_t position, std::int64_t end) const {
    FetchedPartition made{.stream = {"orders", 3, "l"},
                          .position = position,
                          .end = end,
                          .records = bytes,
                          .aborted_transactions = {},
                          .owner = std::make_shared<int>()};
    for (std::size_t i = 0; i < aborted.size(); ++i)
      if (aborted_ranges[i].end >= position) made.aborted_transactions.push_back(aborted[i]);
    return made;
  }
  BuiltBlocks build(const BlockSettings& settings = {.encoding = BlockEncoding::as_is}) const {
    return build_blocks(fetched(0, next), settings);
  }
};

std::string stored(const archive::PendingBlock& block) {
  std::string bytes;
  for (auto part : block.parts) bytes += part;
  return bytes;
}

std::string raw(const archive::PendingBlock& pending) {
  std::string scratch;
  auto bytes = stored(pending);
  return std::string(raw_batches(pending.block, bytes, scratch));
}

std::string joined(const std::vector<std::string>& batches) {
  std::string all;
  for (const auto& batch : batches) all += batch;
  return all;
}

std::uint64_t count_in(const std::vector<std::int64_t>& offsets, std::int64_t first, std::int64_t next) {
  return static_cast<std::uint64_t>(
      std::count_if(offsets.begin(), offsets.end(), [&](auto o) { return first <= o && o < next; }));
}

std::string failure_of(const FetchedPartition& fetched, ErrorKind kind) {
  try {
    build_blocks(fetched, {});
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("batches of every codec are stored as they came") {
  for (auto codec : kafka::all_codecs) {
    SampleLog log;
    for (int i = 0; i < 5; ++i) log.batch(7, {.codec = codec, .leader_epoch = i});
    auto built = log.build();
    REQUIRE(built.blocks.size() == 1);
    const auto& block = built.blocks[0].block;
    CHECK(stored(built.blocks[0]) == log.bytes);
    CHECK(block.first_offset == 0);
    CHECK(block.next_offset == 35);
    CHECK(block.records == 35);
    CHECK(block.holes.total() == 0);
    CHECK(block.leader_epoch == 4);
    CHECK(block.raw_bytes == log.bytes.size());
    CHECK(block.stored_bytes == log.bytes.size());
    CHECK(block.inflated_from == 0);
    CHECK(built.position == 35);
    CHECK(built.records == 35);
    CHECK(built.raw_bytes == log.bytes.size());
    CHECK(built.owned_bytes == 0);
    CHECK(built.holds_answer);
    CHECK(!built.holds_partial_batch);
  }
}

TEST_CASE("aborted records and markers are left out and accounted for") {
  SampleLog log;
  log.batch(4);
  log.abort(11, 6);
  log.commit(12, 3);
  log.abort(11, 2);
  auto built = log.build();
  REQUIRE(built.blocks.size() == 1);
  CHECK(built.blocks[0].block.records == 7);
  CHECK(built.blocks[0].block.holes == archive::Holes{.aborted = 8, .control = 3});
  CHECK(built.position == log.next);
  CHECK(stored(built.blocks[0]) == joined(log.kept));
}

TEST_CASE("an answer of nothing but holes makes a block without bytes") {
  SampleLog log;
  log.abort(11, 6);
  log.emptied(5);
  auto built = log.build({.encoding = BlockEncoding::zstd});
  REQUIRE(built.blocks.size() == 1);
  CHECK(built.blocks[0].parts.empty());
  CHECK(built.blocks[0].block.stored_bytes == 0);
  CHECK(built.blocks[0].block.holes == archive::Holes{.aborted = 6, .control = 1, .compacted = 5});
  CHECK(!built.holds_answer);
  CHECK(built.position == 12);
}

TEST_CASE("what the cleaner removed is a hole: between batches, inside them, behind their last record") {
  SampleLog log;
  log.next = 10;  // offsets 0 to 9 are gone
  log.batch(5, {}, true);
  auto first_next = log.next;
  log.next += 100;
  log.batch(5, {.trailing_offsets = 20});
  log.emptied(30);
  auto built = log.build();
  REQUIRE(built.blocks.size() == 1);
  const auto& block = built.blocks[0].block;
  CHECK(block.first_offset == 0);
  CHECK(block.next_offset == log.next);
  CHECK(block.records == 10);
  CHECK(block.holes ==
        archive::Holes{.compacted = static_cast<std::uint64_t>(first_next - 5 + 100 + 20 + 30)});
  CHECK(stored(built.blocks[0]) == joined(log.kept));
}

TEST_CASE("a start or an end inside a batch counts only what lies between; the batch is stored whole") {
  for (auto codec : kafka::all_codecs) {
    SampleLog log;
    for (int i = 0; i < 3; ++i) log.batch(10, {.codec = codec});
    auto built = build_blocks(log.fetched(7, 24), {.encoding = BlockEncoding::as_is});
    REQUIRE(built.blocks.size() == 1);
    CHECK(built.blocks[0].block.first_offset == 7);
    CHECK(built.blocks[0].block.next_offset == 24);
    CHECK(built.blocks[0].block.records == 17);
    CHECK(built.blocks[0].block.holes.total() == 0);
    CHECK(built.position == 24);
    CHECK(stored(built.blocks[0]) == log.bytes);
  }
}

TEST_CASE("what the cleaner took up to the end is a hole, seen by a batch that begins behind it") {
  SampleLog log;
  log.batch(10);
  log.next = 25;  // offsets 10 to 24 are gone, and the plan's end is 20
  log.batch(5);
  auto built = build_blocks(log.fetched(10, 20), {.encoding = BlockEncoding::as_is});
  REQUIRE(built.blocks.size() == 1);
  CHECK(built.position == 20);
  CHECK(built.blocks[0].block.holes.compacted == 10);
  CHECK(built.blocks[0].block.next_offset == 20);
  CHECK(built.blocks[0].block.stored_bytes == 0);
  // A part of a batch says nothing about where the next one begins.
  SampleLog cut;
  cut.batch(10);
  auto partial = cut.fetched(0, 20);
  partial.records = partial.records.substr(0, 30);
  CHECK(build_blocks(partial, {.encoding = BlockEncoding::as_is}).position == 0);
}

TEST_CASE("batches before the start and behind the end are not taken") {
  SampleLog log;
  for (int i = 0; i < 4; ++i) log.batch(10);
  auto built = build_blocks(log.fetched(10, 30), {.encoding = BlockEncoding::as_is});
  REQUIRE(built.blocks.size() == 1);
  CHECK(built.blocks[0].block.records == 20);
  CHECK(stored(built.blocks[0]) == log.kept[1] + log.kept[2]);
  CHECK(build_blocks(log.fetched(40, 50), {}).blocks.empty());
  CHECK(build_blocks(log.fetched(40, 50), {}).position == 40);
}

TEST_CASE("the part of a batch at the end of an answer is told and not taken") {
  SampleLog log;
  log.batch(10);
  log.batch(10);
  log.bytes.pop_back();
  auto built = log.build();
  CHECK(built.holds_partial_batch);
  CHECK(built.position == 10);
  REQUIRE(built.blocks.size() == 1);
  CHECK(stored(built.blocks[0]) == log.kept[0]);
}

TEST_CASE("damage names topic, partition, position and the batch") {
  SampleLog log;
  log.batch(10);
  log.batch(10);
  log.bytes.back() = static_cast<char>(log.bytes.back() ^ 1);
  CHECK(failure_of(log.fetched(4, 20), ErrorKind::corrupt) ==
        "orders/3 at offset 4: CRC-32C of the batch at offset 10 does not match: the broker sent damaged "
        "bytes");
  log.bytes[kafka::batch_layout::magic] = 1;
  CHECK(failure_of(log.fetched(4, 20), ErrorKind::invalid).find("orders/3 at offset 4: ") == 0);
}

TEST_CASE("block encodings give the batches back byte for byte") {
  for (auto encoding : {BlockEncoding::as_is, BlockEncoding::lz4, BlockEncoding::zstd}) {
    SampleLog log;
    for (int i = 0; i < 20; ++i) log.batch(20);
    auto built = log.build({.encoding = encoding});
    REQUIRE(built.blocks.size() == 1);
    const auto& block = built.blocks[0].block;
    CHECK(block.encoding == encoding);
    CHECK(block.raw_bytes == log.bytes.size());
    CHECK(block.stored_bytes == stored(built.blocks[0]).size());
    CHECK(raw(built.blocks[0]) == log.bytes);
    bool encoded = encoding != BlockEncoding::as_is;
    CHECK((block.stored_bytes < block.raw_bytes) == encoded);
    CHECK(built.owned_bytes == (encoded ? block.stored_bytes : 0));
    CHECK(built.holds_answer == !encoded);
  }
}

TEST_CASE("blocks of compressed batches are not encoded; those of both kinds go by the larger part") {
  SampleLog compressed;
  compressed.batch(200, {.codec = CompressionType::lz4});
  CHECK(compressed.build({.encoding = BlockEncoding::zstd}).blocks.at(0).block.encoding ==
        BlockEncoding::as_is);
  compressed.batch(1);
  CHECK(compressed.build({.encoding = BlockEncoding::zstd}).blocks.at(0).block.encoding ==
        BlockEncoding::as_is);
  compressed.batch(400);
  auto built = compressed.build({.encoding = BlockEncoding::zstd});
  CHECK(built.blocks.at(0).block.encoding == BlockEncoding::zstd);
  CHECK(raw(built.blocks[0]) == compressed.bytes);
}

TEST_CASE("a block whose bytes are cut, damaged or of another length is corrupt") {
  SampleLog log;
  log.batch(50);
  auto pending = log.build({.encoding = BlockEncoding::zstd}).blocks.at(0);
  auto bytes = stored(pending);
  std::string scratch;
  CHECK_THROWS_AS(raw_batches(pending.block, std::string_view(bytes).substr(0, bytes.size() / 2), scratch),
                  Error);
  for (int change : {-1, 1}) {
    auto block = pending.block;
    block.raw_bytes += static_cast<std::uint32_t>(change);
    CHECK_THROWS_AS(raw_batches(block, bytes, scratch), Error);
  }
}

TEST_CASE("recompress inflates what producers compressed and notes their codec") {
  for (auto codec : kafka::all_codecs) {
    SampleLog log;
    log.batch(50, {.codec = codec, .leader_epoch = 3});
    log.batch(50, {.codec = codec, .leader_epoch = 3});
    auto built = log.build({.encoding = BlockEncoding::zstd, .recompress = true});
    REQUIRE(built.blocks.size() == 1);
    CHECK(built.blocks[0].block.inflated_from == static_cast<int>(codec));
    CHECK(built.blocks[0].block.encoding == BlockEncoding::zstd);
    CHECK(built.owned_bytes == built.blocks[0].block.stored_bytes);
    auto bytes = raw(built.blocks[0]);
    std::string_view rest = bytes;
    for (const auto& kept : log.kept) {
      auto before = RecordBatch::whole(kept);
      auto batch = kafka::next_batch(rest);
      REQUIRE(batch.has_value());
      CHECK(batch->crc_matches());
      CHECK(batch->base_offset() == before.base_offset());
      CHECK(batch->record_count() == before.record_count());
      CHECK(batch->leader_epoch() == 3);
      std::string scratch;
      CHECK(batch->payload() == kafka::inflate_records(before, scratch, 1 << 20));
    }
    CHECK(rest.empty());
  }
}

TEST_CASE("with recompress a block has batches of one codec only; without, they mix") {
  SampleLog log;
  for (auto codec : {CompressionType::lz4, CompressionType::lz4, CompressionType::none, CompressionType::zstd,
                     CompressionType::zstd})
    log.batch(5, {.codec = codec});
  CHECK(log.build().blocks.size() == 1);
  auto built = log.build({.encoding = BlockEncoding::as_is, .recompress = true});
  REQUIRE(built.blocks.size() == 3);
  std::int64_t at = 0;
  for (const auto& pending : built.blocks) {
    CHECK(pending.block.first_offset == at);
    at = pending.block.next_offset;
  }
  CHECK(at == 25);
}

TEST_CASE("what a batch may inflate to has a bound") {
  SampleLog log;
  log.batch(100, {.codec = CompressionType::zstd});
  CHECK_THROWS_AS(log.build({.recompress = true, .inflated_bytes_max = 1000}), Error);
}

TEST_CASE("a block is closed at the first batch behind its target size") {
  SampleLog log;
  for (int i = 0; i < 10; ++i) log.batch(3);
  auto every = log.build({.encoding = BlockEncoding::as_is, .block_bytes_target = 1});
  CHECK(every.blocks.size() == 10);
  auto size = log.kept[0].size() + 1;
  CHECK(stored(log.build({.encoding = BlockEncoding::as_is, .block_bytes_target = size}).blocks.at(0)) ==
        log.kept[0] + log.kept[1]);
}

TEST_CASE("whatever the log and the bounds: every offset is a record or a hole, by reason") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    SampleLog log;
    log.random = kafka::RecordGenerator(seed);
    auto& random = log.random;
    for (int i = 0; i < 30; ++i) switch (random.between(0, 5)) {
        case 0:
          log.abort(random.between(1, 3), random.between(1, 5));
          break;
        case 1:
          log.commit(random.between(1, 3), random.between(1, 5));
          break;
        case 2:
          log.emptied(random.between(1, 20));
          break;
        case 3:
          log.next += random.between(1, 50);
          break;
        default:
          log.batch(
              random.between(1, 9),
              {.codec = random.codec(), .trailing_offsets = static_cast<std::int32_t>(random.between(0, 2))},
              random.one_in(3));
      }
    log.batch(1);
    auto end = random.between(1, log.next), at = random.between(0, end - 1);
    auto built = build_blocks(log.fetched(at, end),
                              {.encoding = static_cast<BlockEncoding>(random.between(0, 2)),
                               .recompress = random.one_in(2),
                               .block_bytes_target = static_cast<std::size_t>(random.between(1, 2000))});
    auto first = at;
    archive::Holes holes;
    for (const auto& pending : built.blocks) {
      const auto& block = pending.block;
      REQUIRE(block.first_offset == at);
      at = block.next_offset;
      REQUIRE(block.records + block.holes.total() == static_cast<std::uint64_t>(at - block.first_offset));
      REQUIRE(block.records == count_in(log.seen, block.first_offset, at));
      REQUIRE(block.holes.control == count_in(log.control, block.first_offset, at));
      holes += block.holes;
    }
    REQUIRE(built.position == at);
    REQUIRE(built.records == count_in(log.seen, first, at));
    std::int64_t aborted = 0;
    for (auto range : log.aborted_ranges)
      aborted += std::max<std::int64_t>(0, std::min(range.end, at) - std::max(range.start, first));
    REQUIRE(holes.aborted == static_cast<std::uint64_t>(aborted));
    REQUIRE(at ==
            end);  // also where the cleaner left nothing up to the next batch, which begins behind the end
  }
}
