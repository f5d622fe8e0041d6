// Operators, a Job controller, workers and users of one KafkaBackup, interleaved by seeds: watches that lag,
// crashes between any two writes, leaders that change and old ones that go on, clocks that jump, time zones
// with daylight saving. What must hold is in simulation_rules.h.
#include <array>
#include <cstdlib>

#include "operator/simulation_operator.h"

#include <doctest/doctest.h>

namespace kb::op::simulation {
namespace {

using namespace std::chrono_literals;

struct SampleSchedule {
  const char *text, *zone;
};
constexpr std::array<SampleSchedule, 8> schedules{{{"* * * * *", ""},
                                                   {"*/5 * * * *", "Europe/Berlin"},
                                                   {"30 * * * *", "America/New_York"},
                                                   {"30 2 * * *", "Europe/Berlin"},
                                                   {"15,45 1-3 * * *", "America/New_York"},
                                                   {"*/20 * * * * *", ""},
                                                   {"0 0 3 * * 1", "Europe/Berlin"},
                                                   {"0 */6 * * *", ""}}};
// Shortly before clocks are put forward or back in one of the zones, and a quiet time.
constexpr std::array<const char*, 5> starts{"2025-03-29T20:00:00Z", "2025-10-25T20:00:00Z",
                                            "2025-03-08T20:00:00Z", "2025-11-01T20:00:00Z",
                                            "2025-06-15T12:00:00Z"};

api::KafkaBackupSpec sample_spec(Dice& dice) {
  api::KafkaBackupSpec spec;
  spec.topics = {fmt::format("topic-{}", dice.draw(3))};
  spec.workers = dice.happens(30) ? 3 : 1;
  if (dice.happens(20)) spec.successful_jobs_history_limit = spec.failed_jobs_history_limit = 0;
  return spec;
}

class World {
 public:
  explicit World(std::uint64_t seed, bool traced = false)
      : dice_(seed), traced_(traced), cluster_(dice_), family_(dice_.draw(schedules.size())) {
    steady_ = std::chrono::floor<std::chrono::seconds>(*schema::parse_rfc3339(starts[dice_.draw(5)]));
    for (auto* name : {"one", "two", "three"}) operators_.emplace_back(name, cluster_, rules_);
    calm_ = dice_.happens(20);
    create();
    operators_[0].begin_to_lead();
  }

  // The rule that was broken; "" when none was.
  std::string run() {
    for (int i = 0; i < steps && rules_.violation().empty(); ++i) step();
    if (rules_.violation().empty()) settle();
    return rules_.violation();
  }
  const std::string& trace() const { return trace_; }
  const Rules& rules() const { return rules_; }

 private:
  static constexpr int steps = 1200;

  Timestamp now(const Operator& op) const { return steady_ + all_clocks_ + op.clock_error + 250ms; }
  void say(std::string_view who, std::string_view what) {
    if (traced_ && !what.empty())
      trace_ += fmt::format("{} {:6} {}\n", schema::format_rfc3339(steady_), who, what);
  }

  void step();
  void operate(Operator& op);
  void work() { say("", cluster_.work()); }
  void pass_time();
  void fail_something();
  void elect();
  void jump_clocks();

  void act_as_user();
  void create();
  void edit(std::string_view what, const std::function<void(Resource&)>& change, bool is_spec = true);
  void edit_schedule(api::KafkaBackupSpec& spec);
  void edit_something(api::KafkaBackupSpec& spec);
  void delete_a_job();

  void settle();
  void calm_down();
  void be_quiet_for(std::chrono::seconds time);
  void check_no_strays();
  void check_the_end();

