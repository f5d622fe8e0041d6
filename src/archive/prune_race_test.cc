// A prune during which other things happen: all of them at every one of its store calls, and two of them at
// every pair of calls. What seeds meet once in thousands (model_test.cc) is met here each time.
#include <functional>
#include <map>

#include "archive/layout.h"
#include "archive/prune.h"
#include "archive/restore_pin.h"
#include "archive/sample_run.h"
#include "base/error.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

using Event = std::function<void()>;

std::string id_of(int day) {
  return fmt::format("nightly-202501{:02}-000000", day);
}

// Three sets, of which the first is deleted already though the others need its segments; a fourth run is to
// build on the third.
class Race {
 public:
  Race()
      : store_(std::make_shared<storage::MemoryStore>(
            storage::StoreHooks{.before = [this](const auto&) { call(); }})) {
    for (int day = 1; day <= 3; ++day) {
      sample::back_up({}, archive_, cluster_, {.backup_id = id_of(day)});
      cluster_[0].partitions[0].end += 9;
    }
    prune({}, archive_, {id_of(1)}, PruneMode::act);
  }

  void plan() { plan_ = sample::plan_once({}, archive_, cluster_, id_of(4), 1, 0); }
  void commit() {
    if (!plan_) plan();
    sample::copy_shard({}, archive_, cluster_, *plan_, 0);
    REQUIRE(archive::commit({}, archive_, *plan_, 0).set);
    committed_ = true;
  }
  void remove(int day) {
    prune({}, archive_, {id_of(day)}, PruneMode::act, UndecidedRuns::keep, [] { return 0; });
  }
  // What began must be able to read all of its set up to its end; what comes too late is refused.
  void begin_restore() {
    try {
      restore_.renew({});
      restoring_ = archive_.decision({}, id_of(2))->set;
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::not_found);
    }
  }
  void end_restore() {
    if (restoring_) sample::check_set({}, archive_, *std::exchange(restoring_, {}));
    restore_.release({});
  }
  void abandon() { archive_.decide({}, id_of(4), {.abandoned = "x"}); }

  // A prune, with `first` at its ith call and `second` at its jth, or afterwards. Gives how many calls it
  // made.
  int prune_with(const std::vector<std::string>& names, int i, const Event& first, int j,
                 const Event& second) {
    due_[i].push_back(first);
    due_[j].push_back(second);
    watching_ = true;
    prune({}, archive_, names, PruneMode::act, UndecidedRuns::keep, [] { return 0; });
    watching_ = false;
    for (auto it = due_.upper_bound(calls_); it != due_.end(); ++it)
      for (const auto& event : it->second) event();
    return calls_;
  }

  // Everything that is to be there is there, and nothing else.
  void check(bool must_commit) {
    if (must_commit && !committed_) commit();
    end_restore();
    for (const auto& set : archive_.sets({})) sample::check_set({}, archive_, set);
    prune({}, archive_, {}, PruneMode::act);
    for (const auto& set : archive_.sets({})) sample::check_set({}, archive_, set);
    REQUIRE(prune({}, archive_, {}, PruneMode::dry_run).objects == 0);
    if (must_commit) REQUIRE(archive_.newest_set({})->capture.backup_id == id_of(4));
    for (const auto& set : archive_.sets({})) remove_names_.push_back(set.capture.backup_id);
    prune({}, archive_, remove_names_, PruneMode::act);
    for (const auto& info : store_->list({}, ""))
      if (info.key != header_key() && !info.key.starts_with(tombstones_prefix()) &&
          info.key != decision_key(id_of(4)))
        fail(ErrorKind::internal, "object {} is left", info.key);
  }

 private:
  void call() {
    if (!watching_) return;
    auto found = due_.find(++calls_);
    if (found == due_.end()) return;
    watching_ = false;
    for (const auto& event : found->second) event();
    watching_ = true;
  }

  bool watching_ = false;
  int calls_ = 0;
  std::map<int, std::vector<Event>> due_;
  std::shared_ptr<storage::MemoryStore> store_;
  Archive archive_ = Archive::open_or_create({}, store_, {.name = "nightly"}, 0);
  sample::Cluster cluster_{{.name = "orders", .partitions = {{0, 9}}}};
  std::optional<Plan> plan_;
  bool committed_ = false;
  RestorePin restore_{archive_, "drill", "kafka/drill", id_of(2), [] { return 0; }};
  std::optional<Set> restoring_;
  std::vector<std::string> remove_names_;
};

using Step = void (*)(Race&);
const Step nothing = [](Race&) {}, plans = [](Race&r) { r.plan(); }, commits = [](Race&r) { r.commit(); },
           removes_base = [](Race&r) { r.remove(3); }, removes_older = [](Race&r) { r.remove(2); },
           removes_own = [](Race&r) { r.remove(4); }, abandons = [](Race&r) { r.abandon(); },
           plans_and_removes_base = [](Race&r) { r.plan(), r.remove(3); },
           begins_restore = [](Race&r) { r.begin_restore(); }, ends_restore = [](Race&r) { r.end_restore(); },
           removes_restored = [](Race&r) { r.remove(2); },
           plans_and_begins_restore = [](Race&r) { r.plan(), r.begin_restore(); },
           commits_and_removes_base = [](Race&r) { r.commit(), r.remove(3); };

// `before` happens before the prune of `names`, `first` and `second` at each pair of its calls.
void try_all_pairs(const std::vector<std::string>& names, Step before, Step first, Step second,
                   bool must_commit) {
  for (int i = 1, calls = 1; i <= calls; ++i) {
    for (int j = i; j <= calls; ++j) {
      Race race;
      before(race);
      calls = race.prune_with(
          names, i, [&] { first(race); }, j, [&] { second(race); });
      REQUIRE_NOTHROW(race.check(must_commit));
    }
  }
}

}  // namespace

TEST_CASE("a base is pinned, then deleted, during a prune") {
  try_all_pairs({id_of(2)}, nothing, plans, removes_base, true);
  try_all_pairs({id_of(2)}, nothing, plans_and_removes_base, commits, true);
}

TEST_CASE("a run commits, then its base is deleted, during a prune") {
  try_all_pairs({id_of(2)}, plans, commits, removes_base, true);
  try_all_pairs({id_of(2)}, nothing, plans, commits_and_removes_base, true);
  try_all_pairs({id_of(2), id_of(3)}, plans, removes_older, commits, true);
  try_all_pairs({id_of(3)}, plans, commits, removes_older, true);
}

TEST_CASE("a run ends otherwise during a prune") {
  try_all_pairs({id_of(3)}, plans, abandons, removes_older, false);
  try_all_pairs({id_of(3)}, plans, commits, removes_own, false);
}

TEST_CASE("a restore begins during a prune of its set") {
  try_all_pairs({id_of(2)}, nothing, begins_restore, nothing, false);
  try_all_pairs({id_of(2)}, nothing, begins_restore, removes_restored, false);
  try_all_pairs({id_of(2)}, nothing, begins_restore, ends_restore, false);
  try_all_pairs({id_of(3)}, nothing, removes_restored, begins_restore, false);
  try_all_pairs({id_of(2)}, begins_restore, removes_restored, ends_restore, false);
}

TEST_CASE("a restore and a run that builds on later sets begin during a prune") {
  try_all_pairs({id_of(2)}, nothing, plans_and_begins_restore, commits, true);
  try_all_pairs({id_of(2), id_of(3)}, plans, begins_restore, commits, true);
  try_all_pairs({id_of(2), id_of(3)}, begins_restore, plans, commits, true);
}

}  // namespace kb::archive
