// One connection to one broker: TLS and login where the settings say so, the ApiVersions handshake (KIP-35,
// KIP-511), then pipelined requests. Before a session ends the login is repeated (KIP-368). Framing as in
// https://kafka.apache.org/protocol#protocol_common: a 32-bit length, header, message; answers come in the
// order of the requests. Nothing is tried again here.
#pragma once
#include <algorithm>
#include <deque>
#include <map>
#include <memory>

#include "base/buffer.h"
#include "base/context.h"
#include "kafka/authentication.h"
#include "kafka/codec.h"
#include "net/socket.h"
#include "net/tls_client.h"

namespace kb::kafka {

struct ApiVersionsResponse;

struct ConnectionSettings {
  std::string client_id = "kafka-backup";
  SocketSettings socket;
  std::shared_ptr<TlsClient> tls;                       // null: in plain text
  std::shared_ptr<Authentication> authentication;       // null: no login
  Duration connect_timeout = std::chrono::seconds(10);  // name lookup, TCP, TLS, handshake and login together
  Duration request_timeout =
      std::chrono::seconds(30);  // for sending one, and for its answer once that is awaited
  std::size_t response_bytes_max = 256 * 1024 * 1024;
  std::shared_ptr<BufferPool> buffers = std::make_shared<BufferPool>();  // of all answers
};

// The Records of `message` point into `buffer`.
template <class M>
struct Reply {
  M message;
  std::shared_ptr<const Buffer> buffer;
};

// One owner thread at a time; may be moved. Every function that fails in the middle of an exchange closes the
// connection: usable() is false then, and all that was in flight is lost. Errors name the api and the broker:
//   unavailable  closed, reset, refused       timed_out  no answer in time   cancelled  the context was
//   stopped invalid      not a Kafka broker, another security protocol, or no version of an api in common
//   denied       a certificate or a login is refused, by either side
//   corrupt      an answer that makes no sense
class Connection {
 public:
  static Connection open(const Context& ctx, const Endpoint& endpoint, const ConnectionSettings& settings);
  // Makes the handshake and the login over a stream that is already there; `endpoint` is for the texts.
  static Connection over(const Context& ctx, std::unique_ptr<ByteStream> stream, const Endpoint& endpoint,
                         const ConnectionSettings& settings);

  // Returns when the kernel has taken the request; any number may be in flight. Records of the request are
  // written from where they are. Where the session is about to end, the login is repeated first: after what
  // is in flight has been answered, which receive() then has at once.
  template <class Request>
  void send(const Context& ctx, const Request& request) {
    check_usable(ctx, Request::api);
    if (Clock::now() >= log_in_again_at_) log_in_again(ctx);
    Sent sent{&Request::api, version_for(request), next_correlation_id()};
    send_frame(ctx, sent, encode_request(settings_.client_id, sent.correlation_id, request, sent.version));
  }
  // The answer to the oldest request in flight, which must be a Request.
  template <class Request>
  Reply<typename Request::Response> receive(const Context& ctx) {
    using Response = typename Request::Response;
    check_usable(ctx, Request::api);
    const Sent sent = oldest(Request::api);
    Reply<Response> reply;
    reply.buffer = early_.empty() ? receive_frame(ctx, sent) : take_early();
    exchange(sent, [&] { reply.message = decode_response<Response>(reply.buffer->view(), sent.version); });
    if constexpr (requires { reply.message.throttle_time_ms; }) note_throttle(reply.message.throttle_time_ms);
    return reply;
  }
  template <class Request>
  Reply<typename Request::Response> call(const Context& ctx, const Request& request) {
    send(ctx, request);
    return receive<Request>(ctx);
  }

  // The newest version that both sides speak; throws invalid when there is none.
  template <class Request>
  int16_t version() const {
    return negotiate(Request::api);
  }
  std::size_t in_flight() const { return early_.size() + in_flight_.size(); }
  bool usable() const { return stream_ != nullptr; }
  // Whether the broker has closed it, as it does after some idle time (connections.max.idle.ms); does not
  // wait. For whoever has nothing in flight and would use it again.
  bool closed_by_broker() const { return !stream_ || stream_->closed_by_peer(); }
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  struct Sent {
    const ApiSpec* api;
    int16_t version;
    int32_t correlation_id;
  };
  // An answer that was read before receive() asked for it.
  struct Early {
    Sent sent;
    std::shared_ptr<const Buffer> frame;
  };

  Connection(std::unique_ptr<ByteStream> stream, const Endpoint& endpoint, const ConnectionSettings& settings)
      : stream_(std::move(stream)), endpoint_(endpoint), settings_(settings) {}
  void handshake(const Context& ctx);
  void log_in(const Context& ctx);
  void log_in_again(const Context& ctx);
  ApiVersionsResponse ask_api_versions(const Context& ctx, int16_t version);
  int16_t negotiate(const ApiSpec& api) const;
  // Some requests cannot be said in every version; they tell the newest that will do.
  template <class Request>
  int16_t version_for(const Request& request) const {
    auto newest = version<Request>();
    if constexpr (requires { request.version_max(); }) newest = std::min(newest, request.version_max());
    return newest;
  }
  int32_t next_correlation_id();
  Sent oldest(const ApiSpec& api) const;
  // Throws before anything is exchanged, so that the connection stays as it is.
  void check_usable(const Context& ctx, const ApiSpec& api) const;
  void send_frame(const Context& ctx, const Sent& sent, const WireBytes& frame);
  std::shared_ptr<const Buffer> take_early();
  void close();
  // The frame without its length, its correlation id checked.
  std::shared_ptr<const Buffer> receive_frame(const Context& ctx, const Sent& sent);
  std::size_t checked_size(std::string_view prefix) const;
  void note_throttle(int32_t throttle_time_ms);
  Duration time_allowed() const;
  // Runs action(); when it fails, closes the connection and adds what was being done.
  template <class Action>
  void exchange(const Sent& sent, Action action) {
    try {
      action();
    } catch (const Error& error) {
      close_because(sent, error);
    }
  }
  [[noreturn]] void close_because(const Sent& sent, const Error& error);

  std::unique_ptr<ByteStream> stream_;  // null once closed
  Endpoint endpoint_;
  ConnectionSettings settings_;
  std::map<int16_t, Versions> broker_versions_;  // by api key; empty until the handshake is done
  std::deque<Sent> in_flight_;
  std::deque<Early> early_;  // before in_flight_
  Clock::time_point log_in_again_at_ = Clock::time_point::max();
  int32_t last_correlation_id_ = 0;
  std::size_t answers_ = 0;              // the handshake's included
  Clock::time_point throttled_until_{};  // the broker reads nothing before that (KIP-219)
};

}  // namespace kb::kafka
