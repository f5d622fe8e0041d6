#include "archive/restore_pin.h"

#include <functional>

#include "archive/layout.h"
#include "archive/prune.h"
#include "archive/sample_run.h"
#include "base/error.h"
#include "base/failure_of.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

using Ids = std::vector<std::string>;
using Kind = storage::StoreOperation::Kind;

constexpr std::int64_t hour_ms = 3600 * 1000, day_ms = 24 * hour_ms, begin_ms = 1'735'689'600'000;
const std::string first = "nightly-20250101-000000", second = "nightly-20250102-000000";

// Two sets; the second does not need what the first refers to.
struct Fixture {
  std::function<void(const storage::StoreOperation&)> at_call = [](const auto&) {};
  std::shared_ptr<storage::MemoryStore> store =
      std::make_shared<storage::MemoryStore>(storage::StoreHooks{.before = [this](const auto& operation) {
        const auto act = at_call;  // which may replace itself
        act(operation);
      }});
  Archive archive = Archive::open_or_create({}, store, {.name = "nightly"}, 0);
  std::int64_t now_ms = begin_ms;

  Fixture() {
    sample::Cluster cluster{{.name = "orders", .partitions = {{0, 20}}}};
    sample::back_up({}, archive, cluster, {.backup_id = first});
    cluster[0].incarnation = 1;
    sample::back_up({}, archive, cluster, {.backup_id = second});
    // What is left of the runs themselves.
    prune_at(begin_ms, {});
  }
  RestorePin pin(std::string identity = "drill") {
    return {archive, identity, "kafka/" + identity, first, [this] { return now_ms; }};
  }
  std::string renew_at(std::int64_t time_ms, const RestorePin& pin) {
    now_ms = time_ms;
    return pin.renew({});
  }
  PruneReport prune_at(std::int64_t now_ms, const Ids& ids, PruneMode mode = PruneMode::act) {
    return prune({}, archive, ids, mode, UndecidedRuns::keep, [now_ms] { return now_ms; });
  }
  Ids pins() {
    Ids keys;
    for (const auto& object : store->list({}, pins_prefix())) keys.push_back(object.key);
    return keys;
  }
  Ids sets() { return archive.set_ids({}); }
  std::uint64_t objects() { return store->list({}, "").size(); }
  bool is_readable(const std::string& id) {
    auto decision = archive.decision({}, id);
    return decision && decision->set && sample::check_set({}, archive, *decision->set) > 0;
  }
  void deny_writes() {
    at_call = [](const auto& operation) {
      if (operation.kind == Kind::put_if_absent || operation.kind == Kind::remove)
        fail(ErrorKind::denied, "{}: Read-only file system", operation.key);
    };
  }
};

}  // namespace

TEST_CASE("names of restore pins") {
  auto pin = parse_restore_pin("pins/restore-0f3c/nightly-20250101-000000/held-1735689600000-9ab3c0de");
  REQUIRE(pin);
  CHECK(pin->restore_id == "restore-0f3c");
  CHECK(pin->backup_id == first);
  CHECK(pin->held);
  CHECK(pin->renewed_at_ms == begin_ms);
  CHECK(pin->writer == "9ab3c0de");
  for (const auto* foreign :
       {"pins/restore-20250101-000000/nightly-20250101-000000", "pins/restore-0f3c/nightly-20250101-000000",
        "pins/restore-20250101-000000/nightly-20250101-000000/held-1-a", "pins/restore-0f3c/nightly/held-1-a",
        "pins/restore-0f3c/nightly-20250101-000000/kept-1-a",
        "pins/restore-0f3c/nightly-20250101-000000/held-x-a",
        "pins/restore-0f3c/nightly-20250101-000000/held--1-a",
        "pins/restore-0f3c/nightly-20250101-000000/held-1", "sets/nightly-20250101-000000"})
    CHECK_MESSAGE(!parse_restore_pin(foreign), foreign);
}

