// Workers, zombies, prunes, restores, abandoners and readers of one archive, interleaved at every store call
// by seeds. The rules that must hold are those of docs/archive-format.md, "Runs", "Restore pins" and
// "Deleting".
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "archive/layout.h"
#include "archive/model_schedule.h"
#include "archive/prune.h"
#include "archive/restore_pin.h"
#include "archive/sample_run.h"
#include "archive/typed_document.h"
#include "storage/retrying.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

using model::Schedule;
using sample::Cluster;

const Owner owner{.cluster_uid = "uid", .resource_namespace = "kafka", .name = "nightly"};
constexpr RetryPolicy at_once{.backoff_first = Duration(0), .backoff_max = Duration(0)};

std::string id_of(int run) {
  return fmt::format("nightly-20250101-{:06}", run);
}
std::int64_t time_of_run(int run) {
  return std::int64_t{1'735'689'600'000} + run;
}

constexpr std::int64_t hour_ms = 3600 * 1000, week_ms = 7 * 24 * hour_ms;

// How an archive looks before the actors begin.
struct Start {
  std::vector<std::pair<std::string, std::string>> objects;
  Cluster cluster;
  int runs = 0;
};

void grow(Cluster& cluster, std::uint64_t random) {
  for (auto& topic : cluster) {
    for (auto& log : topic.partitions) {
      log.end += static_cast<std::int64_t>(random % 11);
      random /= 11;
      if (random % 3 == 0) log.start += (log.end - log.start) / 3;
      random /= 3;
    }
    if (random % 13 == 0)
      topic = {
          .name = topic.name, .incarnation = topic.incarnation + 1, .partitions = {{0, 5}, {0, 0}, {0, 3}}};
    random /= 13;
  }
}

// An archive with 0, 1, ... quiet runs.
const std::vector<Start>& starts() {
  static const auto all = [] {
    std::vector<Start> result;
    std::mt19937_64 random(1);
    auto store = std::make_shared<storage::MemoryStore>();
    auto archive = Archive::open_or_create({}, store, owner, 0);
    Cluster cluster{{.name = "orders", .partitions = {{0, 9}, {3, 12}, {0, 0}}}};
    for (int run = 0; run <= 16; ++run) {
      if (run > 0) {
        grow(cluster, random());
        sample::back_up({}, archive, cluster,
                        {.backup_id = id_of(run), .shards = 1 + run % 3, .now_ms = time_of_run(run)});
      }
      Start start{.cluster = cluster, .runs = run};
      for (const auto& info : store->list({}, ""))
        start.objects.emplace_back(info.key, *store->get({}, info.key));
      result.push_back(std::move(start));
    }
    return result;
  }();
  return all;
}

class Model {
 public:
  explicit Model(std::uint64_t seed)
      : schedule_(seed, chances_of(seed)),
        memory_(std::make_shared<storage::MemoryStore>(schedule_.hooks())),
        store_(std::make_shared<storage::RetryingStore>(memory_, at_once)) {
    const auto start = starts()[std::array<std::size_t, 6>{0, 1, 2, 3, 7, 15}[schedule_.draw(6)]];
    for (const auto& [key, bytes] : start.objects) memory_->overwrite(key, bytes);
    cluster_ = start.cluster;
    first_run_ = start.runs + 1;
  }

  // Gives the rule that was broken; empty when none was.
  std::string run() {
    archive_.emplace(Archive::open_or_create({}, store_, owner, 0));
    cast();
    schedule_.run();
    if (schedule_.violation().empty()) try {
        settle();
      } catch (const Error& error) {
        schedule_.violate(fmt::format("in the end: {}", error.what()));
      }
    return schedule_.violation();
  }
  void keep_trace() { schedule_.keep_trace(); }
  const std::string& trace() const { return schedule_.trace(); }
  std::uint64_t steps() const { return schedule_.steps(); }
  std::uint64_t kills() const { return schedule_.kills(); }

