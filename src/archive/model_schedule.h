// For the model test: actors as threads of which exactly one runs at a time. At every store call an actor
// hands over to whom the seed names; it may be killed there, put to sleep for long, or not learn what
// happened.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "archive/model_fiber.h"
#include "base/error.h"
#include "storage/memory.h"

namespace kb::archive::model {

// Unwinds an actor that is killed. Not an Error: nothing may catch it on the way.
struct Killed {};

struct Chances {
  double kill = 0.002, fail = 0.01, lose_answer = 0.02, go_on = 0.5;
};

class Schedule {
 public:
  using Script = std::function<void()>;

  Schedule(std::uint64_t seed, const Chances& chances) : random_(seed), chances_(chances) {}

  // Before run(). `mortal` actors can be killed.
  void add(std::string name, bool mortal, Script script) {
    auto& actor = *actors_.emplace_back(std::make_unique<Actor>());
    actor.name = std::move(name);
    actor.mortal = mortal;
    actor.wakes_at = draw(60);
    actor.sleepiness = std::array{0.0, 0.01, 0.05, 0.2}[draw(4)];
    actor.fiber.emplace([this, &actor, script = std::move(script)] { live(actor, script); });
  }

  // Until all actors have ended.
  void run() {
    while ((current_ = pick())) current_->fiber->resume();
  }

  storage::StoreHooks hooks() {
    return {.before =
                [this](const storage::StoreOperation& operation) {
                  before_call();
                  trace(operation);
                },
            .after = [this](const storage::StoreOperation&) { after_call(); }};
  }

  // 0 to n - 1
  std::uint64_t draw(std::uint64_t n) { return random_() % n; }
  bool happens(double chance) { return static_cast<double>(random_() % 1'000'000) < chance * 1e6; }
  // What broke a rule, first of all actors; empty when nothing did.
  const std::string& violation() const { return violation_; }
  void violate(const std::string& text) {
    if (violation_.empty()) violation_ = text;
  }
  // Of all that happened, one line each.
  void keep_trace() { tracing_ = true; }
  const std::string& trace() const { return trace_; }
  std::uint64_t steps() const { return step_; }
  std::uint64_t kills() const { return kills_; }

 private:
  struct Actor {
    std::string name;
    bool mortal = false;
    std::uint64_t wakes_at = 0;
    double sleepiness = 0;  // chance to fall asleep at a call
    std::optional<Fiber> fiber;
  };
  static constexpr std::uint64_t steps_max = 100'000;

  void live(const Actor& actor, const Script& script) {
    try {
      script();
    } catch (const Killed&) {
      ++kills_;
      if (tracing_) trace_ += fmt::format("{} {}: killed\n", step_, actor.name);
    } catch (const std::exception& error) {
      violate(fmt::format("{}: {}", actor.name, error.what()));
    }
  }

  // The next to run, none when all have ended; sleepers wake early when nobody else is left.
  Actor* pick() {
    std::vector<Actor*> awake;
    Actor* earliest = nullptr;
    for (auto& actor : actors_) {
      if (actor->fiber->ended()) continue;
      if (actor->wakes_at <= step_) awake.push_back(actor.get());
      if (!earliest || actor->wakes_at < earliest->wakes_at) earliest = actor.get();
    }
    return awake.empty() ? earliest : awake[draw(awake.size())];
  }

  void before_call() {
    if (!current_) return;
    auto& self = *current_;
    if (++step_ > steps_max) fail(ErrorKind::internal, "the model does not come to an end");
    bool sleeps = happens(self.sleepiness);
    if (sleeps) self.wakes_at = step_ + 5 + draw(draw(2) == 0 ? 30 : 300);
    if (sleeps || !happens(chances_.go_on)) self.fiber->yield();
    if (self.mortal && happens(chances_.kill)) throw Killed();
    if (happens(chances_.fail)) fail(ErrorKind::unavailable, "the store did nothing");
  }

  void trace(const storage::StoreOperation& operation) {
    if (!current_ || !tracing_) return;
    constexpr std::array names{"head", "get", "get_range", "put_if_absent", "remove", "list"};
    trace_ += fmt::format("{} {}: {} {}\n", step_, current_->name,
                          names.at(static_cast<std::size_t>(operation.kind)), operation.key);
  }

  void after_call() {
    if (!current_) return;
    if (current_->mortal && happens(chances_.kill)) throw Killed();
    if (happens(chances_.lose_answer)) fail(ErrorKind::unavailable, "the answer was lost");
  }

  std::mt19937_64 random_;
  const Chances chances_;
  std::vector<std::unique_ptr<Actor>> actors_;
  Actor* current_ = nullptr;  // none outside of run()
  std::uint64_t step_ = 0, kills_ = 0;
  std::string violation_;
  bool tracing_ = false;
  std::string trace_;
};

}  // namespace kb::archive::model
