// For the model test: actors as threads of which exactly one runs at a time. At every store call an actor
// hands over to whom the seed names; it may be killed there, put to sleep for long, or not learn what
// happened.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "storage/memory.h"

namespace kb::archive::model {

// Unwinds an actor that is killed. Not an Error: nothing may catch it on the way.
struct Killed {};

struct Chances {
  double kill = 0.002, sleep = 0.02, fail = 0.01, lose_answer = 0.02, go_on = 0.5;
};

class Schedule {
 public:
  using Script = std::function<void()>;

  Schedule(std::uint64_t seed, const Chances& chances) : random_(seed), chances_(chances) {}

  // Before run(). `mortal` actors can be killed.
  void add(std::string name, bool mortal, Script script) {
    auto& actor = actors_.emplace_back(std::make_unique<Actor>());
    actor->name = std::move(name);
    actor->mortal = mortal;
    actor->script = std::move(script);
    actor->wakes_at = draw(60);
  }

  // Until all actors have ended.
  void run() {
    for (auto& actor : actors_) actor->thread = std::jthread([this, &actor = *actor] { live(actor); });
    running_ = true;
    pick().turn.release();
    ended_.acquire();
    running_ = false;
    for (auto& actor : actors_) actor->thread.join();
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
    Script script;
    std::uint64_t wakes_at = 0;
    bool ended = false;
    std::binary_semaphore turn{0};
    std::jthread thread;
  };
  static constexpr std::uint64_t steps_max = 100'000;

  void live(Actor& actor) {
    actor.turn.acquire();
    try {
      actor.script();
    } catch (const Killed&) {
      ++kills_;
      if (tracing_) trace_ += fmt::format("{} {}: killed\n", step_, actor.name);
    } catch (const std::exception& error) {
      violate(fmt::format("{}: {}", actor.name, error.what()));
    }
    actor.ended = true;
    if (std::all_of(actors_.begin(), actors_.end(), [](const auto& a) { return a->ended; }))
      ended_.release();
    else
      pick().turn.release();
  }

  // The next to run; sleepers wake early when nobody else is left.
  Actor& pick() {
    std::vector<Actor*> awake;
    Actor* earliest = nullptr;
    for (auto& actor : actors_) {
      if (actor->ended) continue;
      if (actor->wakes_at <= step_) awake.push_back(actor.get());
      if (!earliest || actor->wakes_at < earliest->wakes_at) earliest = actor.get();
    }
    current_ = awake.empty() ? earliest : awake[draw(awake.size())];
    return *current_;
  }

  void before_call() {
    if (!running_) return;
    auto& self = *current_;
    if (++step_ > steps_max) fail(ErrorKind::internal, "the model does not come to an end");
    bool sleeps = happens(chances_.sleep);
    if (sleeps) self.wakes_at = step_ + 20 + draw(300);
    if (sleeps || !happens(chances_.go_on)) {
      auto& next = pick();
      if (&next != &self) {
        next.turn.release();
        self.turn.acquire();
      }
    }
    if (self.mortal && happens(chances_.kill)) throw Killed();
    if (happens(chances_.fail)) fail(ErrorKind::unavailable, "the store did nothing");
  }

  void trace(const storage::StoreOperation& operation) {
    if (!running_ || !tracing_) return;
    constexpr std::array names{"head", "get", "get_range", "put_if_absent", "remove", "list"};
    trace_ += fmt::format("{} {}: {} {}\n", step_, current_->name,
                          names.at(static_cast<std::size_t>(operation.kind)), operation.key);
  }

  void after_call() {
    if (!running_) return;
    if (current_->mortal && happens(chances_.kill)) throw Killed();
    if (happens(chances_.lose_answer)) fail(ErrorKind::unavailable, "the answer was lost");
  }

  // only touched by the actor whose turn it is
  std::mt19937_64 random_;
  const Chances chances_;
  std::vector<std::unique_ptr<Actor>> actors_;
  Actor* current_ = nullptr;
  bool running_ = false;
  std::uint64_t step_ = 0, kills_ = 0;
  std::string violation_;
  bool tracing_ = false;
  std::string trace_;
  std::binary_semaphore ended_{0};
};

}  // namespace kb::archive::model
