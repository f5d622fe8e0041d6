// Leaves a peer alone that keeps failing, and tries it carefully after a while: closed (all is well), open
// (nothing is sent), half open (one operation at a time, until enough of them succeed).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "base/retry.h"

namespace kb {

struct CircuitBreakerSettings {
  int failure_threshold = 5;  // failures in a row that open it
  Duration reset_timeout = std::chrono::seconds(60);
  int success_threshold = 3;  // successes in a row that close it
};

enum class BreakerState { closed, half_open, open };

// Of one peer. Thread-safe. Pure but for the lock: time is a parameter.
class CircuitBreaker {
 public:
  CircuitBreaker(std::string peer, const CircuitBreakerSettings& settings)
      : peer_(std::move(peer)), settings_(settings) {}

  // The round in which an operation was admitted; what ends in another one means nothing any more.
  using Round = std::uint64_t;
  // Throws unavailable, with the last failure, when the peer is to be left alone. Who is admitted says how
  // it went.
  Round admit(Clock::time_point now);
  void succeeded(Round round);
  void failed(Round round, const Error& error, Clock::time_point now);
  void abandoned(Round round);  // neither of the two

  // Whether admit() would throw.
  bool refuses(Clock::time_point now) const;
  BreakerState state(Clock::time_point now) const;
  std::uint64_t times_opened() const;
  std::string last_failure() const;
  const std::string& peer() const { return peer_; }

 private:
  void open(Clock::time_point now);
  BreakerState state_at(Clock::time_point now) const;

  const std::string peer_;
  const CircuitBreakerSettings settings_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  bool open_ = false;  // or half open, once open_until_ has passed
  Clock::time_point open_until_{};
  bool probing_ = false;
  int failures_ = 0, successes_ = 0;
  Round round_ = 1;
  std::uint64_t times_opened_ = 0;
  std::string last_failure_;
};

// One for each peer of a run; without settings they let everything pass. Thread-safe.
class CircuitBreakers {
 public:
  // Of one operation. When nothing is said of it, it counts neither way. Movable; one owner.
  class Permit {
   public:
    Permit() = default;
    explicit Permit(std::shared_ptr<CircuitBreaker> breaker, CircuitBreaker::Round round)
        : breaker_(std::move(breaker)), round_(round) {}
    Permit(Permit&& other) noexcept = default;
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { end(); }
    void succeeded();
    // Counts when another attempt may succeed: a refusal is an answer, too.
    void failed(const Error& error);

   private:
    void end();
    std::shared_ptr<CircuitBreaker> breaker_;  // null once it is said, and without settings
    CircuitBreaker::Round round_ = 0;
  };

  void enable(const CircuitBreakerSettings& settings);
  // Throws unavailable when the peer is to be left alone.
  Permit admit(const std::string& peer);
  bool refuses(const std::string& peer) const;

  struct Seen {
    std::string peer;
    BreakerState state = BreakerState::closed;
    std::uint64_t times_opened = 0;
    std::string last_failure;
  };
  std::vector<Seen> all() const;

 private:
  std::shared_ptr<CircuitBreaker> find(const std::string& peer) const;

  mutable std::mutex mutex_;
  // guarded by mutex_
  bool enabled_ = false;
  CircuitBreakerSettings settings_;
  std::map<std::string, std::shared_ptr<CircuitBreaker>> breakers_;
};

// A policy that does not give up before an open breaker has let somebody try.
RetryPolicy outlasting(RetryPolicy policy, Duration reset_timeout);

}  // namespace kb
