#include "engine/source_reader.h"

#include "base/error.h"
#include "engine/sample_source.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

std::vector<kafka::OwnedRecord> behind(const std::vector<kafka::OwnedRecord>& all, std::size_t skipped) {
  return without_offsets({all.begin() + static_cast<std::ptrdiff_t>(skipped), all.end()});
}

void check_every_skip(SampleSources& made) {
  for (std::size_t skip = 0; skip <= made.wanted.size(); ++skip) {
    CAPTURE(skip);
    auto reader = made.reader(skip);
    REQUIRE(read_rest(reader) == behind(made.wanted, skip));
  }
}

// The kind and text of what reading throws.
Error failure_of(SampleSources& made) {
  auto reader = made.reader();
  try {
    read_rest(reader);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

}  // namespace

TEST_CASE("any skip leaves exactly the remaining records") {
  SampleSources made;
  made.add("orders", {.batches = 9});
  check_every_skip(made);
}

TEST_CASE("any skip leaves exactly the remaining records, whatever the blocks are") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    CAPTURE(seed);
    SampleSources made(seed);
    auto& random = made.generator;
    made.add("orders", {.first = random.between(0, 1000),
                        .batches = static_cast<int>(random.between(1, 12)),
                        .records_per_batch = random.between(1, 9),
                        .batches_per_block = static_cast<int>(random.between(1, 4)),
                        .with_holes = random.one_in(2),
                        .codec = random.codec(),
                        .settings = {.encoding = static_cast<archive::BlockEncoding>(random.between(0, 2)),
                                     .recompress = random.one_in(2)}});
    check_every_skip(made);
  }
}

TEST_CASE("bounds that cut through batches leave out what is beyond them, with any skip") {
  SampleSources made;
  made.add("orders", {.first = 100, .clip_front = 13, .clip_back = 7});
  REQUIRE(made.wanted.size() == 30);
  check_every_skip(made);
}

TEST_CASE("sources follow one another in the order of the plan; their offsets may fall") {
  SampleSources made;
  made.add("new", {.first = 5000, .batches = 3, .codec = kafka::CompressionType::lz4});
  made.add_lost("lost", 7, 9);
  made.add("old", {.first = 3, .batches = 4});
  auto reader = made.reader();
  CHECK(read_rest(reader) == without_offsets(made.wanted));
}

TEST_CASE("any skip inside the first of several sources leaves the rest of it and all others") {
  SampleSources made;
  made.add("first", {.batches = 4});
  made.add("second", {.first = 40, .batches = 4});
  for (std::size_t skip = 0; skip < 20; ++skip) {
    CAPTURE(skip);
    auto reader = made.reader(skip);
    REQUIRE(read_rest(reader) == behind(made.wanted, skip));
  }
}

TEST_CASE("large batches pass through without being merged and keep their codec") {
  SampleSources made;
  made.add("orders", {.batches = 4, .codec = kafka::CompressionType::zstd});
  auto reader = made.reader(0, {.merge_below_bytes = 0, .merge_compressed_below_bytes = 0});
  int batches = 0;
  while (!reader.finished()) {
    reader.read({}, {});
    while (auto batch = reader.ready()) {
      ++batches;
      CHECK(kafka::RecordBatch::whole({batch->bytes.data(), batch->bytes.size()}).codec() ==
            kafka::CompressionType::zstd);
    }
  }
  CHECK(batches == 4);
}

TEST_CASE("batches that the backup inflated are compressed again with their producers' codec") {
  for (auto codec : kafka::all_codecs) {
    SampleSources made;
    made.add("orders", {.batches = 4, .codec = codec, .settings = {.recompress = true}});
    REQUIRE(made.target.sources[0].blocks[0].inflated_from == static_cast<int>(codec));
    auto reader = made.reader();
    reader.read({}, {});
    reader.read({}, {});
    auto batch = reader.ready();
    REQUIRE(batch.has_value());
    CHECK(kafka::RecordBatch::whole({batch->bytes.data(), batch->bytes.size()}).codec() == codec);
  }
}

TEST_CASE("the lease of a block is held until the last batch of it is gone") {
  SampleSources made;
  made.add("orders", {.batches = 2});
  ByteBudget budget(1 << 20);
  auto reader = made.reader(0, {.merge_below_bytes = 0});
  CHECK(reader.next_bytes() > 0);
  reader.read({}, budget.acquire({}, reader.next_bytes()));
  auto first = reader.ready(), second = reader.ready();
  REQUIRE(second.has_value());
  first.reset();
  CHECK(budget.used() > 0);
  second.reset();
  CHECK(budget.used() == 0);
}

TEST_CASE("a small batch that waits for its neighbours does not keep the memory of its block") {
  SampleSources made;
  made.add("orders", {.batches = 3, .batches_per_block = 1});
  ByteBudget budget(1 << 20);
  auto reader = made.reader();
  reader.read({}, budget.acquire({}, reader.next_bytes()));
  CHECK_FALSE(reader.ready().has_value());
  CHECK(budget.used() == 0);
  CHECK(read_rest(reader) == without_offsets(made.wanted));
}

TEST_CASE("nothing is read of sources that hold no record") {
  SampleSources made;
  made.add_lost("orders", 5, 10);
  auto reader = made.reader();
  CHECK(!reader.finished());
  CHECK(read_rest(reader).empty());
}

TEST_CASE("damage names object, partition and offsets") {
  SampleSources made;
  made.add("orders", {.first = 100});
  const auto& block = made.target.sources[0].blocks[1];
  REQUIRE(block.first_offset == 110);
  for (auto at : {block.position, block.position + block.stored_bytes - 1}) {
    made.damage(0, at);
    auto error = failure_of(made);
    CHECK(error.kind() == ErrorKind::corrupt);
    CHECK(std::string(error.what()) ==
          "object segments/0: CRC-32C does not match at orders/0 offsets 110 to 119");
    made.damage(0, at);
  }
  CHECK(failure_of(made).kind() == ErrorKind::internal);
}

TEST_CASE("a missing object is corrupt, with its name, partition and offsets") {
  SampleSources made;
  made.add("orders", {.first = 100});
  made.store.remove({}, made.key_of(0));
  auto error = failure_of(made);
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(std::string(error.what()) == "object segments/0 is missing: orders/0 offsets 100 to 109");
}

TEST_CASE("an object that was cut short is corrupt and names the object") {
  SampleSources made;
  made.add("orders", {.first = 100});
  auto bytes = *made.store.get({}, made.key_of(0));
  made.store.overwrite(made.key_of(0), bytes.substr(0, bytes.size() / 3));
  auto error = failure_of(made);
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(std::string(error.what()).find("segments/0") != std::string::npos);
}
