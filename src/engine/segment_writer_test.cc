#include "engine/segment_writer.h"

#include <atomic>
#include <functional>
#include <thread>

#include "archive/layout.h"
#include "base/error.h"
#include "engine/block_builder.h"
#include "kafka/record_generator.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
using storage::StoreOperation;

namespace {

const std::string run = "a-20250101-000000";
const archive::StreamId orders{"orders", 0, run};

// Seals with every add(), as the target size is one byte; checkpoints only at the end.
const SegmentSettings every_add{
    .segment_bytes_max = 1, .segment_interval_max = std::chrono::hours(1), .checkpoints = false};
// Seals for no reason but memory and the end.
const SegmentSettings at_the_end{.segment_interval_max = std::chrono::hours(1), .checkpoints = false};

struct Fixture {
  explicit Fixture(storage::StoreHooks hooks = {})
      : store(std::make_shared<storage::MemoryStore>(std::move(hooks))),
        archive(archive::Archive::open_or_create({}, store, {.name = "a"}, 0)),
        shard(archive::ShardWriter::claim({}, archive, run, 0)) {}

  BlockBatch batch(std::int64_t first, std::int64_t count, const archive::StreamId& stream = orders) {
    auto answer =
        std::make_shared<std::string>(kafka::make_batch(first, generator.records(first, count, false), {}));
    auto built = build_blocks({.stream = stream,
                               .position = first,
                               .end = first + count,
                               .records = *answer,
                               .aborted_transactions = {},
                               .owner = answer},
                              {.encoding = archive::BlockEncoding::as_is});
    return {.blocks = std::move(built.blocks), .lease = budget.acquire({}, answer->size())};
  }
  std::vector<std::string> segments() const {
    std::vector<std::string> keys;
    for (const auto& object : store->list({}, archive::segments_prefix())) keys.push_back(object.key);
    return keys;
  }
  archive::Index checkpointed() const { return archive::read_checkpoints({}, archive, run, 0); }
  std::int64_t covered(const archive::StreamId& stream = orders) const {
    auto index = checkpointed();
    return archive::first_uncovered(index.streams[stream], {0, 1'000'000});
  }