TEST_CASE_FIXTURE(Fixture, "the pins of a restore have the same name for whoever runs it") {
  renew_at(begin_ms, pin());
  renew_at(begin_ms + 1, pin());
  renew_at(begin_ms, pin("other"));
  std::set<std::string> restores;
  for (const auto& key : pins()) {
    REQUIRE(parse_restore_pin(key));
    restores.insert(parse_restore_pin(key)->restore_id);
  }
  CHECK(restores.size() == 2);
  CHECK(sets_being_restored({}, archive, begin_ms) ==
        std::map<std::string, std::set<std::string>>{{first, {"kafka/drill", "kafka/other"}}});
  CHECK(archive.catalog({}).undecided.empty());
}

TEST_CASE_FIXTURE(Fixture, "a set that is being restored is left until the restore has ended") {
  const auto restore = pin();
  CHECK(renew_at(begin_ms, restore).empty());
  const auto before = objects();
  for (auto mode : {PruneMode::dry_run, PruneMode::act}) {
    auto report = prune_at(begin_ms, {first}, mode);
    CHECK(report.deleted.empty());
    CHECK(report.being_restored == Ids{first + " (being restored by kafka/drill)"});
    CHECK(report.objects == 0);
  }
  CHECK(objects() == before);
  CHECK(sets() == Ids{first, second});
  restore.release({});
  CHECK(pins().empty());
  CHECK(prune_at(begin_ms, {first}).deleted == Ids{first});
  CHECK(sets() == Ids{second});
  CHECK(!is_readable(first));
}

TEST_CASE_FIXTURE(Fixture, "a restore that was given up holds its set for 7 days") {
  renew_at(begin_ms, pin());
  const auto dead_ms = begin_ms + restore_pin_life_ms;
  CHECK(prune_at(dead_ms - 1, {first}).deleted.empty());
  CHECK(prune_at(dead_ms, {first}).deleted == Ids{first});
  CHECK(!is_readable(first));
  CHECK(pins().empty());
}

TEST_CASE_FIXTURE(Fixture, "a pin from the future is dead, too") {
  renew_at(begin_ms + 100 * day_ms, pin());
  CHECK(prune_at(begin_ms, {first}).deleted == Ids{first});
  CHECK(pins().empty());
}

TEST_CASE_FIXTURE(Fixture, "a pin that is renewed lives on, in few objects") {
  const auto restore = pin();
  for (std::int64_t at = begin_ms; at <= begin_ms + 20 * day_ms; at += 6 * hour_ms) {
    CHECK(renew_at(at, restore).empty());
    CHECK(pins().size() <= 12);
  }
  CHECK(prune_at(begin_ms + 26 * day_ms, {first}).deleted.empty());
}

TEST_CASE_FIXTURE(Fixture, "who comes too late is refused, and leaves nothing") {
  prune_at(begin_ms, {first});
  CHECK(failure_of([&] { renew_at(begin_ms, pin()); }).kind() == ErrorKind::not_found);
  CHECK(pins().empty());
}

TEST_CASE_FIXTURE(Fixture, "a restore goes on under its earlier pin, and no other one") {
  // The deletion has looked for restores when this one begins.
  at_call = [this](const auto& operation) {
    if (operation.kind != Kind::put_if_absent || operation.key != tombstone_key(first)) return;
    at_call = [](const auto&) {};
    renew_at(begin_ms, pin());
  };
  CHECK(prune_at(begin_ms, {first}).deleted == Ids{first});
  CHECK(sets() == Ids{second});
  CHECK(is_readable(first));
  CHECK(failure_of([&] { renew_at(begin_ms, pin("other")); }).kind() == ErrorKind::not_found);
  CHECK(renew_at(begin_ms + day_ms, pin()).empty());
  CHECK(prune_at(begin_ms + 7 * day_ms, {}).objects > 0);  // the first pin
  CHECK(is_readable(first));
  pin().release({});
  prune_at(begin_ms + 7 * day_ms, {});
  CHECK(!is_readable(first));
}

