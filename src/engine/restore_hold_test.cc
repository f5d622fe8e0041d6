#include "engine/restore_hold.h"

#include "archive/layout.h"
#include "archive/sample_run.h"
#include "base/error.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
namespace sample = kb::archive::sample;

namespace {

const std::string id = "nightly-20250101-000000";

struct Fixture {
  std::shared_ptr<storage::MemoryStore> store = std::make_shared<storage::MemoryStore>();
  archive::Archive archive = archive::Archive::open_or_create({}, store, {.name = "nightly"}, 0);
  RestoreRequest request{.restore_namespace = "kafka", .restore_name = "drill"};

  Fixture() {
    sample::back_up({}, archive, {{.name = "orders", .partitions = {{0, 20}}}}, {.backup_id = id});
    store->remove({}, archive::plan_key(id));
    request.spec.kafka_cluster.bootstrap_servers = {"a:9092"};
  }
  std::size_t pins() { return store->list({}, archive::pins_prefix()).size(); }
  // Gives how many pins are left when the work ends with `kind`.
  std::size_t pins_after(ErrorKind kind, bool begun) {
    RestoreHold hold({}, request, archive);
    const auto work = [&] {
      CHECK(pins() > 0);
      if (begun) hold.begin();
      fail(kind, "so it ends");
    };
    CHECK_THROWS_AS(hold.during({}, work), Error);
    return pins();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "all shards and later runs of a restore are the same one, and no other is") {
  const auto identity = restore_identity(request, id);
  auto same = request;
  same.shard = {.index = 2, .count = 3};
  same.memory_bytes_max = 1;
  CHECK(restore_identity(same, id) == identity);
  CHECK(restore_identity(request, "nightly-20250102-000000") != identity);
  auto other = request;
  other.restore_name = "other";
  CHECK(restore_identity(other, id) != identity);
  other = request;
  other.spec.kafka_cluster.bootstrap_servers = {"b:9092"};
  CHECK(restore_identity(other, id) != identity);
  other = request;
  other.spec.topics = {"orders"};
  CHECK(restore_identity(other, id) != identity);
}

TEST_CASE_FIXTURE(Fixture, "a set is pinned from its choice to the end of the restore") {
  RestoreHold hold({}, request, archive);
  CHECK(hold.set().capture.backup_id == id);
  CHECK(archive::sets_being_restored({}, archive, unix_now_ms()) ==
        std::map<std::string, std::set<std::string>>{{id, {"kafka/drill"}}});
  hold.during({}, [] {});
  CHECK(pins() > 0);  // of a shard: the others go on
  hold.release({});
  CHECK(pins() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a dry run pins nothing") {
  request.spec.dry_run = true;
  RestoreHold hold({}, request, archive);
  CHECK(hold.set().capture.backup_id == id);
  hold.during({}, [&] { CHECK(pins() == 0); });
  hold.release({});
}

TEST_CASE_FIXTURE(Fixture, "what fails before it has begun holds nothing") {
  CHECK(pins_after(ErrorKind::conflict, false) == 0);
  CHECK(pins_after(ErrorKind::unavailable, false) == 0);
}

TEST_CASE_FIXTURE(Fixture, "what was begun holds its set, as it can be resumed") {
  CHECK(pins_after(ErrorKind::cancelled, false) > 0);
  const auto held = pins();
  CHECK(pins_after(ErrorKind::conflict, false) == held);
  CHECK(pins_after(ErrorKind::conflict, true) > held);
}

TEST_CASE_FIXTURE(Fixture, "a set that was deleted is only for the restore that holds it") {
  RestoreHold({}, request, archive);
  store->overwrite(archive::tombstone_key(id), "{}");
  request.spec.backup_ref.backup_id = id;
  CHECK(RestoreHold({}, request, archive).set().capture.backup_id == id);
  request.restore_name = "other";
  CHECK_THROWS_WITH_AS(RestoreHold({}, request, archive), doctest::Contains("was deleted"), Error);
}
