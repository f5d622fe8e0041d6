#include "kafka/oidc_tokens.h"

#include <algorithm>
#include <cctype>

#include <boost/json/parse.hpp>

#include "base/base64.h"
#include "base/cut_text.h"
#include "base/error.h"
#include "base/log.h"
#include "kafka/token_claims.h"
#include "net/http_client.h"

namespace kb::kafka {
namespace {

namespace json = boost::json;

constexpr std::size_t answer_bytes_max = 1 << 20;
constexpr double lifetime_s_max = 10.0 * 365 * 24 * 3600;

// As in a form (RFC 6749 appendix B).
std::string form_encoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) ||
        std::string_view("*-._").find(c) != std::string_view::npos)
      out += c;
    else
      out += c == ' ' ? "+" : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

HttpRequest request_of(const OidcSettings& settings, const OidcClient& client) {
  HttpRequest request{.method = "POST", .url = settings.token_endpoint};
  auto id_and_secret = form_encoded(client.id) + ":" + form_encoded(client.secret);
  request.headers = {{"Authorization", "Basic " + to_base64(id_and_secret)},
                     {"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  request.body = "grant_type=client_credentials";
  if (!settings.scope.empty()) request.body += "&scope=" + form_encoded(settings.scope);
  return request;
}

const json::string* member(const json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* found = object ? object->if_contains(name) : nullptr;
  return found ? found->if_string() : nullptr;
}

json::value parse(std::string_view text) {
  boost::system::error_code failed;
  auto value = json::parse(text, failed);
  return failed ? json::value() : value;
}

// Only the error's code, which is one of a few words (RFC 6749 section 5.2): a provider may put anything into
// the rest.
std::string reason_of(const HttpAnswer& answer) {
  const auto body = parse(answer.body);
  const auto* code = member(body, "error");
  if (!code) return fmt::format("HTTP status {}", answer.status);
  auto word = cut_text(std::string_view(*code), 60);
  std::ranges::replace_if(
      word, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)) && c != '_'; }, '?');
  return fmt::format("{} (HTTP status {})", word, answer.status);
}

ErrorKind kind_of(int status) {
  if (status == 429) return ErrorKind::throttled;
  return status >= 500 ? ErrorKind::unavailable : ErrorKind::denied;
}

}  // namespace

std::string OidcTokens::owner() const {
  std::lock_guard lock(mutex_);
  return client_id_;
}

std::string OidcTokens::token(const Context& ctx) {
  std::lock_guard lock(mutex_);
  if (settings_.now() < token_.renew_at) return token_.text;
  try {
    token_ = request(ctx);
  } catch (const Error& error) {
    if (!error.retryable() || settings_.now() >= token_.expires_at) throw;
    LOG_WARN("the token of '{}' is used to its end: {}", client_id_, error.what());
  }
  return token_.text;
}

void OidcTokens::refused(const std::string& token) {
  std::lock_guard lock(mutex_);
  if (token_.text == token) token_ = {};
}

OidcTokens::Token OidcTokens::request(const Context& ctx) {
  const auto client = settings_.read_client();
  client_id_ = client.id;
  const auto doing = fmt::format("asking {} for a token of '{}'", settings_.token_endpoint, client.id);
  try {
    HttpClient http({.ca_pem = client.ca_pem,
                     .connect_timeout = settings_.timeout,
                     .answer_bytes_max = answer_bytes_max});
    const auto asked_at = settings_.now();
    const auto answer = http.send(ctx.with_timeout(settings_.timeout), request_of(settings_, client));
    if (answer.status != 200) fail(kind_of(answer.status), "it refuses: {}", reason_of(answer));
    return parsed(answer.body, asked_at);
  } catch (const Error& error) {
    throw error.while_doing(doing);
  }
}

OidcTokens::Token OidcTokens::parsed(std::string_view answer, SystemClock::time_point asked_at) const {
  const auto body = parse(answer);
  const auto* text = member(body, "access_token");
  if (!text) fail(ErrorKind::invalid, "the answer has no access_token");
  Token token{.text = checked_token(std::string_view(*text), "access_token")};
  auto lifetime = SystemClock::duration::zero();
  const auto* seconds = body.get_object().if_contains("expires_in");
  if (seconds && seconds->is_number())
    lifetime = std::chrono::duration_cast<SystemClock::duration>(
        std::chrono::duration<double>(std::clamp(seconds->to_number<double>(), 0.0, lifetime_s_max)));
  else if (auto expiry = claims_of(token.text).expires_at; expiry && *expiry > asked_at)
    lifetime = *expiry - asked_at;
  token.renew_at = asked_at + lifetime / 5 * 4;
  token.expires_at = asked_at + lifetime;
  return token;
}

}  // namespace kb::kafka