  std::shared_ptr<storage::MemoryStore> store;
  archive::Archive archive;
  archive::ShardWriter shard;
  ByteBudget budget{1 << 20};
  ProgressCounters progress;
  kafka::RecordGenerator generator{1};
};

bool puts_segment(const StoreOperation& operation) {
  return operation.kind == StoreOperation::Kind::put_if_absent &&
         operation.key.starts_with(archive::segments_prefix());
}

void wait_until_at_least(const std::atomic<int>& count, int wanted) {
  for (int now = count; now < wanted; now = count) count.wait(now);
}

void count_one(std::atomic<int>& count) {
  ++count;
  count.notify_all();
}

std::string failure_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("blocks come to the store in segments and into the checkpoints, and memory is given back") {
  Fixture made;
  SegmentWriter writer({}, *made.store, made.shard, every_add, 1 << 20, made.progress);
  for (std::int64_t at = 0; at < 50; at += 10) writer.add({}, made.batch(at, 10));
  writer.finish();
  CHECK(made.segments().size() == 5);
  CHECK(made.covered() == 50);
  CHECK(made.progress.segments == 5);
  CHECK(made.progress.checkpoints == 1);
  CHECK(made.budget.used() == 0);
  std::uint64_t bytes = 0;
  for (const auto& key : made.segments()) {
    bytes += made.store->head({}, key)->bytes;
    CHECK(archive::open_segment(key, *made.store->get({}, key)).block_count() == 1);
  }
  CHECK(made.progress.stored_bytes == bytes);
}

TEST_CASE("what is small is collected into one segment per class") {
  Fixture made;
  archive::StreamId compacted{"users", 0, run};
  SegmentWriter writer({}, *made.store, made.shard, at_the_end, 1 << 20, made.progress);
  for (std::int64_t at = 0; at < 50; at += 10) {
    writer.add({}, made.batch(at, 10));
    auto batch = made.batch(at, 10, compacted);
    batch.segment_class = SegmentClass::compacted;
    writer.add({}, std::move(batch));
  }
  CHECK(made.segments().empty());
  writer.finish();
  REQUIRE(made.segments().size() == 2);
  for (const auto& key : made.segments())
    CHECK(archive::open_segment(key, *made.store->get({}, key)).streams.size() == 1);
  CHECK(made.covered() == 50);
  CHECK(made.covered(compacted) == 50);
}

TEST_CASE("a segment that is stored late holds up the checkpoint of those sealed behind it") {
  constexpr int behind = 20;
  std::atomic<int> stored = 0;
  std::atomic<int> puts = 0;
  const Fixture* seen = nullptr;
  std::atomic<bool> out_of_order = false;
  Fixture made({.before =
                    [&](const StoreOperation& operation) {
                      if (puts_segment(operation) && puts++ == 0) wait_until_at_least(stored, behind);
                    },
                .after =
                    [&](const StoreOperation& operation) {
                      if (puts_segment(operation)) count_one(stored);
                      // Whatever a checkpoint lists, what is before it in the stream is listed, too.
                      if (operation.kind != StoreOperation::Kind::put_if_absent || !seen) return;
                      if (operation.key.starts_with(archive::segments_prefix())) return;
                      auto index = seen->checkpointed();
                      auto& blocks = index.streams[orders];
                      auto end = blocks.empty() ? 0 : blocks.back().next_offset;
                      if (archive::first_uncovered(blocks, {0, end}) != end) out_of_order = true;
                    }});
  seen = &made;
  SegmentSettings settings = every_add;
  settings.checkpoints = true;
  settings.checkpoint_interval = Duration::zero();
  SegmentWriter writer({}, *made.store, made.shard, settings, 1 << 20, made.progress);
  for (std::int64_t at = 0; at <= behind; ++at) writer.add({}, made.batch(at * 10, 10));
  writer.finish();
  CHECK(!out_of_order);
  CHECK(made.covered() == (behind + 1) * 10);
}

TEST_CASE("segments behind one that fails are not checkpointed, and its error comes out") {
  std::atomic<int> stored = 0;
  std::atomic<int> puts = 0;
  Fixture made({.before =
                    [&](const StoreOperation& operation) {
                      if (!puts_segment(operation) || puts++ != 0) return;
                      wait_until_at_least(stored, 1);
                      fail(ErrorKind::unavailable, "disk full");
                    },
                .after =
                    [&](const StoreOperation& operation) {
                      if (puts_segment(operation)) count_one(stored);
                    }});
  SegmentWriter writer({}, *made.store, made.shard, every_add, 1 << 20, made.progress);
  writer.add({}, made.batch(0, 10));
  writer.add({}, made.batch(10, 10));
  CHECK_THROWS_AS(writer.finish(), Error);
  CHECK(failure_of([&] { writer.rethrow_failure(); }).find("disk full") != std::string::npos);
  CHECK(made.covered() == 0);
  CHECK(made.segments().size() == 1);
}

TEST_CASE("after a failed upload whoever adds is stopped, not left waiting") {
  Fixture made({.before =
                    [&](const StoreOperation& operation) {
                      if (puts_segment(operation)) fail(ErrorKind::denied, "no access");
                    },
                .after = {}});
  SegmentWriter writer({}, *made.store, made.shard, every_add, 1 << 20, made.progress);
  auto ctx = writer.context();
  auto text = failure_of([&] {
    for (std::int64_t at = 0;; at += 10) writer.add(ctx, made.batch(at, 10));
  });
  CHECK(text != "nothing was thrown");
  CHECK(failure_of([&] { writer.rethrow_failure(); }).find("no access") != std::string::npos);
}

TEST_CASE("an object of the segment's name is a conflict") {
  Fixture made;
  SegmentWriter writer({}, *made.store, made.shard, every_add, 1 << 20, made.progress);
  auto key = made.shard.next_segment_key();
  key.back() = static_cast<char>(key.back() + 1);  // the one that comes next
  made.store->overwrite(key, "somebody else's");
  writer.add(writer.context(), made.batch(0, 10));
  CHECK_THROWS_AS(writer.finish(), Error);
  CHECK(failure_of([&] { writer.rethrow_failure(); }) == "object " + key + " exists already");
}

TEST_CASE("a checkpoint that fails comes out of finish()") {
  std::atomic<bool> armed = false;
  Fixture made({.before =
                    [&](const StoreOperation& operation) {
                      if (armed && operation.kind == StoreOperation::Kind::put_if_absent &&
                          !puts_segment(operation))
                        fail(ErrorKind::throttled, "slow down");
                    },
                .after = {}});
  SegmentWriter writer({}, *made.store, made.shard, every_add, 1 << 20, made.progress);
  writer.add({}, made.batch(0, 10));
  armed = true;
  CHECK(failure_of([&] { writer.finish(); }).find("slow down") != std::string::npos);
}

TEST_CASE("holes alone put no object; the checkpoint has them") {
  Fixture made;
  SegmentWriter writer({}, *made.store, made.shard, every_add, 1 << 20, made.progress);
  BlockBatch batch;
  batch.blocks.push_back(lost_block(orders, 0, 40));
  writer.add({}, std::move(batch));
  writer.finish();
  CHECK(made.segments().empty());
  CHECK(made.progress.segments == 0);
  CHECK(made.progress.checkpoints == 1);
  CHECK(made.covered() == 40);
  auto index = made.checkpointed();
  CHECK(index.objects.empty());
  CHECK(index.streams[orders].at(0).object == archive::Block::no_object);
}

TEST_CASE("holes beside records are in the segment") {
  Fixture made;
  SegmentWriter writer({}, *made.store, made.shard, at_the_end, 1 << 20, made.progress);
  BlockBatch lost;
  lost.blocks.push_back(lost_block(orders, 0, 40));
  writer.add({}, std::move(lost));
  writer.add({}, made.batch(40, 10));
  writer.finish();
  CHECK(made.segments().size() == 1);
  CHECK(made.covered() == 50);
}

TEST_CASE("nothing to store is neither segment nor checkpoint") {
  Fixture made;
  SegmentWriter writer({}, *made.store, made.shard, every_add, 1 << 20, made.progress);
  writer.add({}, {});
  writer.finish();
  CHECK(made.segments().empty());
  CHECK(made.progress.checkpoints == 0);
}

TEST_CASE("open segments that hold half of the budget are closed early, the largest first") {
  std::atomic<int> stored = 0;
  Fixture made({.before = {}, .after = [&](const StoreOperation& operation) {
                  if (puts_segment(operation)) count_one(stored);
                }});
  archive::StreamId compacted{"users", 0, run};
  SegmentWriter writer({}, *made.store, made.shard, at_the_end, 1000, made.progress);
  auto small = made.batch(0, 1, compacted);
  small.segment_class = SegmentClass::compacted;
  small.lease.resize(100);
  writer.add({}, std::move(small));
  auto large = made.batch(0, 10);
  large.lease.resize(399);
  writer.add({}, std::move(large));
  CHECK(made.segments().empty());
  auto last = made.batch(10, 10);
  last.lease.resize(1);
  writer.add({}, std::move(last));
  wait_until_at_least(stored, 1);
  REQUIRE(made.segments().size() == 1);
  auto key = made.segments()[0];
  auto index = archive::open_segment(key, *made.store->get({}, key));
  CHECK(index.streams.size() == 1);
  CHECK(index.streams.contains(orders));
  writer.finish();
  CHECK(made.budget.used() == 0);
}

TEST_CASE("a prompt writer stores what came, all classes together, and checkpoints it at once") {
  Fixture made;
  std::atomic<int> sealed = 0;
  SegmentSettings prompt = at_the_end;
  prompt.prompt_write_interval = std::chrono::milliseconds(20);
  prompt.before_seal = [&](auto&) { count_one(sealed); };
  SegmentWriter writer({}, *made.store, made.shard, prompt, 1 << 20, made.progress);
  writer.add({}, made.batch(0, 10));
  auto compacted = made.batch(0, 10, {"tables", 0, run});
  compacted.segment_class = SegmentClass::compacted;
  writer.add({}, std::move(compacted));
  wait_until_at_least(sealed, 2);
  while (writer.checkpointed().block_count() < 2) std::this_thread::yield();
  CHECK(made.covered() == 10);
  CHECK(made.covered({"tables", 0, run}) == 10);
  writer.add({}, made.batch(10, 5));
  writer.finish();
  CHECK(made.covered() == 15);
  CHECK(writer.checkpointed().block_count() == 3);
}

TEST_CASE("sealing that lasts too long ends at its deadline") {
  std::atomic<bool> stuck = true;
  Fixture made({.before = [&](const StoreOperation& operation) {
    if (puts_segment(operation)) stuck.wait(true);
  }});
  {
    SegmentWriter writer({}, *made.store, made.shard, at_the_end, 1 << 20, made.progress);
    writer.add({}, made.batch(0, 10));
    CHECK(failure_of([&] { writer.finish(Clock::now() + std::chrono::milliseconds(1)); }) !=
          "nothing was thrown");
    stuck = false;
    stuck.notify_all();
  }
  CHECK(made.covered() == 0);
}
