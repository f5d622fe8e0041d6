#include "kafka/listener_check.h"

#include <fmt/ranges.h>

#include "base/error.h"
#include "kafka/messages_sasl.h"

namespace kb::kafka {
namespace {

constexpr std::string_view advice = "check port and spec.kafkaCluster.securityProtocol";

// No value when the attempt fails.
template <class Attempt>
auto answer_of(const Context& ctx, Attempt attempt) -> std::optional<decltype(attempt())> {
  try {
    return attempt();
  } catch (const Error&) {
    if (ctx.stop.stop_requested()) throw;
    return std::nullopt;
  }
}

ConnectionSettings without_login(ConnectionSettings settings) {
  settings.authentication.reset();
  return settings;
}

bool answers_in_plain_text(const Context& ctx, const Endpoint& endpoint, ConnectionSettings settings) {
  settings = without_login(std::move(settings));
  settings.tls.reset();
  return answer_of(ctx, [&] { return Connection::open(ctx, endpoint, settings); }).has_value();
}

bool wants_tls(const Context& ctx, const Endpoint& endpoint, const ConnectionSettings& settings) {
  auto answer = answer_of(ctx, [&] {
    auto bounded = ctx.with_timeout(settings.connect_timeout);
    return answers_in_tls(bounded, connect_tcp(bounded, endpoint, settings.socket, settings.connect_timeout));
  });
  return answer.value_or(false);
}

// The mechanisms of a listener that expects a login; empty when it does not.
std::vector<std::string> login_wanted(const Context& ctx, const Endpoint& endpoint,
                                      const ConnectionSettings& settings) {
  auto answer = answer_of(ctx, [&] {
    auto connection = Connection::open(ctx, endpoint, without_login(settings));
    return connection.call(ctx, SaslHandshakeRequest{"NONE"}).message;
  });
  return answer ? answer->mechanisms : std::vector<std::string>{};
}

}  // namespace

std::optional<Error> security_mismatch(const Context& ctx, const Endpoint& endpoint,
                                       const ConnectionSettings& settings) {
  const auto at = to_string(endpoint);
  if (settings.tls && answers_in_plain_text(ctx, endpoint, settings))
    return Error(ErrorKind::invalid,
                 fmt::format("TLS with {}: it answers in plain text: this listener has no TLS", at),
                 std::string(advice));
  if (!settings.tls && wants_tls(ctx, endpoint, settings))
    return Error(ErrorKind::invalid,
                 fmt::format("connecting to {} in plain text: this listener wants TLS", at),
                 std::string(advice));
  if (settings.authentication) return std::nullopt;
  if (auto mechanisms = login_wanted(ctx, endpoint, settings); !mechanisms.empty())
    return Error(ErrorKind::invalid,
                 fmt::format("connecting to {} without a login: this listener wants one by SASL {}", at,
                             fmt::join(mechanisms, ", ")),
                 std::string(advice) + " and saslSecret");
  return std::nullopt;
}

}  // namespace kb::kafka
