#include "base/circuit_breaker.h"

#include <utility>

#include "base/log.h"
#include "base/quantities.h"

namespace kb {
namespace {

// Brokers of a cluster; whoever comes after them is not guarded.
constexpr std::size_t peers_max = 1000;

std::string in_words(Duration duration) {
  return format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(duration));
}

}  // namespace

BreakerState CircuitBreaker::state_at(Clock::time_point now) const {
  if (!open_) return BreakerState::closed;
  return now < open_until_ ? BreakerState::open : BreakerState::half_open;
}

BreakerState CircuitBreaker::state(Clock::time_point now) const {
  std::lock_guard lock(mutex_);
  return state_at(now);
}

bool CircuitBreaker::refuses(Clock::time_point now) const {
  std::lock_guard lock(mutex_);
  const auto state = state_at(now);
  return state == BreakerState::open || (state == BreakerState::half_open && probing_);
}

CircuitBreaker::Round CircuitBreaker::admit(Clock::time_point now) {
  std::lock_guard lock(mutex_);
  switch (state_at(now)) {
    case BreakerState::closed:
      return round_;
    case BreakerState::open:
      fail(ErrorKind::unavailable, "{} is left alone for another {} (spec.circuitBreaker) after: {}", peer_,
           in_words(open_until_ - now), last_failure_);
    case BreakerState::half_open:
      break;
  }
  if (probing_)
    fail(ErrorKind::unavailable, "{} is tried by one request at a time (spec.circuitBreaker) after: {}",
         peer_, last_failure_);
  probing_ = true;
  return round_;
}

void CircuitBreaker::succeeded(Round round) {
  std::lock_guard lock(mutex_);
  if (round != round_) return;
  failures_ = 0;
  if (!open_) return;
  probing_ = false;
  if (++successes_ < settings_.success_threshold) return;
  open_ = false;
  ++round_;
  LOG_INFO("{} answers again: its circuit breaker is closed", peer_);
}

void CircuitBreaker::failed(Round round, const Error& error, Clock::time_point now) {
  std::lock_guard lock(mutex_);
  if (round != round_) return;
  last_failure_ = error.what();
  if (open_ || ++failures_ >= settings_.failure_threshold) open(now);
}

void CircuitBreaker::abandoned(Round round) {
  std::lock_guard lock(mutex_);
  if (round == round_) probing_ = false;
}

void CircuitBreaker::open(Clock::time_point now) {
  open_ = true;
  open_until_ = now + settings_.reset_timeout;
  probing_ = false;
  failures_ = successes_ = 0;
  ++round_;
  ++times_opened_;
  LOG_WARN("{} keeps failing and is left alone for {} (spec.circuitBreaker): {}", peer_,
           in_words(settings_.reset_timeout), last_failure_);
}

std::uint64_t CircuitBreaker::times_opened() const {
  std::lock_guard lock(mutex_);
  return times_opened_;
}

std::string CircuitBreaker::last_failure() const {
  std::lock_guard lock(mutex_);
  return last_failure_;
}

CircuitBreakers::Permit& CircuitBreakers::Permit::operator=(Permit&& other) noexcept {
  end();
  breaker_ = std::move(other.breaker_);
  round_ = other.round_;
  return *this;
}

void CircuitBreakers::Permit::end() {
  if (auto breaker = std::exchange(breaker_, nullptr)) breaker->abandoned(round_);
}

void CircuitBreakers::Permit::succeeded() {
  if (auto breaker = std::exchange(breaker_, nullptr)) breaker->succeeded(round_);
}

void CircuitBreakers::Permit::failed(const Error& error) {
  if (!error.retryable()) return end();
  if (auto breaker = std::exchange(breaker_, nullptr)) breaker->failed(round_, error, Clock::now());
}

void CircuitBreakers::enable(const CircuitBreakerSettings& settings) {
  std::lock_guard lock(mutex_);
  enabled_ = true;
  settings_ = settings;
}

CircuitBreakers::Permit CircuitBreakers::admit(const std::string& peer) {
  std::shared_ptr<CircuitBreaker> breaker;
  {
    std::lock_guard lock(mutex_);
    if (!enabled_ || (breakers_.size() >= peers_max && !breakers_.contains(peer))) return {};
    auto& slot = breakers_[peer];
    if (!slot) slot = std::make_shared<CircuitBreaker>(peer, settings_);
    breaker = slot;
  }
  const auto round = breaker->admit(Clock::now());
  return Permit(std::move(breaker), round);
}

std::shared_ptr<CircuitBreaker> CircuitBreakers::find(const std::string& peer) const {
  std::lock_guard lock(mutex_);
  auto it = breakers_.find(peer);
  return it == breakers_.end() ? nullptr : it->second;
}

bool CircuitBreakers::refuses(const std::string& peer) const {
  auto breaker = find(peer);
  return breaker && breaker->refuses(Clock::now());
}

std::vector<CircuitBreakers::Seen> CircuitBreakers::all() const {
  std::vector<std::shared_ptr<CircuitBreaker>> breakers;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [peer, breaker] : breakers_) breakers.push_back(breaker);
  }
  std::vector<Seen> seen;
  const auto now = Clock::now();
  for (const auto& breaker : breakers)
    seen.push_back({breaker->peer(), breaker->state(now), breaker->times_opened(), breaker->last_failure()});
  return seen;
}

RetryPolicy outlasting(RetryPolicy policy, Duration reset_timeout) {
  policy.give_up_after += reset_timeout;
  return policy;
}

}  // namespace kb
