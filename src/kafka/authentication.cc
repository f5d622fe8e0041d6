#include "kafka/authentication.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/log.h"
#include "kafka/connection.h"
#include "kafka/messages_sasl.h"

namespace kb::kafka {
namespace {

constexpr int rounds_max = 20;  // of any mechanism; a broker could go on for ever
constexpr auto farewell_time_max = std::chrono::seconds(2);  // that nothing depends on
constexpr auto session_max = std::chrono::hours(24 * 365);

}  // namespace

std::chrono::milliseconds Authentication::log_in(const Context& ctx, Connection& connection) {
  try {
    auto session = exchange(ctx, connection);
    grace_.accepted();
    LOG_DEBUG("logged in to {} by {} as {}, for {} ms", to_string(connection.endpoint()), mechanism_->name(),
              mechanism_->principal(), session.count());
    return session;
  } catch (const Error& error) {
    auto principal = mechanism_->principal();
    auto text = fmt::format("SASL {}{} at {}: {}", mechanism_->name(),
                            principal.empty() ? "" : fmt::format(" as '{}'", principal),
                            to_string(connection.endpoint()), error.what());
    if (error.kind() != ErrorKind::denied) throw Error(error.kind(), text, error.hint());
    throw Error(grace_.refused(), text,
                error.hint().empty() ? "check what spec.kafkaCluster.saslSecret names" : error.hint());
  }
}

std::chrono::milliseconds Authentication::exchange(const Context& ctx, Connection& connection) {
  auto login = mechanism_->begin(ctx, connection.endpoint());
  choose_mechanism(ctx, connection);
  std::string challenge;
  for (int round = 0; round < rounds_max; ++round) {
    const SaslAuthenticateRequest request{.auth_bytes = {login->respond(ctx, challenge)}};
    auto answer = connection.call(ctx, request).message;
    require(answer.error_code, "login", answer.error_message.value_or(""));
    challenge = std::move(answer.auth_bytes.value);
    if (!login->last_sent()) continue;
    finish(ctx, connection, *login, challenge);
    return std::chrono::milliseconds(std::clamp<std::int64_t>(
        answer.session_lifetime_ms, 0, std::chrono::milliseconds(session_max).count()));
  }
  fail(ErrorKind::denied, "the login does not end after {} messages", rounds_max);
}

void Authentication::finish(const Context& ctx, Connection& connection, SaslLogin& login,
                            std::string_view challenge) const {
  try {
    login.finish(challenge);
  } catch (const Error& refused) {
    const SaslAuthenticateRequest farewell{.auth_bytes = {login.farewell()}};
    if (farewell.auth_bytes.value.empty()) throw;
    try {
      connection.call(ctx.with_timeout(farewell_time_max), farewell);
    } catch (const Error& error) {
      LOG_DEBUG("a refused login was not ended: {}", error.what());
    }
    throw Error(refused);
  }
}

void Authentication::choose_mechanism(const Context& ctx, Connection& connection) const {
  auto answer = connection.call(ctx, SaslHandshakeRequest{std::string(mechanism_->name())}).message;
  if (answer.error_code == ErrorCode::unsupported_sasl_mechanism)
    throw Error(
        ErrorKind::invalid,
        fmt::format("the listener does not offer this mechanism, but {}", fmt::join(answer.mechanisms, ", ")),
        "say one of them in spec.kafkaCluster.saslSecret.mechanism");
  if (answer.error_code == ErrorCode::illegal_sasl_state)
    throw Error(ErrorKind::invalid, "the listener has no login by SASL",
                "say SSL or PLAINTEXT in spec.kafkaCluster.securityProtocol, or name another port");
  require(answer.error_code, "SaslHandshake");
}

}  // namespace kb::kafka
