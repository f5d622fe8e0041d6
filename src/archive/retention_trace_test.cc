// Weeks of an archive's life by seeds: runs that end, that are under way or given up, a clock that jumps, and
// retention by a policy after them. Whatever goes, what is left can be restored record by record.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "archive/layout.h"
#include "archive/prune.h"
#include "archive/sample_run.h"
#include "storage/memory.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

constexpr std::int64_t day_ms = 24 * 3600 * 1000;
using Ids = std::vector<std::string>;

// What others have in the same place: by its name anything, and another owner's archive.
const std::map<std::string, std::string> foreign{{"notes", "x"},
                                                 {"segments/readme", "x"},
                                                 {"sets/latest", "x"},
                                                 {"weekly/archive", "x"},
                                                 {"weekly/sets/weekly-20250101-000000", "x"},
                                                 {"weekly/segments/weekly-20250101-000000/0-1", "x"},
                                                 {"nightly-20250101-000000/manifest.json", "x"}};

class Trace {
 public:
  explicit Trace(std::uint64_t seed)
      : random_(seed), archive_(Archive::open_or_create({}, store_, {.name = "nightly"}, 0)) {
    for (const auto& [key, bytes] : foreign) store_->overwrite(key, bytes);
    policy_ = {.max_age_days = static_cast<std::uint32_t>(draw(2) * draw(6)),
               .keep_last = static_cast<std::uint32_t>(draw(2) * draw(5))};
  }

  // The rule that was broken; "" when none was.
  std::string run() {
    for (auto days = 4 + draw(12); days > 0 && violation_.empty(); --days) live_a_day();
    for (auto& plan : under_way_) finish(plan);
    under_way_.clear();
    apply_retention();
    for (const auto& [key, bytes] : foreign) check(store_->get({}, key) == bytes, "{} is not as it was", key);
    return violation_;
  }
  std::uint64_t deleted() const { return deleted_; }

 private:
  std::uint64_t draw(std::uint64_t n) { return random_() % n; }

  template <class... Args>
  void check(bool holds, fmt::format_string<Args...> text, Args&&... args) {
    if (!holds && violation_.empty()) violation_ = fmt::format(text, std::forward<Args>(args)...);
  }

  void live_a_day() {
    now_ms_ += static_cast<std::int64_t>(draw(8) == 0 ? 20 : 1) * day_ms;
    if (draw(10) == 0) now_ms_ -= static_cast<std::int64_t>(draw(30)) * day_ms;
    grow();
    auto plan = sample::plan_once({}, archive_, cluster_, next_id(), 1, now_ms_);
    switch (draw(6)) {
      case 0:  // it is still at work, with part of its objects stored or none
        if (draw(2) == 0) sample::copy_shard({}, archive_, cluster_, plan, 0);
        under_way_.push_back(std::move(plan));
        break;
      case 1:
        sample::copy_shard({}, archive_, cluster_, plan, 0);
        archive_.decide({}, plan.capture.backup_id, {.abandoned = "given up"});
        break;
      default:
        finish(plan);
    }
    if (!under_way_.empty() && draw(3) == 0) {
      finish(under_way_.front());
      under_way_.erase(under_way_.begin());
    }
    if (draw(2) == 0) apply_retention();
  }

  void grow() {
    for (auto& log : cluster_[0].partitions) {
      log.end += static_cast<std::int64_t>(draw(9));
      if (draw(4) == 0) log.start += (log.end - log.start) / 2;
    }
    if (draw(15) == 0)
      cluster_[0] = {
          .name = "orders", .incarnation = cluster_[0].incarnation + 1, .partitions = {{0, 5}, {0, 2}}};
  }

  std::string next_id() { return fmt::format("nightly-20250101-{:06}", ++runs_); }

  void finish(const Plan& plan) {
    sample::copy_shard({}, archive_, cluster_, plan, 0);
    const auto decision = commit({}, archive_, plan, now_ms_);
    check(decision.set.has_value(), "run {} could not be finished", plan.capture.backup_id);
  }

