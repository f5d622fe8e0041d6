// Test support: a broker that is a script of bytes, to see what a Connection makes of them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/failure_of.h"
#include "kafka/big_endian.h"
#include "kafka/connection.h"
#include "kafka/messages.h"
#include "net/loopback_listener.h"

namespace kb::kafka {

inline std::string framed(std::string_view bytes) {
  std::string frame(4, '\0');
  write_big_endian<int32_t>(frame.data(), static_cast<int32_t>(bytes.size()));
  return frame += bytes;
}

template <class Response>
std::string answer(int32_t correlation_id, const Response& response, int16_t version) {
  auto header = encode(ResponseHeader{correlation_id}, response_header_version(Response::api, version));
  return framed(header.str() + encode(response, version).str());
}

inline std::string versions_answer(int32_t correlation_id = 1) {
  ApiVersionsResponse response;
  response.api_keys = {{.api_key = MetadataRequest::api.key, .min_version = 0, .max_version = 9},
                       {.api_key = FetchRequest::api.key, .min_version = 2, .max_version = 99},
                       {.api_key = ProduceRequest::api.key, .min_version = 90, .max_version = 99},
                       {.api_key = SaslHandshakeRequest::api.key, .min_version = 0, .max_version = 1},
                       {.api_key = SaslAuthenticateRequest::api.key, .min_version = 0, .max_version = 2}};
  return answer(correlation_id, response, ApiVersionsRequest::api.max_version);
}

inline std::string cluster_answer(int32_t correlation_id, const std::string& cluster_id,
                                  int32_t throttle_time_ms = 0) {
  return answer(correlation_id,
                MetadataResponse{.throttle_time_ms = throttle_time_ms, .cluster_id = cluster_id}, 9);
}

// A connection to a peer that has already sent `script`.
struct Scripted {
  LoopbackListener listener;
  std::unique_ptr<ByteStream> stream =
      connect_tcp(within_a_minute(), listener.endpoint(), {}, std::chrono::seconds(10));
  LoopbackPeer peer{listener.accept()};
  ConnectionSettings settings{.response_bytes_max = 10000};
  std::optional<Connection> connection;

  explicit Scripted(std::string_view script) { peer.send(script); }
  Connection& open(const Context& ctx = within_a_minute()) {
    return connection.emplace(Connection::over(ctx, std::move(stream), listener.endpoint(), settings));
  }
  std::string at() { return to_string(listener.endpoint()); }
};

}  // namespace kb::kafka