 private:
  static model::Chances chances_of(std::uint64_t seed) {
    model::Chances chances;
    chances.go_on = std::array{0.0, 0.5, 0.9}[seed % 3];
    chances.kill = std::array{0.0, 0.002, 0.01}[seed / 3 % 3];
    if (seed % 5 == 0) chances.fail = chances.lose_answer = 0.1;
    return chances;
  }

  void cast() {
    auto runs = 1 + schedule_.draw(3);
    for (std::uint64_t i = 0; i < runs; ++i) {
      auto run = first_run_ + static_cast<int>(i);
      runs_.push_back(run);
      auto shards = static_cast<int>(1 + schedule_.draw(3));
      auto workers = schedule_.draw(3) + 1;
      for (std::uint64_t worker = 0; worker < workers; ++worker)
        for (int shard = 0; shard < shards; ++shard)
          schedule_.add(fmt::format("worker {} of {} shard {}", worker, id_of(run), shard), true,
                        [this, run, shards, shard] { work(run, shards, shard); });
    }
    for (auto n = schedule_.draw(5); n > 0; --n)
      schedule_.add(fmt::format("prune {}", n), true, [this] { prune_some(); });
    for (auto n = schedule_.draw(4); n > 0; --n) cast_restore(fmt::format("restore {}", n));
    if (schedule_.draw(2) == 0) schedule_.add("time", false, [this] { let_time_pass(); });
    if (schedule_.draw(3) == 0) schedule_.add("abandoner", true, [this] { abandon_one(); });
    if (schedule_.draw(2) == 0) schedule_.add("reader", false, [this] { read_some(); });
  }

  // All tries restore the same set, one after the other or at once, as after a crash or with a zombie.
  void cast_restore(const std::string& name) {
    for (auto n = 1 + schedule_.draw(3); n > 0; --n)
      schedule_.add(fmt::format("{} try {}", name, n), true, [this, name] { restore_some(name); });
  }

  // --- actors

