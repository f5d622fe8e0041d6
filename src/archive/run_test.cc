#include "archive/run.h"

#include <functional>

#include "archive/layout.h"
#include "archive/prune.h"
#include "archive/sample_run.h"
#include "archive/typed_document.h"
#include "base/error.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

const Owner owner{.name = "nightly"};
const std::string first = "nightly-20250101-000000", second = "nightly-20250102-000000";

struct Fixture {
  std::shared_ptr<storage::MemoryStore> store = std::make_shared<storage::MemoryStore>();
  Archive archive = Archive::open_or_create({}, store, owner, 0);
  sample::Cluster cluster{{.name = "orders", .partitions = {{0, 20}, {5, 9}, {3, 3}}}};

  Plan plan(const std::string& id, int shards = 1) {
    return sample::plan_once({}, archive, cluster, id, shards, 7);
  }
  Decision back_up(const std::string& id) { return sample::back_up({}, archive, cluster, {.backup_id = id}); }
};

Error refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::cancelled, "no error"};
}

Index covering(const StreamId& stream, std::int64_t first_offset, std::int64_t next) {
  Index index;
  index.streams[stream] = {{.first_offset = first_offset,
                            .next_offset = next,
                            .records = static_cast<std::uint64_t>(next - first_offset)}};
  return index;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a run of several shards commits when the last of them is stored") {
  auto p = plan(first, 2);
  sample::copy_shard({}, archive, cluster, p, 0);
  auto error = refusal([&] { commit({}, archive, p, 9); });
  CHECK(error.kind() == ErrorKind::internal);
  CHECK(std::string(error.what()) ==
        "backup " + first + " cannot be committed: orders/1 is not stored from offset 5 to 8");
  CHECK_FALSE(archive.decision({}, first));
  auto missing = first_missing({}, archive, p);
  REQUIRE(missing);
  CHECK(missing->stream == StreamId{"orders", 1, first});
  CHECK(missing->shard == 1);
  CHECK(missing->offsets.start == 5);
  CHECK(missing->offsets.end == 9);
  sample::copy_shard({}, archive, cluster, p, 1);
  CHECK_FALSE(first_missing({}, archive, p));
  auto set = *commit({}, archive, p, 9).set;
  CHECK(set.committed_at_ms == 9);
  CHECK(set.indexes.size() == 1);
  CHECK(sample::check_set({}, archive, set) == set.totals.records);
  CHECK(set.totals.records + set.totals.control == 24);
  CHECK(set.totals.raw_bytes == 6 * set.totals.records);
  CHECK(set.totals.segments == store->list({}, segments_prefix()).size());
  std::uint64_t stored = 0;
  for (const auto& info : store->list({}, segments_prefix())) stored += info.bytes;
  CHECK(set.totals.stored_bytes == stored);
  auto& p0 = set.capture.topics[0].partitions[0];
  CHECK(p0.lineage_bytes > 0);
  CHECK(p0.leader_epoch == 0);
}

TEST_CASE_FIXTURE(Fixture, "a later claim fences an earlier one and goes on where it was") {
  auto p = plan(first);
  StreamId stream{"orders", 0, first};
  auto zombie = ShardWriter::claim({}, archive, first, 0);
  auto zombie_key = zombie.next_segment_key();
  zombie.checkpoint({}, covering(stream, 0, 10));
  auto successor = ShardWriter::claim({}, archive, first, 0);
  CHECK(successor.stored() == covering(stream, 0, 10));
  CHECK(successor.next_segment_key() != zombie_key);
  CHECK(zombie.next_segment_key() != successor.next_segment_key());
  for (int again = 0; again < 2; ++again) {
    auto error = refusal([&] { zombie.checkpoint({}, covering(stream, 10, 20)); });
    CHECK(error.kind() == ErrorKind::conflict);
  }
  successor.checkpoint({}, covering(stream, 10, 15));
  auto all = read_checkpoints({}, archive, first, 0);
  CHECK(first_uncovered(all.streams[stream], {0, 20}) == 15);
  CHECK(all.block_count() == 2);
}

