#include "archive/archive.h"

#include <functional>

#include "archive/layout.h"
#include "archive/sample_run.h"
#include "base/error.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

const Owner owner{.cluster_uid = "uid", .resource_namespace = "kafka", .name = "nightly"};
const std::string first = "nightly-20250101-000000", second = "nightly-20250102-000000";

struct Fixture {
  std::shared_ptr<storage::MemoryStore> store = std::make_shared<storage::MemoryStore>();
  Archive archive = Archive::open_or_create({}, store, owner, 0);
  sample::Cluster cluster{{.name = "orders", .partitions = {{0, 20}}}};

  Set back_up(const std::string& id) { return *sample::back_up({}, archive, cluster, {.backup_id = id}).set; }
  void bury(const std::string& id) { store->put_if_absent({}, tombstone_key(id), ""); }
};

Error refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "no error"};
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an archive is created once and belongs to its owner") {
  auto again = Archive::open_or_create({}, store, owner, 5);
  CHECK(again.header().archive_id == archive.header().archive_id);
  CHECK(again.header().created_at_ms == 0);
  CHECK(Archive::open({}, store).header().owner == owner);
  auto other = owner;
  other.name = "hourly";
  auto error = refusal([&] { Archive::open_or_create({}, store, other, 5); });
  CHECK(error.kind() == ErrorKind::conflict);
  CHECK(std::string(error.what()) ==
        "the archive at memory: belongs to KafkaBackup kafka/nightly, not to kafka/hourly");
  other = owner;
  other.cluster_uid = "another";
  error = refusal([&] { Archive::open_or_create({}, store, other, 5); });
  CHECK(std::string(error.what()).find("of another Kubernetes cluster") != std::string::npos);
  auto nothing = std::make_shared<storage::MemoryStore>();
  CHECK(refusal([&] { Archive::open({}, nothing); }).kind() == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(Fixture, "sets are found oldest first, whatever else lies there") {
  const std::string old_by_another_name = "zz-20240101-000000";
  for (const auto& id : {second, first, old_by_another_name}) back_up(id);
  for (auto foreign : {"sets/README", "sets/x/y", "runs/lost+found", "tombstones/.DS_Store", "unknown"})
    store->overwrite(foreign, "foreign");
  archive.decide({}, "nightly-20250103-000000", {.abandoned = "why not"});
  archive.pin({}, "nightly-20250104-000000", first);
  std::vector<std::string> ids;
  for (const auto& set : archive.sets({})) ids.push_back(set.capture.backup_id);
  CHECK(ids == std::vector{old_by_another_name, first, second});
  CHECK(archive.newest_set({})->capture.backup_id == second);
  CHECK(archive.catalog({}).undecided == std::vector<std::string>{"nightly-20250104-000000"});
  bury(second);
  CHECK(archive.newest_set({})->capture.backup_id == first);
  CHECK(archive.catalog({}).deleted == std::vector{second});
  CHECK(archive.catalog({}).decided ==
        std::vector<std::string>{old_by_another_name, first, "nightly-20250103-000000"});
}

TEST_CASE_FIXTURE(Fixture, "a set that cannot be had says why, and which one can") {
  auto why = [&](const std::string& id) { return refusal([&] { archive.set({}, id); }); };
  CHECK(why(first).hint() == "the archive holds no complete backup");
  back_up(first);
  CHECK(archive.set({}, first).capture.backup_id == first);
  CHECK(std::string(why(second).what()) == "backup " + second + " is not known in the archive at memory:");
  CHECK(why(second).hint() == "the newest complete backup is " + first);
  sample::plan_once({}, archive, cluster, second, 1, 0);
  CHECK(std::string(why(second).what()).find("is not complete") != std::string::npos);
  archive.decide({}, second, {.abandoned = "too slow"});
  CHECK(std::string(why(second).what()).find("was abandoned (too slow)") != std::string::npos);
  bury(first);
  CHECK(std::string(why(first).what()).find("was deleted") != std::string::npos);
  CHECK(why(first).kind() == ErrorKind::not_found);
  CHECK(why("nightly").kind() == ErrorKind::invalid);
}

TEST_CASE_FIXTURE(Fixture, "a run is decided once, for ever") {
  CHECK_FALSE(archive.decision({}, first));
  CHECK(archive.decide({}, first, {.abandoned = "one"}).abandoned == "one");
  CHECK(archive.decide({}, first, {.abandoned = "two"}).abandoned == "one");
  CHECK(archive.decision({}, first)->abandoned == "one");
}

TEST_CASE_FIXTURE(Fixture, "a deleted run cannot be decided again") {
  auto set = back_up(first);
  bury(first);
  CHECK(archive.decision({}, first)->set);  // who builds on it still can
  store->remove({}, decision_key(first));
  CHECK_FALSE(archive.decision({}, first)->set);
  auto late = archive.decide({}, first, {.set = set});
  CHECK_FALSE(late.set);
  CHECK(late.abandoned == "its set was deleted");
  CHECK(archive.sets({}).empty());
  CHECK(refusal([&] { archive.set({}, first); }).kind() == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(Fixture, "a pin holds unless the set is deleted already") {
  back_up(first);
  CHECK(archive.pin({}, second, first));
  CHECK(archive.pin({}, second, first));
  bury(first);
  CHECK_FALSE(archive.pin({}, "nightly-20250103-000000", first));
}

TEST_CASE_FIXTURE(Fixture, "a plan is made once") {
  auto plan = sample::make_plan(cluster, archive, first, nullptr, 1, 7);
  CHECK(archive.put_plan({}, plan).capture.captured_at_ms == 7);
  plan.capture.captured_at_ms = 8;
  CHECK(archive.put_plan({}, plan).capture.captured_at_ms == 7);
  CHECK(archive.plan({}, first)->capture.captured_at_ms == 7);
  CHECK_FALSE(archive.plan({}, second));
}

TEST_CASE_FIXTURE(Fixture, "names that are no backup ids are refused before anything is written") {
  auto count = store->list({}, "").size();
  for (const std::string wrong : {"x", "a/b-20250101-000000"}) {
    CHECK(refusal([&] { archive.pin({}, wrong, first); }).kind() == ErrorKind::invalid);
    CHECK(refusal([&] { archive.decide({}, wrong, {}); }).kind() == ErrorKind::invalid);
    CHECK(refusal([&] { archive.put_plan({}, {.capture = {.backup_id = wrong}}); }).kind() ==
          ErrorKind::invalid);
    CHECK(refusal([&] { ShardWriter::claim({}, archive, wrong, 0); }).kind() == ErrorKind::invalid);
  }
  CHECK(store->list({}, "").size() == count);
}

TEST_CASE_FIXTURE(Fixture, "an index that is missing, damaged or another one is found") {
  auto set = back_up(first);
  cluster[0].partitions[0].end = 40;
  auto reference = set.indexes.at(0), other = back_up(second).indexes.at(1);
  auto loaded = archive.load_index({}, reference);
  CHECK(loaded.block_count() == reference.blocks);
  auto twin = archive.put_index({}, first, 0, loaded);
  CHECK(twin.key == reference.key);
  CHECK(twin.sha256 == reference.sha256);
  auto bytes = *store->get({}, reference.key);
  CHECK(bytes.size() == reference.bytes);
  auto why = [&] { return refusal([&] { archive.load_index({}, reference); }); };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    store->overwrite(reference.key, damaged);
    REQUIRE(why().kind() == ErrorKind::corrupt);
    REQUIRE(std::string(why().what()).find(reference.key) != std::string::npos);
  }
  store->overwrite(reference.key, *store->get({}, other.key));
  CHECK(why().kind() == ErrorKind::corrupt);
  store->remove({}, reference.key);
  CHECK(std::string(why().what()) == "object " + reference.key + " is missing");
}

TEST_CASE_FIXTURE(Fixture, "a swapped decision is found") {
  back_up(first);
  back_up(second);
  store->overwrite(decision_key(second), *store->get({}, decision_key(first)));
  CHECK(refusal([&] { archive.decision({}, second); }).kind() == ErrorKind::corrupt);
}

TEST_CASE("an archive survives lost answers") {
  int calls = 0;
  storage::StoreHooks hooks{.after = [&](const storage::StoreOperation& operation) {
    if (operation.kind == storage::StoreOperation::Kind::put_if_absent && ++calls == 1)
      fail(ErrorKind::unavailable, "lost");
  }};
  auto store = std::make_shared<storage::MemoryStore>(hooks);
  CHECK_THROWS_AS(Archive::open_or_create({}, store, owner, 1), Error);
  CHECK(Archive::open_or_create({}, store, owner, 2).header().created_at_ms == 1);
}

}  // namespace kb::archive
