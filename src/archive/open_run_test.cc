// Continuous backups: runs that are opened, followed, closed by their worker or by whoever comes after it.
#include "archive/open_run.h"

#include <cstdlib>
#include <set>

#include "archive/model_schedule.h"
#include "archive/prune.h"
#include "archive/sample_open_run.h"
#include "base/error.h"
#include "storage/memory.h"
#include "storage/retrying.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

const Owner owner{.name = "nightly"};
const std::string first = "nightly-20250101-000000", second = "nightly-20250101-000001";

struct Fixture {
  std::shared_ptr<storage::MemoryStore> store = std::make_shared<storage::MemoryStore>();
  Archive archive = Archive::open_or_create({}, store, owner, 0);
  sample::Cluster cluster{{.name = "orders", .partitions = {{0, 9}, {3, 12}}}};

  sample::Following open(const std::string& id) {
    return *sample::open_after_newest({}, archive, cluster, id, 7);
  }
  std::string refusal(sample::Following& run) {
    cluster[0].partitions[0].end += 5;
    try {
      sample::follow_once({}, archive, cluster, run, {});
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }
};

TEST_CASE_FIXTURE(Fixture, "a run is opened without its ends, and closed with those of its checkpoints") {
  auto run = open(first);
  CHECK(opening_of({}, archive, first)->capture.topics[0].partitions[1].end == 3);
  CHECK_FALSE(archive.plan({}, first));
  sample::follow_once({}, archive, cluster, run, {});
  cluster[0].partitions[0].end = 30;
  sample::follow_once({}, archive, cluster, run, {});
  const auto plan = archive.put_plan({}, closed_plan(run.opening, run.stored, std::nullopt));
  CHECK(plan.capture.topics[0].partitions[0].end == 30);
  CHECK(plan.capture.topics[0].partitions[1].end == 12);
  const auto set = commit({}, archive, plan, 9).set;
  REQUIRE(set);
  CHECK(sample::check_set({}, archive, *set) > 0);
  auto next = open(second);
  CHECK(next.opening.capture.base == first);
  CHECK(next.opening.capture.topics[0].partitions[0].from == 30);
}

TEST_CASE_FIXTURE(Fixture, "who closes a run fences its worker, and everything durable is in the set") {
  auto run = open(first);
  sample::follow_once({}, archive, cluster, run, {});
  const auto plan = close_run({}, archive, run.opening);
  REQUIRE(plan);
  CHECK(refusal(run) == "backup " + first + " shard 0 was taken over by another worker");
  CHECK(close_run({}, archive, run.opening)->capture.topics[0].partitions[0].end == 9);
  const auto set = commit({}, archive, *plan, 9).set;
  REQUIRE(set);
  sample::check_set({}, archive, *set);
}

TEST_CASE_FIXTURE(Fixture, "a run that stored nothing has no plan; its worker is fenced all the same") {
  auto run = open(first);
  CHECK_FALSE(close_run({}, archive, run.opening));
  CHECK(refusal(run) == "backup " + first + " shard 0 was taken over by another worker");
}

TEST_CASE_FIXTURE(Fixture, "an id is opened once") {
  open(first);
  CHECK_FALSE(open_run({}, archive, {.capture = {.backup_id = first}, .spec_sha256 = "another"}));
}

TEST_CASE_FIXTURE(
    Fixture, "what the cluster says at the end is in the set: configs and groups, of the same topic only") {
  auto run = open(first);
  sample::follow_once({}, archive, cluster, run, {});
  auto topics = run.opening.capture.topics;
  topics[0].configs = {{"retention.ms", "1"}};
  topics[0].replication_factor = 3;
  ClosingFacts facts{.captured_at_ms = 55, .groups = {.captured = true}, .topics = topics};
  auto capture = closed_plan(run.opening, run.stored, facts).capture;
  CHECK(capture.captured_at_ms == 55);
  CHECK(capture.groups.captured);
  CHECK(capture.topics[0].configs.at("retention.ms") == "1");
  CHECK(capture.topics[0].replication_factor == 3);
  facts.topics[0].topic_id = "another";
  CHECK(closed_plan(run.opening, run.stored, facts).capture.topics[0].configs.empty());
}

// ---- workers that are killed at any call of the store, successors, zombies and prunes, by seeds

constexpr RetryPolicy at_once{.backoff_first = Duration(0), .backoff_max = Duration(0)};

class Model {
 public:
  explicit Model(std::uint64_t seed)
      : schedule_(seed, chances_of(seed)),
        store_(std::make_shared<storage::RetryingStore>(
            std::make_shared<storage::MemoryStore>(schedule_.hooks()), at_once)),
        archive_(Archive::open_or_create({}, store_, owner, 0)) {}