  Ids ids_of_sets() {
    Ids ids;
    for (const auto& set : archive_.sets({})) ids.push_back(set.capture.backup_id);
    return ids;
  }
  std::map<std::string, std::string> content() {
    std::map<std::string, std::string> all;
    for (const auto& info : store_->list({}, "")) all[info.key] = *store_->get({}, info.key);
    return all;
  }

  void apply_retention() {
    const auto sets = archive_.sets({});
    const auto gone = expired(sets, policy_, now_ms_);
    check_choice(sets, gone);
    const auto before = content();
    const auto planned = prune({}, archive_, gone, PruneMode::dry_run);
    check(content() == before, "a dry run changed something");
    const auto done = prune({}, archive_, gone, PruneMode::act);
    check(done.objects == planned.objects && done.bytes == planned.bytes,
          "{} objects were removed and {} were announced", done.objects, planned.objects);
    deleted_ += done.deleted.size();
    check(prune({}, archive_, {}, PruneMode::dry_run).objects == 0, "something was left for a second prune");
    Ids expected;
    for (const auto& set : sets)
      if (std::ranges::find(gone, set.capture.backup_id) == gone.end())
        expected.push_back(set.capture.backup_id);
    check(ids_of_sets() == expected, "other sets are left than should be");
    check_what_is_left();
  }

  // In the words of the user's documentation.
  void check_choice(const std::vector<Set>& sets, const Ids& gone) {
    for (std::size_t newer = 0; newer < sets.size(); ++newer) {
      const auto& capture = sets[sets.size() - 1 - newer].capture;
      const bool is_gone = std::ranges::find(gone, capture.backup_id) != gone.end();
      const bool is_young = now_ms_ - capture.captured_at_ms <= policy_.max_age_days * day_ms;
      check(!is_gone || newer > 0, "the newest set goes");
      check(!is_gone || policy_.max_age_days > 0 || policy_.keep_last > 0, "a set goes without a policy");
      check(!is_gone || newer >= policy_.keep_last, "one of the last {} goes", policy_.keep_last);
      check(!is_gone || policy_.max_age_days == 0 || !is_young, "a set goes that is not old enough");
      const bool must_go = newer > 0 && newer >= policy_.keep_last &&
                           (policy_.max_age_days > 0 ? !is_young : policy_.keep_last > 0);
      check(is_gone || !must_go, "{} stays though nothing keeps it", capture.backup_id);
    }
  }

  void check_what_is_left() {
    try {
      for (const auto& set : archive_.sets({})) sample::check_set({}, archive_, set);
    } catch (const Error& error) {
      check(false, "a set that stays is damaged: {}", error.what());
    }
    for (const auto& plan : under_way_) {
      const auto& id = plan.capture.backup_id;
      check(archive_.plan({}, id).has_value(), "the plan of run {} is gone", id);
      for (const auto& object : read_checkpoints({}, archive_, id, 0).objects)
        check(store_->head({}, object.key).has_value(), "object {} of a run under way is gone", object.key);
    }
  }

  std::mt19937_64 random_;
  std::shared_ptr<storage::MemoryStore> store_ = std::make_shared<storage::MemoryStore>();
  Archive archive_;
  RetentionPolicy policy_;
  sample::Cluster cluster_{{.name = "orders", .partitions = {{0, 9}, {3, 12}}}};
  std::vector<Plan> under_way_;
  std::int64_t now_ms_ = 1'735'689'600'000;
  int runs_ = 0;
  std::uint64_t deleted_ = 0;
  std::string violation_;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

// KB_RETENTION_TRACES: how many; KB_RETENTION_FIRST: the first seed.
TEST_CASE("retention traces: nothing goes that a set, a run under way or another owner needs") {
  const auto first = number_from_environment("KB_RETENTION_FIRST", 1);
  const auto count = number_from_environment("KB_RETENTION_TRACES", 300);
  std::uint64_t deleted = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    Trace trace(seed);
    std::string violation;
    try {
      violation = trace.run();
    } catch (const Error& error) {
      violation = error.what();
    }
    if (!violation.empty()) FAIL("seed " << seed << ": " << violation);
    deleted += trace.deleted();
  }
  CHECK(deleted > count / 2);
}

}  // namespace kb::archive