TEST_CASE_FIXTURE(Fixture, "a checkpoint whose answer was lost is known to be ours") {
  bool lose = false;
  storage::StoreHooks hooks{.after = [&](const storage::StoreOperation& operation) {
    if (operation.kind == storage::StoreOperation::Kind::put_if_absent && std::exchange(lose, false))
      fail(ErrorKind::unavailable, "lost");
  }};
  auto lossy = Archive::open_or_create({}, std::make_shared<storage::MemoryStore>(hooks), owner, 0);
  auto writer = ShardWriter::claim({}, lossy, first, 0);
  lose = true;
  auto index = covering({"orders", 0, first}, 0, 10);
  CHECK(refusal([&] { writer.checkpoint({}, index); }).kind() == ErrorKind::unavailable);
  writer.checkpoint({}, index);  // the same again
  CHECK(read_checkpoints({}, lossy, first, 0) == index);
}

TEST_CASE_FIXTURE(Fixture, "a damaged checkpoint stops the run, naming the object") {
  plan(first);
  auto key = checkpoint_key(first, 0, 1);
  ShardWriter::claim({}, archive, first, 0);
  auto bytes = *store->get({}, key);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x04);
    store->overwrite(key, damaged);
    auto error = refusal([&] { ShardWriter::claim({}, archive, first, 0); });
    REQUIRE((error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::invalid));
    REQUIRE(std::string(error.what()).find(key) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "what was not planned is not committed") {
  auto p = plan(first);
  sample::copy_shard({}, archive, cluster, p, 0);
  auto why = [&](Plan wrong) { return std::string(refusal([&] { commit({}, archive, wrong, 0); }).what()); };
  auto changed = [&](auto change) {
    auto wrong = p;
    change(wrong.capture.topics[0].partitions[0]);
    return why(wrong);
  };
  CHECK(changed([](auto& q) { q.end = 18; }).find("has stored offsets 16 to 19, planned were 0 to 17") !=
        std::string::npos);
  CHECK(changed([](auto& q) { q.from = q.start = 1; }).find("has stored offsets 0 to 3") !=
        std::string::npos);
  CHECK(changed([](auto& q) { q.lineage = second; }).find("is not stored from offset 0") !=
        std::string::npos);
  CHECK(changed([](auto& q) { q.end = 21; }).find("is not stored from offset 20 to 20") != std::string::npos);
  CHECK_FALSE(archive.decision({}, first));
  CHECK(commit({}, archive, p, 0).set);
}

TEST_CASE_FIXTURE(Fixture, "a partition that does not go on where the base ends is not committed") {
  back_up(first);
  cluster[0].partitions = {{10, 30}, {12, 14}, {3, 3}};
  auto p = plan(second);
  auto& partitions = p.capture.topics[0].partitions;
  CHECK(partitions[0].from == 20);
  CHECK(partitions[1].from == 12);  // retention overtook the base
  sample::copy_shard({}, archive, cluster, p, 0);
  auto why = [&](std::size_t i, auto change) {
    auto wrong = p;
    change(wrong.capture.topics[0].partitions[i]);
    return std::string(refusal([&] { commit({}, archive, wrong, 0); }).what());
  };
  auto refused = [](const std::string& text) {
    return text.find("does not continue lineage") != std::string::npos;
  };
  CHECK(refused(why(2, [](auto& q) { q.lineage = "nightly-20240101-000000"; })));  // unknown to the base
  CHECK(refused(why(2, [](auto& q) { q.start = q.from = q.end = 2; })));           // the log ended before
  CHECK(refused(why(2, [&](auto& q) { q.lineage = second, q.start = 2; })));       // new, but does not begin
  CHECK(refused(why(0, [](auto& q) { q.start = -1; })));                           // more than the base has
  CHECK_FALSE(archive.decision({}, second));
  CHECK(sample::check_set({}, archive, *commit({}, archive, p, 0).set) > 0);
}

