#include "kafka/token_claims.h"

#include <algorithm>

#include <boost/json/parse.hpp>

#include "base/base64.h"
#include "base/cut_text.h"

namespace kb::kafka {
namespace {

namespace json = boost::json;

constexpr std::size_t subject_bytes_max = 200;
constexpr double seconds_max = 9e9;  // the year 2255: what the clock can say ends soon after

bool is_unprintable(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// The middle one of three parts.
std::string_view payload_of(std::string_view token) {
  const auto first = token.find('.');
  if (first == std::string_view::npos) return {};
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return {};
  return token.substr(first + 1, second - first - 1);
}

}  // namespace

TokenClaims claims_of(std::string_view token) {
  TokenClaims claims;
  const auto payload = from_base64url(payload_of(token));
  if (!payload) return claims;
  boost::system::error_code failed;
  const auto value = json::parse(*payload, failed);
  if (failed || !value.is_object()) return claims;
  const auto& object = value.get_object();
  if (const auto* subject = object.if_contains("sub"); subject && subject->is_string()) {
    claims.subject = cut_text(std::string_view(subject->get_string()), subject_bytes_max);
    std::ranges::replace_if(claims.subject, is_unprintable, '?');
  }
  if (const auto* expiry = object.if_contains("exp"); expiry && expiry->is_number()) {
    const double seconds = expiry->to_number<double>();
    if (seconds >= 0 && seconds < seconds_max)
      claims.expires_at = std::chrono::system_clock::time_point(
          std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
  }
  return claims;
}

}  // namespace kb::kafka
