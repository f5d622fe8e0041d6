#include "engine/breaker_settings.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace kb::engine {
namespace {

bool acts(const BreakerBlock& block) {
  return block && block->enabled;
}

int as_int(std::uint32_t count) {
  return static_cast<int>(std::clamp<std::uint32_t>(count, 1, std::numeric_limits<int>::max()));
}

// What fits into a Duration by far.
template <class Unit>
Duration bounded(std::uint64_t count) {
  constexpr Duration most = std::chrono::hours(24 * 365);
  return count > static_cast<std::uint64_t>(std::chrono::duration_cast<Unit>(most).count())
             ? most
             : Duration(Unit(static_cast<std::int64_t>(count)));
}

}  // namespace

Duration operation_timeout(const api::CircuitBreaker& block) {
  return bounded<std::chrono::milliseconds>(std::max<std::uint64_t>(block.operation_timeout_ms, 1));
}

Duration reset_timeout(const BreakerBlock& block) {
  return acts(block) ? bounded<std::chrono::seconds>(block->reset_timeout_secs) : Duration::zero();
}

void enable(CircuitBreakers& breakers, const BreakerBlock& block) {
  if (!acts(block)) return;
  breakers.enable({.failure_threshold = as_int(block->failure_threshold),
                   .reset_timeout = reset_timeout(block),
                   .success_threshold = as_int(block->success_threshold)});
}

void guard(kafka::ClusterSettings& settings, const BreakerBlock& block,
           std::shared_ptr<CircuitBreakers> breakers) {
  if (!acts(block)) return;
  auto& connection = settings.connection;
  connection.request_timeout = operation_timeout(*block);
  connection.connect_timeout = std::min(connection.connect_timeout, connection.request_timeout);
  settings.retry = outlasting(settings.retry, reset_timeout(block));
  settings.breakers = std::move(breakers);
}

std::optional<storage::Guard> store_guard(const BreakerBlock& block,
                                          std::shared_ptr<CircuitBreakers> breakers) {
  if (!acts(block)) return std::nullopt;
  return storage::Guard{.breakers = std::move(breakers),
                        .operation_timeout = operation_timeout(*block),
                        .reset_timeout = reset_timeout(block)};
}

RetryPolicy retry_policy(const BreakerBlock& block) {
  return outlasting({}, reset_timeout(block));
}

Duration answer_wait(Duration wanted, const BreakerBlock& block) {
  return acts(block) ? std::min(wanted, operation_timeout(*block) / 2) : wanted;
}

std::vector<std::string> breaker_warnings(const CircuitBreakers& breakers) {
  std::vector<std::string> warnings;
  for (const auto& seen : breakers.all())
    if (seen.times_opened > 0)
      warnings.push_back(
          fmt::format("{} kept failing and was left alone {} {} (spec.circuitBreaker), last: {}", seen.peer,
                      seen.times_opened, seen.times_opened == 1 ? "time" : "times", seen.last_failure));
  return warnings;
}

}  // namespace kb::engine