  Dice dice_;
  const bool traced_;
  std::string trace_;
  Cluster cluster_;
  Rules rules_;
  std::deque<Operator> operators_;
  Seconds steady_{};
  std::chrono::seconds all_clocks_{};
  std::size_t family_;  // of schedules, so that most seeds have ticks of one pace
  bool calm_ = false;   // without failures
  int created_ = 0, tokens_ = 0;
};

void World::step() {
  const auto what = dice_.draw(100);
  if (what < 45)
    operate(operators_[dice_.draw(operators_.size())]);
  else if (what < 65)
    work();
  else if (what < 85)
    pass_time();
  else if (what < 91)
    act_as_user();
  else if (!calm_)
    fail_something();
}

// One that leads looks and writes; one that led does only what was under way.
void World::operate(Operator& op) {
  op.see(dice_);
  if (op.is_writing()) {
    say(op.name(), op.write());
    return;
  }
  if (op.leads() && op.wants_look(steady_)) say(op.name(), op.look(steady_, now(op)));
}

void World::pass_time() {
  const auto* resource = cluster_.resource();
  std::chrono::seconds pace = 10min;
  if (resource && resource->spec && resource->spec->schedule) {
    const auto schedule = api::CronSchedule::parse(*resource->spec->schedule);
    const auto at = steady_ + all_clocks_;
    if (auto tick = schedule.next(at, api::load_time_zone(resource->spec->time_zone.value_or(""))))
      pace = *tick - at;
  }
  const auto choice = dice_.draw(10);
  std::chrono::seconds time = choice < 4   ? std::chrono::seconds(dice_.draw(10))
                              : choice < 7 ? pace
                              : choice < 9 ? std::chrono::seconds(dice_.draw(900))
                                           : pace * static_cast<int>(dice_.draw(12));
  steady_ += time;
}

void World::fail_something() {
  auto& op = operators_[dice_.draw(operators_.size())];
  switch (dice_.draw(5)) {
    case 0:
      say(op.name(), "crashes");
      return op.crash();
    case 1:
    case 2:
      return elect();
    case 3:
      return jump_clocks();
    default:
      cluster_.lose_a_pod();
  }
}

// Who led may have a write under way, and does not see anything more.
void World::elect() {
  for (auto& op : operators_) op.lose_lead();
  auto& next = operators_[dice_.draw(operators_.size())];
  next.begin_to_lead();
  say(next.name(), "leads");
}

void World::jump_clocks() {
  auto hours = static_cast<int>(dice_.draw(11)) - 5;
  if (dice_.happens(50))
    all_clocks_ = std::chrono::hours(hours) + std::chrono::seconds(dice_.draw(100));
  else
    operators_[dice_.draw(operators_.size())].clock_error = std::chrono::minutes(hours * 10);
  say("clocks", fmt::format("are {} s wrong", all_clocks_.count()));
}

// ---- users

void World::create() {
  Resource resource{.uid = fmt::format("uid-{}", ++created_), .created = steady_ + all_clocks_};
  resource.spec = sample_spec(dice_);
  if (dice_.happens(85)) edit_schedule(*resource.spec);
  cluster_.put_resource(resource);
  say("user", "creates " + resource.uid);
}

void World::edit(std::string_view what, const std::function<void(Resource&)>& change, bool is_spec) {
  auto resource = *cluster_.resource();
  change(resource);
  if (is_spec) ++resource.generation;
  cluster_.put_resource(resource);
  say("user", what);
}

void World::edit_schedule(api::KafkaBackupSpec& spec) {
  const auto& chosen = schedules[dice_.happens(70) ? family_ : dice_.draw(schedules.size())];
  spec.schedule = chosen.text;
  spec.time_zone = std::string(chosen.zone).empty() ? std::nullopt : std::optional<std::string>(chosen.zone);
}

void World::edit_something(api::KafkaBackupSpec& spec) {
  switch (dice_.draw(7)) {
    case 0:
      return edit_schedule(spec);
    case 1:
      spec.schedule.reset();
      spec.time_zone.reset();
      return;
    case 2:
      spec.concurrency_policy =
          dice_.happens(50) ? api::ConcurrencyPolicy::forbid : api::ConcurrencyPolicy::replace;
      return;
    case 3:
      spec.starting_deadline_seconds = static_cast<std::uint32_t>(dice_.draw(600));
      return;
    case 4:
      spec.starting_deadline_seconds.reset();
      return;
    case 5:
      spec.topics = {fmt::format("topic-{}", dice_.draw(3))};
      return;
    default:
      spec.suspend = !spec.suspend;
  }
}

void World::act_as_user() {
  if (!cluster_.resource()) return create();
  switch (dice_.draw(10)) {
    case 0:
      return edit(
          "asks for a run", [&](auto& r) { r.token = fmt::format("token-{}", ++tokens_); }, false);
    case 1:
      if (!dice_.happens(20)) return;
      say("user", "deletes it");
      return cluster_.delete_resource();
    case 2:
    case 3:
      return delete_a_job();
    case 4:
      if (!dice_.happens(40)) return;
      return edit("breaks the spec", [](auto& r) { r.spec.reset(); });
    default:
      return edit("edits", [&](auto& r) {
        if (!r.spec) {
          r.spec = sample_spec(dice_);
          edit_schedule(*r.spec);
        } else {
          edit_something(*r.spec);
        }
        if (r.spec->suspend && dice_.happens(50)) r.spec->suspend = false;
      });
  }
}

// By hand, or because its time is over.
void World::delete_a_job() {
  for (const auto& [name, job] : cluster_.jobs.objects) {
    if (!job.view.recorded && !dice_.happens(15)) continue;
    say("user", "deletes " + name);
    return cluster_.delete_job(std::string(name));
  }
}

// ---- the end

void World::settle() {
  calm_down();
  be_quiet_for(15min);
  check_the_end();
}

void World::calm_down() {
  if (!cluster_.resource()) create();
  edit("ends the play", [&](Resource& r) {
    if (!r.spec) r.spec = sample_spec(dice_);
    r.spec->suspend = false;
  });
  for (auto& op : operators_) {
    op.lose_lead();
    while (op.is_writing()) say(op.name(), op.write());
    op.clock_error = 0s;
  }
  operators_[dice_.draw(operators_.size())].begin_to_lead();
}

// Only what asks for a look gets one.
void World::be_quiet_for(std::chrono::seconds time) {
  auto& leader = *std::ranges::find_if(operators_, &Operator::leads);
  const auto end = steady_ + time;
  for (int i = 0; i < 20'000 && steady_ < end && rules_.violation().empty(); ++i) {
    if (leader.is_behind()) leader.see_all();
    if (leader.is_writing())
      say(leader.name(), leader.write());
    else if (leader.wants_look(steady_))
      say(leader.name(), leader.look(steady_, now(leader)));
    else if (auto done = cluster_.work(); !done.empty())
      say("", done);
    else {
      check_no_strays();
      steady_ += std::clamp<std::chrono::seconds>(leader.look_at().value_or(end) - steady_, 1s, 60s);
    }
  }
  rules_.check(steady_ >= end, "it does not come to rest");
}

void World::check_no_strays() {
  const auto status = read_status(cluster_.resource()->status);
  for (const auto& [name, job] : cluster_.jobs.objects)
    rules_.check(
        !cluster_.is_active(job) || (status.current_run && job.view.run->job == status.current_run->job),
        "Job {} works and nobody minds", name);
}

void World::check_the_end() {
  auto& leader = *std::ranges::find_if(operators_, &Operator::leads);
  for (int i = 0; i < 20'000; ++i) {
    leader.see_all();
    if (leader.is_writing())
      say(leader.name(), leader.write());
    else if (cluster_.work().empty()) {
      say(leader.name(), leader.look(steady_, now(leader)));
      if (!leader.is_writing()) break;
    }
  }
  rules_.check(!leader.is_writing(), "patch follows patch though nothing changes");
  const auto& resource = *cluster_.resource();
  const auto status = read_status(resource.status);
  for (const auto& [name, job] : cluster_.jobs.objects)
    rules_.check(job.view.recorded, "Job {} is left over", name);
  rules_.check(!status.current_run, "a run that does not end");
  rules_.check(status.observed_generation == resource.generation, "the last edit was not observed");
  if (!resource.spec->schedule) {
    rules_.check(status.last_run_spec_sha256 == run_digest(*resource.spec), "the last spec was not run");
    return;
  }
  const auto schedule = api::CronSchedule::parse(*resource.spec->schedule);
  const auto zone = api::load_time_zone(resource.spec->time_zone.value_or(""));
  auto from = std::max(std::chrono::floor<std::chrono::seconds>(resource.created),
                       whole(status.last_schedule_time).value_or(Seconds{}));
  from = std::max(from, whole(status.schedule_since).value_or(Seconds{}));
  const auto missed = schedule.next(from, zone);
  rules_.check(!missed || *missed > now(leader), "tick {} was lost",
               schema::format_rfc3339(missed.value_or(Seconds{})));
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

// KB_SIM_TICKS: how many ticks; KB_SIM_SEED: the first seed.
TEST_CASE("simulation: a tick is run once or counted as skipped, whatever crashes") {
  const auto wanted = number_from_environment("KB_SIM_TICKS", 5000);
  auto seed = number_from_environment("KB_SIM_SEED", 1);
  std::uint64_t ticks = 0, runs = 0, seeds = 0;
  for (; ticks < wanted; ++seed, ++seeds) {
    World world(seed);
    const auto violation = world.run();
    if (!violation.empty()) {
      World again(seed, true);
      again.run();
      FAIL("seed " << seed << ": " << violation << "\n" << again.trace());
    }
    ticks += world.rules().ticks();
    runs += world.rules().runs();
  }
  MESSAGE(fmt::format("{} seeds, {} ticks, {} runs", seeds, ticks, runs));
  CHECK(runs > seeds);
}

}  // namespace kb::op::simulation
