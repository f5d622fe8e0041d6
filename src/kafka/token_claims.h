// What a token says of itself, if it is a JWT (RFC 7519). Nothing of it is verified: that is the broker's
// business. Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace kb::kafka {

struct TokenClaims {
  std::string subject;  // "sub", with unprintable characters replaced; empty when it does not say
  std::optional<std::chrono::system_clock::time_point> expires_at;  // "exp"
};

// Nothing known for a token that is no JWT.
TokenClaims claims_of(std::string_view token);

}  // namespace kb::kafka
