
#include "archive/layout.h"
#include "base/error.h"
#include "engine/sample_source.h"
#include "engine/segment_writer.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

TEST_CASE("any skip across several sources leaves exactly the remaining records") {
  SampleSources made;
  made.add("first", {.batches = 4});
  made.add("second", {.first = 0, .batches = 8});
  made.add("third", {.first = 0, .batches = 4});
  for (std::size_t skip = 0; skip <= made.wanted.size(); ++skip) {
    CAPTURE(skip);
    auto reader = made.reader(skip);
    auto got = read_rest(reader).size();
    CHECK(got == made.wanted.size() - skip);
  }
}

TEST_CASE("skipping past a source whose successor begins with holes ends" * doctest::timeout(5)) {
  SampleSources made;
  made.add("first", {.batches = 4});
  made.add_lost("lost", 0, 9);
  auto reader = made.reader(20 /* of 20 */);
  CHECK(read_rest(reader).empty());
  made.add("third", {.batches = 4});
  auto second = made.reader(25);
  CHECK(read_rest(second).size() == 15);
}

TEST_CASE("finish() tells why an upload failed") {
  auto store = std::make_shared<storage::MemoryStore>(
      storage::StoreHooks{.before =
                              [](const storage::StoreOperation& o) {
                                if (o.kind == storage::StoreOperation::Kind::put_if_absent &&
                                    o.key.starts_with(archive::segments_prefix()))
                                  fail(ErrorKind::unavailable, "disk full");
                              },
                          .after = {}});
  auto archive = archive::Archive::open_or_create({}, store, {.name = "a"}, 0);
  auto shard = archive::ShardWriter::claim({}, archive, "a-20250101-000000", 0);
  ProgressCounters progress;
  SegmentWriter writer({}, *store, shard, {.segment_interval_max = std::chrono::hours(1)}, 1 << 20, progress);
  SampleSources made;
  made.add("orders", {.batches = 2});
  auto answer = std::make_shared<std::string>(kafka::make_batch(0, made.generator.records(0, 5, false), {}));
  auto built = build_blocks({.stream = {"o", 0, "a-20250101-000000"},
                             .position = 0,
                             .end = 5,
                             .records = *answer,
                             .aborted_transactions = {},
                             .owner = answer},
                            {});
  BlockBatch batch;
  batch.blocks = std::move(built.blocks);
  writer.add({}, std::move(batch));
  try {
    writer.finish();
  } catch (const Error& e) {
    CHECK(std::string(e.what()) == "disk full");
  }
}
TEST_CASE("range past the end names partition and offsets") {
  SampleSources made;
  made.add("orders", {.first = 100});
  auto bytes = *made.store.get({}, made.key_of(0));
  made.store.overwrite(made.key_of(0), bytes.substr(0, bytes.size() / 3));
  auto reader = made.reader();
  try {
    read_rest(reader);
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("orders/0 offsets") != std::string::npos);
    MESSAGE(e.what());
  }
}
