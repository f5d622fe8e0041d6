#include "engine/breaker_settings.h"

#include "engine/backup_settings.h"
#include "engine/restore_settings.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
using namespace std::chrono_literals;

namespace {

const BreakerBlock block = api::CircuitBreaker{.enabled = true,
                                               .failure_threshold = 2,
                                               .reset_timeout_secs = 7,
                                               .success_threshold = 1,
                                               .operation_timeout_ms = 900};

kafka::ClusterSettings guarded(const BreakerBlock& of, const std::shared_ptr<CircuitBreakers>& breakers) {
  kafka::ClusterSettings settings;
  guard(settings, of, breakers);
  return settings;
}

int refused_after(const BreakerBlock& of) {
  CircuitBreakers breakers;
  enable(breakers, of);
  int failures = 0;
  for (; failures < 10 && !breakers.refuses("a"); ++failures)
    breakers.admit("a").failed(Error(ErrorKind::unavailable, "no"));
  return failures;
}

}  // namespace

TEST_CASE("spec.circuitBreaker: failureThreshold opens; absent or not enabled there is no breaker") {
  CHECK(refused_after(block) == 2);
  CHECK(refused_after(api::CircuitBreaker{}) == 5);
  CHECK(refused_after(api::CircuitBreaker{.enabled = false, .failure_threshold = 2}) == 10);
  CHECK(refused_after({}) == 10);
}

TEST_CASE("spec.circuitBreaker.operationTimeoutMs bounds every request") {
  auto breakers = std::make_shared<CircuitBreakers>();
  auto settings = guarded(block, breakers);
  CHECK(settings.connection.request_timeout == 900ms);
  CHECK(settings.connection.connect_timeout == 900ms);
  CHECK(settings.breakers == breakers);
  CHECK(store_guard(block, breakers)->operation_timeout == 900ms);
  const kafka::ClusterSettings as_ever;
  for (const auto& none : {BreakerBlock{}, BreakerBlock{api::CircuitBreaker{.enabled = false}}}) {
    CHECK(guarded(none, breakers).connection.request_timeout == as_ever.connection.request_timeout);
    CHECK(guarded(none, breakers).retry.give_up_after == as_ever.retry.give_up_after);
    CHECK_FALSE(store_guard(none, breakers));
  }
  auto patient = *block;
  patient.operation_timeout_ms = 600'000;
  CHECK(guarded(patient, breakers).connection.connect_timeout == as_ever.connection.connect_timeout);
  patient.operation_timeout_ms = std::numeric_limits<std::uint64_t>::max();
  CHECK(guarded(patient, breakers).connection.request_timeout > 24h);
}

TEST_CASE("spec.circuitBreaker.resetTimeoutSecs: a run outlasts it, so that it is tried once more") {
  const kafka::ClusterSettings as_ever;
  CHECK(guarded(block, {}).retry.give_up_after == as_ever.retry.give_up_after + 7s);
  CHECK(store_guard(block, {})->reset_timeout == 7s);
  BackupRequest request;
  const auto usual = fetch_settings(request, 1);
  request.spec.circuit_breaker = block;
  const auto settings = fetch_settings(request, 1);
  CHECK(settings.retry.give_up_after == usual.retry.give_up_after + 7s);
  CHECK(settings.stall_max == usual.stall_max + 7s);
  CHECK(settings.answer_wait == 450ms);
  api::KafkaRestoreSpec spec;
  spec.circuit_breaker = block;
  CHECK(produce_settings(spec).retry.give_up_after == usual.retry.give_up_after + 7s);
}

TEST_CASE("spec.circuitBreaker.successThreshold closes") {
  CircuitBreakers breakers;
  auto careful = *block;
  careful.reset_timeout_secs = 0;
  careful.success_threshold = 2;
  enable(breakers, careful);
  for (int i = 0; i < 2; ++i) breakers.admit("a").failed(Error(ErrorKind::unavailable, "no"));
  breakers.admit("a").succeeded();
  CHECK(breakers.all().at(0).state == BreakerState::half_open);
  breakers.admit("a").succeeded();
  CHECK(breakers.all().at(0).state == BreakerState::closed);
}

TEST_CASE("a run tells whom it had to leave alone") {
  CircuitBreakers breakers;
  enable(breakers, block);
  breakers.admit("kafka-1:9092").succeeded();
  for (int i = 0; i < 2; ++i) breakers.admit("kafka-2:9092").failed(Error(ErrorKind::unavailable, "refused"));
  CHECK(breaker_warnings(breakers) ==
        std::vector<std::string>{
            "kafka-2:9092 kept failing and was left alone 1 time (spec.circuitBreaker), last: refused"});
}