TEST_CASE_FIXTURE(Fixture,
                  "workers of a restore that ask at once help each other when one of them has the set") {
  const auto quick = pin(), slow = pin();
  at_call = [&](const auto& operation) {
    if (operation.kind != Kind::head || operation.key != tombstone_key(first)) return;
    at_call = [](const auto&) {};
    renew_at(begin_ms, quick);
    prune_at(begin_ms, {});
    store->overwrite(tombstone_key(first), "{}");
  };
  CHECK(renew_at(begin_ms, slow).empty());
}

TEST_CASE_FIXTURE(Fixture, "a prune that stalls for longer than a pin lives takes no new one for dead") {
  const auto drill = pin();
  const auto stall = [&](const auto& operation) {  // behind the tombstone, when it lists the pins again
    if (operation.kind != Kind::list || operation.key != pins_prefix()) return;
    at_call = [](const auto&) {};
    for (auto days : {4, 8}) renew_at(begin_ms + days * day_ms, drill);
  };
  at_call = [&](const auto& operation) {
    if (operation.kind != Kind::put_if_absent || operation.key != tombstone_key(first)) return;
    at_call = [](const auto&) {};
    renew_at(begin_ms, drill);
    at_call = stall;
  };
  const auto report =
      prune({}, archive, {first}, PruneMode::act, UndecidedRuns::keep, [this] { return now_ms; });
  CHECK(report.deleted == Ids{first});
  CHECK(is_readable(first));
  CHECK(!pins().empty());
}

TEST_CASE_FIXTURE(Fixture, "a pin that is nearly dead does not help against a tombstone") {
  at_call = [this](const auto& operation) {
    if (operation.kind != Kind::put_if_absent || operation.key != tombstone_key(first)) return;
    at_call = [](const auto&) {};
    renew_at(begin_ms, pin());
  };
  prune_at(begin_ms, {first});
  CHECK(failure_of([&] { renew_at(begin_ms + restore_pin_trust_ms, pin()); }).kind() == ErrorKind::not_found);
  CHECK(renew_at(begin_ms + restore_pin_trust_ms - 1, pin()).empty());
}

TEST_CASE_FIXTURE(Fixture, "a pin of which nobody knows whether it was in time is not trusted") {
  at_call = [](const auto& operation) {
    if (operation.kind == Kind::head && operation.key == tombstone_key(first))
      fail(ErrorKind::unavailable, "killed");
  };
  CHECK(failure_of([&] { renew_at(begin_ms, pin()); }).kind() == ErrorKind::unavailable);
  at_call = [](const auto&) {};
  REQUIRE(pins().size() == 1);
  store->overwrite(tombstone_key(first), "{}");
  CHECK(failure_of([&] { renew_at(begin_ms, pin()); }).kind() == ErrorKind::not_found);
  CHECK(pins().size() == 1);  // another writer's, which may have been in time
}

TEST_CASE_FIXTURE(Fixture, "what was not begun withdraws its own pins alone") {
  const auto earlier = pin(), later = pin();
  renew_at(begin_ms, earlier);
  const auto of_earlier = pins();
  renew_at(begin_ms + 1, later);
  CHECK(pins().size() == 2 * of_earlier.size());
  later.withdraw({});
  CHECK(pins() == of_earlier);
}

TEST_CASE_FIXTURE(Fixture, "where nothing can be written a restore goes on without a pin") {
  deny_writes();
  CHECK(renew_at(begin_ms, pin()).find("Read-only file system") != std::string::npos);
  CHECK_NOTHROW(pin().release({}));
  CHECK_NOTHROW(pin().withdraw({}));
  at_call = [](const auto&) {};
  CHECK(pins().empty());
  prune_at(begin_ms, {first});
  deny_writes();
  CHECK(failure_of([&] { renew_at(begin_ms, pin()); }).kind() == ErrorKind::not_found);
}

}  // namespace kb::archive
