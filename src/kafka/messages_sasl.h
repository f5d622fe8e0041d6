// Messages that log a connection in: SaslHandshake, SaslAuthenticate (KIP-43, KIP-152, KIP-368).
// Fields, defaults and versions: the files of the same names in Apache Kafka's
// clients/src/main/resources/common/message; tests/kafka_layouts compares them.
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"

namespace kb::kafka {

struct SaslHandshakeResponse;
struct SaslHandshakeRequest {
  // From version 1 on the login's messages travel in SaslAuthenticate. Never flexible.
  static constexpr ApiSpec api{.name = "SaslHandshake",
                               .key = 17,
                               .min_version = 1,
                               .max_version = 1,
                               .flexible_from = std::numeric_limits<int16_t>::max()};
  using Response = SaslHandshakeResponse;
  std::string mechanism;

  void fields(auto& f) { f(mechanism); }
};

struct SaslHandshakeResponse {
  static constexpr ApiSpec api = SaslHandshakeRequest::api;
  ErrorCode error_code{};
  std::vector<std::string> mechanisms;  // that the listener offers

  void fields(auto& f) {
    f(error_code);
    f(mechanisms);
  }
};

struct SaslAuthenticateResponse;
struct SaslAuthenticateRequest {
  static constexpr ApiSpec api{
      .name = "SaslAuthenticate", .key = 36, .min_version = 0, .max_version = 2, .flexible_from = 2};
  using Response = SaslAuthenticateResponse;
  Bytes auth_bytes;

  void fields(auto& f) { f(auth_bytes); }
};

struct SaslAuthenticateResponse {
  static constexpr ApiSpec api = SaslAuthenticateRequest::api;
  ErrorCode error_code{};
  std::optional<std::string> error_message = "";
  Bytes auth_bytes;
  int64_t session_lifetime_ms = 0;  // 0: the session does not end

  void fields(auto& f) {
    f(error_code);
    f(error_message, since(0), since(0));
    f(auth_bytes);
    f(session_lifetime_ms, since(1));
  }
};

}  // namespace kb::kafka
