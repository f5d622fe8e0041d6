#include "engine/retention.h"

#include "archive/layout.h"
#include "archive/restore_pin.h"
#include "archive/sample_run.h"
#include "base/error.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
namespace sample = kb::archive::sample;

namespace {

using Ids = std::vector<std::string>;
constexpr std::int64_t day_ms = 24 * 3600 * 1000;
const Ids ids{"nightly-20250101-000000", "nightly-20250102-000000", "nightly-20250103-000000",
              "nightly-20250104-000000"};

// Four sets, a day apart; the topic is a new one each time, so that sets share no object. Day 3 is today.
struct Fixture {
  bool failing = false;
  std::shared_ptr<storage::MemoryStore> store =
      std::make_shared<storage::MemoryStore>(storage::StoreHooks{.before = [this](const auto& operation) {
        if (failing && operation.kind == storage::StoreOperation::Kind::remove)
          fail(ErrorKind::denied, "{} may not be removed", operation.key);
      }});
  archive::Archive archive = archive::Archive::open_or_create({}, store, {.name = "nightly"}, 0);

  Fixture() {
    for (std::size_t day = 0; day < ids.size(); ++day) {
      sample::Cluster cluster{
          {.name = "orders", .incarnation = static_cast<int>(day), .partitions = {{0, 20}}}};
      sample::back_up({}, archive, cluster,
                      {.backup_id = ids[day], .now_ms = static_cast<std::int64_t>(day) * day_ms + 1});
    }
  }
  RetentionReport apply(const api::Retention& retention, const std::string& current = ids.back()) {
    return apply_retention({}, archive, retention, {current}, [] { return 3 * day_ms + 2; });
  }
  Ids left() {
    Ids left;
    for (const auto& set : archive.sets({})) left.push_back(set.capture.backup_id);
    return left;
  }
  Ids runs_with_segments() {
    Ids runs;
    for (const auto& object : store->list({}, archive::segments_prefix()))
      if (auto id = archive::backup_id_of(object.key); runs.empty() || runs.back() != *id)
        runs.push_back(*id);
    return runs;
  }
  std::uint64_t stored_bytes() {
    std::uint64_t bytes = 0;
    for (const auto& object : store->list({}, "")) bytes += object.bytes;
    return bytes;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "all but the last backups go, with their objects") {
  auto report = apply({.enabled = true, .keep_last = 2});
  CHECK(report.error.empty());
  CHECK(report.inspected == 4);
  CHECK(report.eligible == 2);
  CHECK(report.deleted == Ids{ids[0], ids[1]});
  CHECK(report.reclaimed_bytes > 0);
  CHECK(left() == Ids{ids[2], ids[3]});
  CHECK(runs_with_segments() == left());
  for (const auto& id : left()) CHECK(sample::check_set({}, archive, archive.set({}, id)) > 0);
}

TEST_CASE_FIXTURE(Fixture, "with an age, the number of backups is a floor") {
  CHECK(apply({.enabled = true, .max_age_days = 2, .keep_last = 3}).deleted == Ids{ids[0]});
  CHECK(apply({.enabled = true, .max_age_days = 1, .keep_last = 1}).deleted == Ids{ids[1], ids[2]});
  CHECK(left() == Ids{ids[3]});
  CHECK(apply({.enabled = true, .max_age_days = 1, .keep_last = 5}).eligible == 0);
}

TEST_CASE_FIXTURE(Fixture, "a dry run only counts") {
  auto before = stored_bytes();
  auto dry = apply({.enabled = true, .keep_last = 1, .dry_run = true});
  CHECK(dry.dry_run);
  CHECK(dry.eligible == 3);
  CHECK(dry.deleted.empty());
  CHECK(stored_bytes() == before);
  CHECK(left() == ids);
  auto acted = apply({.enabled = true, .keep_last = 1});
  CHECK(acted.deleted.size() == 3);
  CHECK(acted.reclaimed_bytes == dry.reclaimed_bytes);
}

TEST_CASE_FIXTURE(Fixture, "the backup that was just made stays, though others are newer") {
  auto report = apply({.enabled = true, .keep_last = 1}, ids[1]);
  CHECK(report.eligible == 2);
  CHECK(left() == Ids{ids[1], ids[3]});
}

TEST_CASE_FIXTURE(Fixture, "a failure is told, and the next time does what was left") {
  failing = true;
  auto report = apply({.enabled = true, .keep_last = 1});
  CHECK(report.error.find("may not be removed") != std::string::npos);
  CHECK(report.eligible == 3);
  CHECK(report.deleted.empty());
  failing = false;
  report = apply({.enabled = true, .keep_last = 1});
  CHECK(report.error.empty());
  CHECK(report.reclaimed_bytes > 0);
  CHECK(runs_with_segments() == Ids{ids[3]});
}

TEST_CASE_FIXTURE(Fixture, "what a restore has pinned stays, and is told") {
  constexpr std::int64_t now_ms = 3 * day_ms + 1;
  archive::RestorePin(archive, "any", "kafka/drill", ids[1], [] { return now_ms; }).renew({});
  for (bool dry_run : {true, false}) {
    auto report = apply({.enabled = true, .keep_last = 1, .dry_run = dry_run});
    CHECK(report.error.empty());
    CHECK(report.inspected == 4);
    CHECK(report.eligible == 2);
    CHECK(report.being_restored == Ids{ids[1] + " (being restored by kafka/drill)"});
    CHECK(retention_warnings(report) ==
          Ids{"retention left backup " + ids[1] + " (being restored by kafka/drill)"});
  }
  CHECK(left() == Ids{ids[1], ids[3]});
}
