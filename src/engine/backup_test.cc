// What a backup decides before it asks a cluster.
#include "engine/backup.h"

#include "archive/run.h"
#include "archive/sample_run.h"
#include "base/error.h"
#include "engine/backup_run.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
namespace sample = kb::archive::sample;

namespace {

const std::string first = "nightly-20250101-000000", second = "nightly-20250102-000000",
                  third = "nightly-20250103-000000";

// An archive, and runs of it of which samples of workers have copied some.
struct Fixture {
  std::shared_ptr<storage::MemoryStore> store = std::make_shared<storage::MemoryStore>();
  BackupRequest request{.owner = {.name = "nightly"}};
  archive::Archive archive = archive::Archive::open_or_create({}, store, request.owner, 0);
  sample::Cluster cluster{{.name = "orders", .partitions = {{0, 20}, {5, 9}, {3, 3}}}};

  archive::Plan plan(const std::string& id, int shards) {
    return sample::plan_once({}, archive, cluster, id, shards, 7);
  }
  BackupReport finish(const std::string& id) {
    request.backup_id = id;
    return finish_backup({}, request, [&](bool) { return store; });
  }
  Error refusal(auto act) {
    try {
      act();
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::internal, "nothing was thrown"};
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an incomplete run is not finished; the refusal says which shard lacks what") {
  auto error = refusal([&] { finish(first); });
  CHECK(error.kind() == ErrorKind::unavailable);
  CHECK(std::string(error.what()) == "backup " + first + " is not complete: no shard of it has begun");
  auto p = plan(first, 2);
  sample::copy_shard({}, archive, cluster, p, 1);
  error = refusal([&] { finish(first); });
  CHECK(error.kind() == ErrorKind::unavailable);
  CHECK(std::string(error.what()) ==
        "backup " + first + " is not complete: shard 0/2 has not stored orders/0 from offset 0 to 19");
  CHECK(error.hint() == "run shard 0/2, then finish again");
  CHECK_FALSE(archive.decision({}, first));
}

TEST_CASE_FIXTURE(Fixture, "a run that is decided gives its report again, without a cluster") {
  auto p = plan(first, 2);
  for (int shard : {0, 1}) sample::copy_shard({}, archive, cluster, p, shard);
  archive::commit({}, archive, p, 9);
  auto report = finish(first);
  CHECK(report.outcome == BackupOutcome::committed_before);
  CHECK(report.set.committed_at_ms == 9);
  archive.decide({}, second, {.abandoned = "no more"});
  CHECK(refusal([&] { finish(second); }).kind() == ErrorKind::conflict);
}

TEST_CASE_FIXTURE(Fixture, "shards and their finish need the name of the run") {
  CHECK(refusal([&] { finish(""); }).kind() == ErrorKind::invalid);
  ProgressCounters progress;
  request.shard = {1, 4};
  auto run = [&] {
    backup(
        {}, request, [&](bool) { return store; }, progress);
  };
  CHECK(std::string(refusal(run).what()) == "a shard needs the id of the backup");
  request.shard = {4, 4};
  CHECK(std::string(refusal(run).what()) == "shard 4/4: shards are counted from 0 to 3");
}

TEST_CASE_FIXTURE(Fixture, "a run goes on only with as many shards as it was begun with") {
  auto p = plan(first, 4);
  refuse_other_shards(p, {2, 4});
  auto error = refusal([&] { refuse_other_shards(p, {2, 3}); });
  CHECK(error.kind() == ErrorKind::conflict);
  CHECK(std::string(error.what()) == "backup " + first + " was begun with 4 shards, this call is for 3");
  CHECK(error.hint() == "run its shards 0/4 to 3/4 and then --finish, or name another id");
  error = refusal([&] { refuse_other_shards(plan(second, 1), {2, 3}); });
  CHECK(error.hint() == "run it without --shard, or name another id");
}

TEST_CASE_FIXTURE(Fixture, "a new run that is named gives up the older undecided ones, and no other") {
  for (const auto& id : {first, third}) plan(id, 2);
  request.backup_id = second;
  CHECK_FALSE(choose_run({}, archive, request).resumed);
  CHECK(archive.decision({}, first)->abandoned == "a later run took its place");
  CHECK_FALSE(archive.decision({}, second));
  CHECK_FALSE(archive.decision({}, third));
}

TEST_CASE_FIXTURE(Fixture, "a shard gives up neither its own run nor, once that has begun, another") {
  plan(first, 2);
  plan(second, 2);
  request.backup_id = second;
  CHECK(choose_run({}, archive, request).resumed);
  CHECK_FALSE(archive.decision({}, first));
  CHECK_FALSE(archive.decision({}, second));
  request.backup_id = first;
  CHECK(choose_run({}, archive, request).resumed);
  CHECK_FALSE(archive.decision({}, second));
}
