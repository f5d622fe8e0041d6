#include "archive/prune.h"

#include <map>
#include <random>
#include <set>

#include "archive/layout.h"
#include "archive/sample_run.h"
#include "base/error.h"
#include "base/failure_of.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

constexpr std::int64_t day_ms = 24 * 3600 * 1000;

std::vector<Set> sets_of_days(const std::vector<std::int64_t>& days) {
  std::vector<Set> sets;
  for (auto day : days) {
    auto& set = sets.emplace_back();
    set.capture.backup_id = std::to_string(sets.size() - 1);
    set.capture.captured_at_ms = day * day_ms;
  }
  return sets;
}

using Ids = std::vector<std::string>;

std::string id_of(int day) {
  return fmt::format("nightly-202501{:02}-000000", day);
}

using Objects = std::map<std::string, std::string>;

Objects content_of(storage::ObjectStore& store) {
  Objects objects;
  for (const auto& info : store.list({}, "")) objects[info.key] = *store.get({}, info.key);
  return objects;
}

std::shared_ptr<storage::MemoryStore> store_with(const Objects& objects, storage::StoreHooks hooks = {}) {
  auto store = std::make_shared<storage::MemoryStore>(std::move(hooks));
  for (const auto& [key, bytes] : objects) store->overwrite(key, bytes);
  return store;
}

// Four sets, each with new records; the log of the first two was deleted before the last.
struct Fixture {
  std::shared_ptr<storage::MemoryStore> store = std::make_shared<storage::MemoryStore>();
  Archive archive = Archive::open_or_create({}, store, {.name = "nightly"}, 0);
  sample::Cluster cluster{{.name = "orders", .partitions = {{0, 20}}}};

  Fixture() {
    for (int day = 1; day <= 4; ++day) {
      back_up(day);
      cluster[0].partitions[0].end += 20;
      if (day == 3) cluster[0].partitions[0].start = 40;
    }
  }
  Decision back_up(int day) { return sample::back_up({}, archive, cluster, {.backup_id = id_of(day)}); }
  std::set<std::string> segment_runs() {
    std::set<std::string> runs;
    for (const auto& info : store->list({}, segments_prefix())) runs.insert(*backup_id_of(info.key));
    return runs;
  }
  void check_all() {
    for (const auto& set : archive.sets({})) CHECK_NOTHROW(sample::check_set({}, archive, set));
  }
};

}  // namespace

TEST_CASE("retention: age with a floor, or a count, and never the newest") {
  auto sets = sets_of_days({0, 10, 20, 30});
  auto now = 30 * day_ms;
  auto gone = [&](std::uint32_t days, std::uint32_t last) {
    return expired(sets, {.max_age_days = days, .keep_last = last}, now);
  };
  CHECK(gone(0, 0) == Ids{});
  CHECK(gone(0, 1) == Ids{"0", "1", "2"});
  CHECK(gone(0, 3) == Ids{"0"});
  CHECK(gone(0, 4) == Ids{});
  CHECK(gone(15, 0) == Ids{"0", "1"});
  CHECK(gone(20, 0) == Ids{"0"});  // exactly 20 days is not older
  CHECK(gone(15, 3) == Ids{"0"});
  CHECK(gone(15, 9) == Ids{});
  CHECK(expired(sets, {.max_age_days = 1}, 1000 * day_ms) == Ids{"0", "1", "2"});
  CHECK(expired({}, {.max_age_days = 1, .keep_last = 1}, now) == Ids{});
  CHECK(expired(sets, {.max_age_days = 0xffffffff}, now) == Ids{});
  CHECK(expired(sets, {.max_age_days = 1}, -now) == Ids{});  // a clock that went back
}