  // Gives the rule that was broken; empty when none was.
  std::string run() {
    for (auto n = 1 + schedule_.draw(3); n > 0; --n)
      schedule_.add(fmt::format("worker {}", n), true, [this] { work(); });
    for (auto n = schedule_.draw(3); n > 0; --n)
      schedule_.add(fmt::format("prune {}", n), true, [this] { prune_some(); });
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
  std::uint64_t kills() const { return schedule_.kills(); }
  std::size_t durable() const { return durable_.size(); }

 private:
  static model::Chances chances_of(std::uint64_t seed) {
    model::Chances chances;
    chances.go_on = std::array{0.0, 0.5, 0.9}[seed % 3];
    chances.kill = std::array{0.0, 0.005, 0.02}[seed / 3 % 3];
    if (seed % 5 == 0) chances.fail = chances.lose_answer = 0.1;
    return chances;
  }

  void grow() {
    for (auto& log : cluster_[0].partitions) log.end += static_cast<std::int64_t>(schedule_.draw(9));
    if (schedule_.draw(12) == 0) ++cluster_[0].incarnation;
  }

  void work() {
    try {
      for (auto runs = 1 + schedule_.draw(4); runs > 0; --runs) one_run();
    } catch (const Error& error) {
      // Another worker took the run over, or decided it.
      const bool is_expected = error.kind() == ErrorKind::conflict ||
                               error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::not_found;
      if (!is_expected) schedule_.violate(fmt::format("worker: {}", error.what()));
    }
  }

  void one_run() {
    sample::settle({}, archive_, ++clock_);
    const auto id = fmt::format("nightly-20250101-{:06}", ++last_id_);
    auto run = sample::open_after_newest({}, archive_, cluster_, id, clock_);
    if (!run) return;
    for (auto rounds = schedule_.draw(5); rounds > 0; --rounds) {
      grow();
      sample::WorkShape shape{.offsets_per_block = static_cast<std::int64_t>(2 + schedule_.draw(6))};
      const auto incarnation = cluster_[0].id();
      const auto since = sample::follow_once({}, archive_, cluster_, *run, shape);
      // Who slept until its run was decided and pruned meets nobody at its checkpoints; it is told when it
      // closes.
      if (archive_.decision({}, id)) break;
      for (const auto& [stream, blocks] : since.streams)
        durable_.push_back({id, stream, blocks.back().next_offset});
      if (incarnation != run->opening.capture.topics[0].topic_id) break;
    }
    if (run->stored.block_count() == 0) {
      archive_.decide({}, id, {.abandoned = "nothing came"});
      return;
    }
    const auto plan = archive_.put_plan({}, closed_plan(run->opening, run->stored, std::nullopt));
    commit({}, archive_, plan, ++clock_);
  }

  void prune_some() {
    std::vector<std::string> names;
    for (const auto& set : archive_.sets({}))
      if (schedule_.draw(3) == 0) names.push_back(set.capture.backup_id);
    prune({}, archive_, names, PruneMode::act);
  }

  // Nothing that was durable is missing in the set of its run.
  void settle() {
    sample::settle({}, archive_, ++clock_);
    if (!archive_.catalog({}).undecided.empty()) {
      // Killed between its pin and its opening.
      for (const auto& id : archive_.catalog({}).undecided)
        if (opening_of({}, archive_, id)) fail(ErrorKind::internal, "{} is still open", id);
    }
    for (const auto& [id, stream, end] : durable_) {
      if (archive_.is_deleted({}, id)) continue;
      const auto bounds = archive_.set({}, id).bounds();
      auto it = bounds.find(stream);
      if (it == bounds.end() || it->second.end < end)
        fail(ErrorKind::internal, "{} has lost {}/{} up to {}", id, stream.topic, stream.partition, end);
    }
    for (const auto& set : archive_.sets({})) sample::check_set({}, archive_, set);
    prune({}, archive_, {}, PruneMode::act);
    for (const auto& set : archive_.sets({})) sample::check_set({}, archive_, set);
  }

  struct Durable {
    std::string id;
    StreamId stream;
    std::int64_t end;
  };
  model::Schedule schedule_;
  std::shared_ptr<storage::ObjectStore> store_;
  Archive archive_;
  sample::Cluster cluster_{{.name = "orders", .partitions = {{0, 9}, {3, 12}, {0, 0}}}};
  std::int64_t clock_ = 0;
  int last_id_ = 0;
  std::vector<Durable> durable_;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// KB_MODEL_SEEDS: how many seeds; KB_MODEL_FIRST: the first of them. One alone shows every store call.
TEST_CASE("model: what a continuous backup made durable is in a set, whoever was killed where") {
  const auto from = number_from_environment("KB_MODEL_FIRST", 1);
  const auto count = number_from_environment("KB_MODEL_SEEDS", 3000);
  std::uint64_t kills = 0, durable = 0;
  int failures = 0;
  for (auto seed = from; seed < from + count && failures < 5; ++seed) {
    Model model(seed);
    if (count == 1) model.keep_trace();
    const auto violation = model.run();
    if (count == 1) MESSAGE(model.trace());
    kills += model.kills();
    durable += model.durable();
    if (violation.empty()) continue;
    ++failures;
    FAIL_CHECK("seed ", seed, ": ", violation);
  }
  CHECK(durable > count);
  MESSAGE(count, " seeds, ", kills, " workers killed, ", durable, " checkpointed ranges");
}

}  // namespace
}  // namespace kb::archive