TEST_CASE_FIXTURE(Fixture, "a run does not build on another base than its plan names") {
  back_up(first);
  cluster[0].partitions[0].end = 30;
  auto p = plan(second);
  sample::copy_shard({}, archive, cluster, p, 0);
  auto wrong = p;
  wrong.capture.base_sha256 = sha256_hex("another");
  CHECK(refusal([&] { commit({}, archive, wrong, 0); }).kind() == ErrorKind::corrupt);
  auto decision = *store->get({}, decision_key(first));
  store->remove({}, decision_key(first));
  CHECK(refusal([&] { commit({}, archive, p, 0); }).kind() == ErrorKind::corrupt);
  auto key = decision_key(first);
  auto abandoned = seal("decision", key, {.head = schema::write(Decision{.abandoned = "x"}).get_object()});
  store->overwrite(key, abandoned);
  auto on_abandoned = p;
  on_abandoned.capture.base_sha256 = sha256_hex(abandoned);
  CHECK(refusal([&] { commit({}, archive, on_abandoned, 0); }).kind() == ErrorKind::corrupt);
  store->overwrite(key, decision);
  CHECK(commit({}, archive, p, 0).set);
}

TEST_CASE_FIXTURE(Fixture, "a late worker learns what was decided, though its checkpoints are gone") {
  auto p = plan(first);
  sample::copy_shard({}, archive, cluster, p, 0);
  auto set = *commit({}, archive, p, 1).set;
  CHECK(commit({}, archive, p, 2).set->committed_at_ms == 1);
  prune({}, archive, {}, PruneMode::act);
  CHECK(store->list({}, runs_prefix()).empty());
  CHECK(commit({}, archive, p, 3).set->committed_at_ms == 1);
  prune({}, archive, {first}, PruneMode::act);
  CHECK(commit({}, archive, p, 4).abandoned == "its set was deleted");
  CHECK(archive.sets({}).empty());
}

TEST_CASE_FIXTURE(Fixture, "an empty run is a set, too") {
  cluster.clear();
  auto set = *back_up(first).set;
  CHECK(set.indexes.empty());
  CHECK(sample::check_set({}, archive, set) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a run with nothing new writes no index and no segment") {
  back_up(first);
  auto before = store->list({}, "").size();
  auto set = *back_up(second).set;
  CHECK(store->list({}, "").size() - before == 4);  // pin, plan, claim, decision
  CHECK(set.totals.segments == 0);
  CHECK(sample::check_set({}, archive, set) > 0);
}

TEST_CASE("a thousand incremental runs: sets stay small, and each restores on its own") {
  auto store = std::make_shared<storage::MemoryStore>();
  auto archive = Archive::open_or_create({}, store, owner, 0);
  // One partition with retention, one that keeps all, one that stands still.
  sample::Cluster cluster{{.name = "orders", .partitions = {{0, 5}, {0, 5}, {0, 5}}}};
  std::vector<std::size_t> set_bytes;
  std::size_t references_max = 0;
  constexpr int runs = 1000;
  for (int run = 0; run < runs; ++run) {
    auto id = fmt::format("nightly-20250101-{:06}", run);
    auto set = *sample::back_up({}, archive, cluster, {.backup_id = id}).set;
    set_bytes.push_back(store->get({}, decision_key(id))->size());
    references_max = std::max(references_max, set.indexes.size());
    if (run % 50 == 49) {
      prune({}, archive, {}, PruneMode::act);
      sample::check_set({}, archive, set);
    }
    auto& partitions = cluster[0].partitions;
    partitions[0].start = std::max<std::int64_t>(0, partitions[0].end - 20);
    for (auto i : {0, 1}) partitions[static_cast<std::size_t>(i)].end += 3;
  }
  // log8(1000) levels of at most 7
  CHECK(references_max <= 28);
  auto max_of = [&](int from, int to) {
    return *std::max_element(set_bytes.begin() + from, set_bytes.begin() + to);
  };
  constexpr std::size_t longer_numbers = 64;
  CHECK(max_of(900, 1000) <= max_of(100, 600) + longer_numbers);
  for (int run : {0, 1, 7, 8, 63, 64, 65, 511, 512, 777, 999}) {
    auto set = archive.set({}, fmt::format("nightly-20250101-{:06}", run));
    REQUIRE(sample::check_set({}, archive, set) > 0);
  }
}

}  // namespace kb::archive