  // As the engine does it, but for one shard of several.
  void work(int run, int shards, int shard) {
    const auto id = id_of(run);
    try {
      if (auto decision = archive_->decision({}, id)) return observe(id, *decision);
      grow(cluster_, schedule_.draw(1'000'000'000));
      auto plan = sample::plan_once({}, *archive_, cluster_, id, shards, time_of_run(run));
      sample::WorkShape shape{.offsets_per_block = static_cast<std::int64_t>(2 + schedule_.draw(6)),
                              .blocks_per_segment = 1 + schedule_.draw(4),
                              .segments_per_checkpoint = 1 + schedule_.draw(3)};
      if (shard < plan.shards) sample::copy_shard({}, *archive_, cluster_, plan, shard, shape);
      observe(id, commit({}, *archive_, plan, ++clock_));
    } catch (const Error& error) {
      bool too_late = error.kind() == ErrorKind::not_found && archive_->decision({}, id);
      if (!too_late && !is_expected_of_worker(error))
        schedule_.violate(fmt::format("worker of {}: {}", id, error.what()));
    }
  }

  static bool is_expected_of_worker(const Error& error) {
    std::string_view what = error.what();
    auto has = [&](std::string_view part) { return what.find(part) != std::string_view::npos; };
    switch (error.kind()) {
      case ErrorKind::conflict:  // another worker took the shard over
        return has("taken over") || has("exists already");
      case ErrorKind::internal:  // other shards are not done
        return has("is not stored from");
      case ErrorKind::unavailable:  // the run was decided and its plan taken away between two calls
        return has("exists and cannot be read");
      default:
        return false;
    }
  }

  // All who see a decision see the same one.
  void observe(const std::string& id, const Decision& decision) {
    auto text = boost::json::serialize(schema::write(decision));
    auto seen = observed_.try_emplace(id, text).first->second;
    if (seen != text && !archive_->is_deleted({}, id))
      schedule_.violate(fmt::format("{} was decided twice: {} and {}", id, seen, text));
  }

  void prune_some() {
    for (auto rounds = 1 + schedule_.draw(2); rounds > 0; --rounds) {
      std::vector<std::string> names;
      for (const auto& set : archive_->sets({}))
        if (schedule_.draw(2) == 0) names.push_back(set.capture.backup_id);
      prune({}, *archive_, names, schedule_.draw(8) == 0 ? PruneMode::dry_run : PruneMode::act,
            UndecidedRuns::keep, [this] { return time_ms_; });
    }
  }

  void abandon_one() {
    auto undecided = archive_->catalog({}).undecided;
    if (undecided.empty()) return;
    const auto& id = undecided[schedule_.draw(undecided.size())];
    observe(id, archive_->decide({}, id, {.abandoned = "in the way"}));
  }

  struct Restore {
    std::optional<Set> set;    // since the first try
    std::int64_t held_at = 0;  // when a try last had its pin
    bool begun = false, complete = false;
  };

  // A promise holds while its pin is renewed, and until the restore is complete.
  bool is_promised(const Restore& restore) const {
    return restore.begun && !restore.complete && time_ms_ - restore.held_at < restore_pin_trust_ms;
  }

  // What began reads everything, whoever deletes the set meanwhile; also a later try.
  void restore_some(const std::string& name) {
    auto& restore = restores_[name];
    auto sets = archive_->sets({});
    if (!restore.set && !sets.empty()) restore.set = sets[schedule_.draw(sets.size())];
    if (!restore.set || restore.complete) return;
    RestorePin pin(*archive_, name, name, restore.set->capture.backup_id, [this] { return time_ms_; });
    bool owed = false;  // tries at once do not help each other before one of them has the set
    try {
      for (auto rounds = 1 + schedule_.draw(3); rounds > 0; --rounds) {
        const auto now = time_ms_;
        owed = is_promised(restore);
        pin.renew({});
        owed = restore.begun = true;
        restore.held_at = std::max(restore.held_at, now);
        sample::check_set({}, *archive_, *restore.set);
      }
      restore.complete = true;
      pin.release({});
    } catch (const Error& error) {
      const bool deleted = archive_->is_deleted({}, restore.set->capture.backup_id);
      if ((owed && is_promised(restore)) || !deleted)
        schedule_.violate(fmt::format("{} of {}: {}", name, restore.set->capture.backup_id, error.what()));
    }
  }

  // Up to a month: pins that nobody renews die.
  void let_time_pass() {
    for (auto steps = schedule_.draw(120); steps > 0; --steps) {
      time_ms_ += static_cast<std::int64_t>(schedule_.draw(12)) * hour_ms;
      store_->head({}, header_key());
    }
  }

  void read_some() {
    for (const auto& set : archive_->sets({})) {
      try {
        sample::check_set({}, *archive_, set);
      } catch (const Error& error) {
        if (!archive_->is_deleted({}, set.capture.backup_id))
          schedule_.violate(fmt::format("reading {}: {}", set.capture.backup_id, error.what()));
      }
    }
  }

  // --- the end, with nobody else about

  void settle() {
    check_all_sets();
    check_checkpoints();
    for (const auto& id : archive_->catalog({}).undecided) {
      if (schedule_.draw(2) == 0) {
        archive_->decide({}, id, {.abandoned = "in the end"});
        continue;
      }
      auto decision = sample::back_up({}, *archive_, cluster_, {.backup_id = id});
      if (!decision.set) fail(ErrorKind::internal, "{} could not be finished: {}", id, decision.abandoned);
      check_all_sets();
    }
    check_all_sets();
    time_ms_ += week_ms;  // the pins of restores that were killed are dead
    const auto now_ms = [this] { return time_ms_; };
    prune({}, *archive_, {}, PruneMode::act, UndecidedRuns::keep, now_ms);
    if (auto report = prune({}, *archive_, {}, PruneMode::dry_run, UndecidedRuns::keep, now_ms);
        report.objects != 0)
      fail(ErrorKind::internal, "a second prune finds {} objects", report.objects);
    check_all_sets();
    check_no_garbage();
    check_deleted();
  }

  void check_all_sets() {
    for (const auto& set : archive_->sets({})) {
      if (set.indexes.size() > indexes_max) fail(ErrorKind::internal, "{} indexes", set.indexes.size());
      sample::check_set({}, *archive_, set);
    }
  }

  void check_checkpoints() {
    for (const auto& id : archive_->catalog({}).undecided)
      for (int shard = 0; shard < 3; ++shard)
        for (const auto& object : read_checkpoints({}, *archive_, id, shard).objects)
          if (!store_->head({}, object.key))
            fail(ErrorKind::corrupt, "object {} of an undecided run is gone", object.key);
  }

  // Says again, in other words than prune, what may be in an archive.
  void check_no_garbage() {
    std::set<std::string> allowed{"archive"};
    for (const auto& info : store_->list({}, "sets/")) {
      auto id = last_part(info.key);
      allowed.insert(info.key);
      auto decision = archive_->decision({}, id);
      if (!decision->set) continue;
      for (const auto& reference : decision->set->indexes) {
        allowed.insert(reference.key);
        add_objects(*decision->set, archive_->load_index({}, reference), allowed);
      }
    }
    for (const auto& info : store_->list({}, ""))
      if (!info.key.starts_with("tombstones/") && !allowed.contains(info.key))
        fail(ErrorKind::internal, "object {} is garbage", info.key);
  }

  static void add_objects(const Set& set, const Index& index, std::set<std::string>& allowed) {
    for (const auto& topic : set.capture.topics)
      for (const auto& p : topic.partitions)
        if (auto it = index.streams.find({topic.name, p.partition, p.lineage}); it != index.streams.end())
          for (const auto& block : it->second)
            if (block.object != Block::no_object && block.first_offset < p.end && block.next_offset > p.start)
              allowed.insert(index.objects[block.object].key);
  }

  void check_deleted() {
    for (const auto& info : store_->list({}, "tombstones/")) {
      auto id = last_part(info.key);
      if (store_->head({}, decision_key(id))) fail(ErrorKind::internal, "{} came back", id);
      if (!observed_.contains(id)) continue;
      auto again = archive_->decide({}, id, {.abandoned = "too late"});
      if (again.abandoned.find("deleted") == std::string::npos)
        fail(ErrorKind::internal, "{} could be decided again", id);
    }
  }

  Schedule schedule_;
  std::shared_ptr<storage::MemoryStore> memory_;
  std::shared_ptr<storage::ObjectStore> store_;
  std::optional<Archive> archive_;
  Cluster cluster_;
  int first_run_ = 0;
  std::int64_t clock_ = 0;
  std::vector<int> runs_;
  std::map<std::string, std::string> observed_;  // decisions by run
  std::map<std::string, Restore> restores_;
  std::int64_t time_ms_ = 1'735'689'600'000;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

// KB_MODEL_SEEDS: how many seeds; KB_MODEL_FIRST: the first of them. One alone shows every store call.
TEST_CASE("model: no interleaving of workers, zombies and prunes loses an object or commits twice") {
  const auto first = number_from_environment("KB_MODEL_FIRST", 1);
  const auto count = number_from_environment("KB_MODEL_SEEDS", 3000);
  constexpr std::size_t failures_shown_max = 5;
  std::mutex mutex;
  std::uint64_t next = first, steps = 0, kills = 0;
  std::vector<std::string> failures;
  starts();
  auto take_seeds = [&] {
    for (;;) {
      std::unique_lock lock(mutex);
      if (next == first + count || failures.size() >= failures_shown_max) return;
      auto seed = next++;
      lock.unlock();
      Model model(seed);
      if (count == 1) model.keep_trace();
      auto violation = model.run();
      if (count == 1) MESSAGE(model.trace());
      lock.lock();
      steps += model.steps();
      kills += model.kills();
      if (!violation.empty()) failures.push_back(fmt::format("seed {}: {}", seed, violation));
    }
  };
  {
    std::jthread second(take_seeds);
    take_seeds();
  }
  for (const auto& failure : failures) FAIL_CHECK(failure);
  MESSAGE(count, " seeds, ", steps, " store calls, ", kills, " actors killed");
}

}  // namespace kb::archive