TEST_CASE("retention, said of one set at a time") {
  std::mt19937_64 random(1);
  for (int seed = 0; seed < 5000; ++seed) {
    std::vector<std::int64_t> days(random() % 8);
    for (auto& day : days) day = static_cast<std::int64_t>(random() % 20);
    auto sets = sets_of_days(days);
    RetentionPolicy policy{.max_age_days = static_cast<std::uint32_t>(random() % 15),
                           .keep_last = static_cast<std::uint32_t>(random() % 6)};
    std::int64_t today = 20;
    auto ids = expired(sets, policy, today * day_ms);
    std::set<std::string> gone(ids.begin(), ids.end());
    for (std::size_t i = 0; i < sets.size(); ++i) {
      auto newer = sets.size() - 1 - i;
      bool keep;
      if (newer == 0)
        keep = true;
      else if (policy.max_age_days == 0 && policy.keep_last == 0)
        keep = true;
      else if (policy.keep_last > newer)
        keep = true;
      else
        keep = policy.max_age_days != 0 && today - days[i] <= policy.max_age_days;
      REQUIRE(gone.contains(std::to_string(i)) == !keep);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "what a remaining set needs stays, all else goes") {
  CHECK(segment_runs() == std::set{id_of(1), id_of(2), id_of(3), id_of(4)});
  auto report = prune({}, archive, {id_of(1)}, PruneMode::act);
  CHECK(report.deleted == Ids{id_of(1)});
  CHECK(report.incomplete == Ids{});
  CHECK(segment_runs() == std::set{id_of(1), id_of(2), id_of(3), id_of(4)});  // sets 2 and 3 still begin at 0
  prune({}, archive, {id_of(2), id_of(3)}, PruneMode::act);
  CHECK(segment_runs() == std::set{id_of(3), id_of(4)});  // set 4 begins at 40
  check_all();
  CHECK(archive.sets({}).size() == 1);
  CHECK(store->list({}, runs_prefix()).empty());
  CHECK(store->list({}, pins_prefix()).empty());
  CHECK(store->list({}, decisions_prefix()).size() == 1);
  CHECK(prune({}, archive, {}, PruneMode::act).objects == 0);
  prune({}, archive, {id_of(4)}, PruneMode::act);
  CHECK(store->list({}, "").size() == 5);  // the header and four tombstones
}

TEST_CASE_FIXTURE(Fixture, "a dry run tells what would go and touches nothing") {
  auto before = content_of(*store);
  auto told = prune({}, archive, {id_of(1), id_of(2)}, PruneMode::dry_run);
  CHECK(content_of(*store) == before);
  auto done = prune({}, archive, {id_of(1), id_of(2)}, PruneMode::act);
  CHECK(told.objects == done.objects);
  CHECK(told.bytes == done.bytes);
  std::uint64_t bytes_before = 0, bytes_after = 0;
  for (const auto& [key, bytes] : before) bytes_before += bytes.size();
  for (const auto& [key, bytes] : content_of(*store))
    if (!key.starts_with(tombstones_prefix())) bytes_after += bytes.size();
  CHECK(bytes_before - bytes_after == done.bytes);
}

TEST_CASE_FIXTURE(Fixture, "names of no sets are refused before anything is deleted") {
  archive.decide({}, id_of(9), {.abandoned = "x"});
  auto before = content_of(*store);
  for (const auto& wrong : {id_of(8), id_of(9)})
    CHECK(failure_of([&] {
            prune({}, archive, {id_of(1), wrong}, PruneMode::act);
          }).kind() == ErrorKind::not_found);
  CHECK(failure_of([&] { prune({}, archive, {"../x"}, PruneMode::act); }).kind() == ErrorKind::invalid);
  CHECK(content_of(*store) == before);
}

TEST_CASE_FIXTURE(Fixture, "an undecided run keeps its objects, and its base though that is deleted") {
  auto plan = sample::plan_once({}, archive, cluster, id_of(5), 1, 0);
  sample::copy_shard({}, archive, cluster, plan, 0);
  auto own = store->list({}, segments_prefix() + id_of(5)).size();
  auto report = prune({}, archive, {id_of(1), id_of(2), id_of(3), id_of(4)}, PruneMode::act);
  CHECK(report.incomplete == Ids{id_of(5)});
  CHECK(store->list({}, segments_prefix() + id_of(5)).size() == own);
  CHECK(segment_runs() == std::set{id_of(3), id_of(4), id_of(5)});
  CHECK(archive.sets({}).empty());
  auto decision = commit({}, archive, plan, 0);
  REQUIRE(decision.set);
  prune({}, archive, {}, PruneMode::act);
  check_all();
  CHECK(store->list({}, decisions_prefix()).size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "an abandoned run leaves nothing but its decision") {
  cluster[0].partitions[0].end += 10;
  auto plan = sample::plan_once({}, archive, cluster, id_of(5), 1, 0);
  sample::copy_shard({}, archive, cluster, plan, 0);
  archive.decide({}, id_of(5), {.abandoned = "x"});
  prune({}, archive, {}, PruneMode::act);
  CHECK_FALSE(segment_runs().contains(id_of(5)));
  CHECK(archive.decision({}, id_of(5))->abandoned == "x");
  check_all();
}

TEST_CASE_FIXTURE(Fixture, "a pin that came too late keeps nothing that is gone already") {
  prune({}, archive, {id_of(4)}, PruneMode::act);
  CHECK_FALSE(archive.pin({}, id_of(5), id_of(4)));
  CHECK_NOTHROW(prune({}, archive, {id_of(3)}, PruneMode::act));
  check_all();
}

TEST_CASE_FIXTURE(Fixture, "a damaged or missing index of a set stops a prune before anything is deleted") {
  auto key = archive.set({}, id_of(2)).indexes.at(0).key;
  auto whole = *store->get({}, key);
  auto damaged = whole;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  auto segments = store->list({}, segments_prefix()).size();
  store->overwrite(key, damaged);
  CHECK(failure_of([&] { prune({}, archive, {id_of(1)}, PruneMode::act); }).kind() == ErrorKind::corrupt);
  store->remove({}, key);
  CHECK(failure_of([&] { prune({}, archive, {id_of(1)}, PruneMode::act); }).kind() == ErrorKind::corrupt);
  CHECK(store->list({}, segments_prefix()).size() == segments);
}

TEST_CASE_FIXTURE(Fixture, "foreign objects are left alone") {
  for (auto foreign : {"notes", "segments/readme", "sets/x", "pins/y/z", "indexes/q/r", "tombstones/t"})
    store->overwrite(foreign, "foreign");
  prune({}, archive, {id_of(1), id_of(2)}, PruneMode::act);
  for (auto foreign : {"notes", "segments/readme", "sets/x", "pins/y/z", "indexes/q/r", "tombstones/t"})
    CHECK(store->head({}, foreign));
  check_all();
}

TEST_CASE_FIXTURE(Fixture, "a prune that is cut short at any call can be repeated with the same names") {
  const auto before = content_of(*store);
  const Ids names{id_of(1), id_of(2)};
  prune({}, archive, names, PruneMode::act);
  const auto after = content_of(*store);
  struct CutShort {};
  for (int cut = 1;; ++cut) {
    int calls = 0;
    bool armed = true;
    auto hook = [&](const storage::StoreOperation&) {
      if (armed && ++calls == cut) throw CutShort();
    };
    auto copy = store_with(before, {.before = hook});
    bool done = false;
    try {
      auto again = Archive::open({}, copy);
      prune({}, again, names, PruneMode::act);
      done = true;
    } catch (const CutShort&) {
    }
    armed = false;
    auto mended = store_with(content_of(*copy));
    prune({}, Archive::open({}, mended), names, PruneMode::act);
    REQUIRE(content_of(*mended) == after);
    if (done) break;
  }
}

}  // namespace kb::archive
