#include "kafka/connection.h"

#include <algorithm>
#include <random>

#include "base/error.h"
#include "base/log.h"
#include "kafka/big_endian.h"
#include "kafka/messages_cluster.h"

namespace kb::kafka {
namespace {

constexpr std::size_t handshake_bytes_max = 1024 * 1024;
constexpr auto throttle_max = std::chrono::minutes(5);     // that a broker can make us believe
constexpr Duration margin_min = std::chrono::seconds(10);  // before the end of a session
constexpr std::string_view software_name = "kafka-backup";
constexpr std::string_view software_version = "1";
constexpr std::string_view listener_hint =
    "check that the port is a Kafka listener and that its security protocol is the configured one";

// What answers instead of a broker, judged by the first bytes that it sent.
std::string describe_stranger(std::string_view first_bytes) {
  if (first_bytes == "HTTP") return "it answers in HTTP";
  if (first_bytes == "SSH-") return "it answers in SSH";
  if (first_bytes.starts_with("\x15\x03")) return "it answers with a TLS alert, so it wants TLS";
  return fmt::format("it announces an answer of {} bytes", read_big_endian<int32_t>(first_bytes.data()));
}

// So early that a request that waits behind others reaches the broker before the session ends, and not of all
// connections at the same time.
Duration time_until_next_login(Duration session) {
  const Duration margin = std::max(session * 15 / 100, std::min<Duration>(session * 40 / 100, margin_min));
  thread_local std::minstd_rand random{std::random_device{}()};
  auto share = std::uniform_real_distribution<double>(0.9, 1.0)(random);
  return std::chrono::duration_cast<Duration>((session - margin) * share);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Connection Connection::open(const Context& ctx, const Endpoint& endpoint,
                            const ConnectionSettings& settings) {
  auto bounded = ctx.with_timeout(settings.connect_timeout);
  auto stream = connect_tcp(bounded, endpoint, settings.socket, settings.connect_timeout);
  if (settings.tls) stream = settings.tls->handshake(bounded, std::move(stream), endpoint);
  LOG_DEBUG("connected to {}{}", to_string(endpoint), settings.tls ? " by TLS" : "");
  return over(bounded, std::move(stream), endpoint, settings);
}

Connection Connection::over(const Context& ctx, std::unique_ptr<ByteStream> stream, const Endpoint& endpoint,
                            const ConnectionSettings& settings) {
  Connection connection(std::move(stream), endpoint, settings);
  connection.handshake(ctx);
  if (settings.authentication) connection.log_in(ctx);
  return connection;
}

void Connection::handshake(const Context& ctx) {
  auto answer = ask_api_versions(ctx, ApiVersionsRequest::api.max_version);
  if (answer.error_code == ErrorCode::unsupported_version) answer = ask_api_versions(ctx, 0);
  require(answer.error_code, fmt::format("ApiVersions at {}", to_string(endpoint_)));
  for (const auto& api : answer.api_keys) broker_versions_[api.api_key] = {api.min_version, api.max_version};
}

ApiVersionsResponse Connection::ask_api_versions(const Context& ctx, int16_t version) {
  const ApiVersionsRequest request{std::string(software_name), std::string(software_version)};
  const Sent sent{&request.api, version, next_correlation_id()};
  send_frame(ctx, sent, encode_request(settings_.client_id, sent.correlation_id, request, version));
  auto frame = receive_frame(ctx, sent);
  ApiVersionsResponse answer;
  exchange(sent, [&] {
    // A broker that does not know the version says so in version 0 (KIP-511). The code is at the same place
    // in all.
    auto body = frame->view().substr(sizeof(int32_t));
    auto refused = static_cast<int16_t>(ErrorCode::unsupported_version);
    bool in_version_0 = body.size() >= sizeof(int16_t) && read_big_endian<int16_t>(body.data()) == refused;
    answer = decode_response<ApiVersionsResponse>(frame->view(), in_version_0 ? int16_t{0} : version);
  });
  return answer;
}

int16_t Connection::negotiate(const ApiSpec& api) const {
  auto found = broker_versions_.find(api.key);
  if (found == broker_versions_.end())
    fail(ErrorKind::invalid, "{} at {}: the broker does not offer this api", api.name, to_string(endpoint_));
  auto [broker_min, broker_max] = found->second;
  if (broker_max < api.min_version || broker_min > api.max_version)
    throw Error(
        ErrorKind::invalid,
        fmt::format("{} at {}: the broker speaks versions {} to {} of this api, this program {} to {}",
                    api.name, to_string(endpoint_), broker_min, broker_max, api.min_version, api.max_version),
        "brokers from 2.8 on are supported");
  return std::min(broker_max, api.max_version);
}

int32_t Connection::next_correlation_id() {
  return last_correlation_id_ = (last_correlation_id_ + 1) & std::numeric_limits<int32_t>::max();
}

void Connection::log_in(const Context& ctx) {
  const auto begun = Clock::now();
  const auto session = settings_.authentication->log_in(ctx, *this);
  log_in_again_at_ =
      session > Duration::zero() ? begun + time_until_next_login(session) : Clock::time_point::max();
}

void Connection::log_in_again(const Context& ctx) {
  log_in_again_at_ = Clock::time_point::max();  // the login itself is sent as well
  std::deque<Early> early = std::move(early_);
  early_.clear();
  while (!in_flight_.empty()) {
    const auto sent = in_flight_.front();
    early.push_back({sent, receive_frame(ctx, sent)});
  }
  try {
    log_in(ctx);
  } catch (const Error& error) {
    close();
    if (error.kind() != ErrorKind::denied) throw;
    // Only a new connection shows whether the secret is wrong: a broker also refuses another principal here.
    throw Error(ErrorKind::unavailable, error.what(), error.hint());
  }
  early_ = std::move(early);
}

std::shared_ptr<const Buffer> Connection::take_early() {
  auto frame = std::move(early_.front().frame);
  early_.pop_front();
  return frame;
}

void Connection::close() {
  stream_.reset();
  in_flight_.clear();
  early_.clear();
}

Connection::Sent Connection::oldest(const ApiSpec& api) const {
  CHECK(in_flight() > 0);
  const auto& sent = early_.empty() ? in_flight_.front() : early_.front().sent;
  CHECK(sent.api->key == api.key);
  return sent;
}

void Connection::check_usable(const Context& ctx, const ApiSpec& api) const {
  ctx.check();
  if (!stream_)
    fail(ErrorKind::unavailable, "{} at {}: the connection is closed", api.name, to_string(endpoint_));
}

void Connection::send_frame(const Context& ctx, const Sent& sent, const WireBytes& frame) {
  exchange(sent, [&] {
    auto start = Clock::now();
    try {
      stream_->write(ctx.with_timeout(time_allowed()), frame.parts());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::timed_out) throw;
      fail(ErrorKind::timed_out, "the request could not be sent within {:.1f} s", seconds_since(start));
    }
  });
  in_flight_.push_back(sent);
}

std::shared_ptr<const Buffer> Connection::receive_frame(const Context& ctx, const Sent& sent) {
  std::shared_ptr<Buffer> frame;
  exchange(sent, [&] {
    auto start = Clock::now();
    try {
      auto bounded = ctx.with_timeout(time_allowed());
      char prefix[sizeof(int32_t)];
      read_exactly(bounded, *stream_, prefix);
      frame = settings_.buffers->take(checked_size({prefix, sizeof prefix}));
      read_exactly(bounded, *stream_, frame->writable());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::timed_out) throw;
      fail(ErrorKind::timed_out, "no answer after {:.1f} s", seconds_since(start));
    }
    auto answered = correlation_id(frame->view());
    if (answered != sent.correlation_id)
      fail(ErrorKind::corrupt, "the answer is to request {}, expected was {}", answered, sent.correlation_id);
  });
  in_flight_.pop_front();
  ++answers_;
  return frame;
}

std::size_t Connection::checked_size(std::string_view prefix) const {
  auto size = read_big_endian<int32_t>(prefix.data());
  bool handshaking = broker_versions_.empty();
  auto size_max = handshaking ? handshake_bytes_max : settings_.response_bytes_max;
  if (size >= 0 && static_cast<std::size_t>(size) <= size_max) return static_cast<std::size_t>(size);
  if (handshaking) fail(ErrorKind::corrupt, "{}", describe_stranger(prefix));
  fail(ErrorKind::corrupt, "an answer of {} bytes is announced, the limit is {}", size, size_max);
}

void Connection::note_throttle(int32_t throttle_time_ms) {
  auto throttle = std::chrono::milliseconds(std::max(throttle_time_ms, 0));
  throttled_until_ = std::max(throttled_until_, Clock::now() + std::min<Duration>(throttle, throttle_max));
}

Duration Connection::time_allowed() const {
  return settings_.request_timeout + std::max(throttled_until_ - Clock::now(), Duration::zero());
}

void Connection::close_because(const Sent& sent, const Error& error) {
  close();
  auto doing = fmt::format("{} at {}", sent.api->name, to_string(endpoint_));
  bool handshaking = broker_versions_.empty();
  if (handshaking && error.kind() == ErrorKind::corrupt)
    throw Error(ErrorKind::invalid, fmt::format("{}: this is not a Kafka broker: {}", doing, error.what()),
                std::string(listener_hint));
  if (error.retryable() && (handshaking || answers_ <= 1))
    throw Error(error.kind(), fmt::format("{}: {}", doing, error.what()), std::string(listener_hint));
  throw error.while_doing(doing);
}

}  // namespace kb::kafka
