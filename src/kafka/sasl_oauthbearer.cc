#include "kafka/sasl_oauthbearer.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>

#include <boost/json/parse.hpp>
#include <fmt/chrono.h>

#include "base/cut_text.h"
#include "base/error.h"
#include "kafka/token_claims.h"

namespace kb::kafka {
namespace {

namespace json = boost::json;

constexpr std::size_t token_bytes_max = 256 * 1024;
constexpr std::string_view separator = "\x01";

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

// Of the broker's JSON (RFC 7628 section 3.2.2) only the word that says why: nothing else is for a log.
std::string status_of(std::string_view refusal) {
  boost::system::error_code failed;
  const auto value = json::parse(refusal, failed);
  const auto* object = failed ? nullptr : value.if_object();
  const auto* status = object ? object->if_contains("status") : nullptr;
  if (!status || !status->is_string()) return "without a reason";
  auto text = cut_text(std::string_view(status->get_string()), 100);
  std::ranges::replace_if(
      text, [](char c) { return !std::isprint(static_cast<unsigned char>(c)); }, '?');
  return text;
}

class Login : public SaslLogin {
 public:
  Login(std::string token, std::shared_ptr<BearerTokens> tokens)
      : token_(std::move(token)), tokens_(std::move(tokens)) {}

  std::string respond(const Context&, std::string_view) override {
    return fmt::format("n,,{0}auth=Bearer {1}{0}{0}", separator, token_);
  }
  bool last_sent() const override { return true; }
  void finish(std::string_view challenge) override {
    if (challenge.empty()) return;
    tokens_->refused(token_);
    auto text = fmt::format("the broker refuses the token: {}", status_of(challenge));
    const auto expiry = claims_of(token_).expires_at;
    if (expiry && *expiry <= std::chrono::system_clock::now())
      text += fmt::format("; it expired at {:%FT%TZ}",
                          fmt::gmtime(std::chrono::system_clock::to_time_t(*expiry)));
    throw Error(ErrorKind::denied, text, "the broker's log says what it misses in the token");
  }
  std::string farewell() const override { return std::string(separator); }

 private:
  const std::string token_;
  const std::shared_ptr<BearerTokens> tokens_;
};

class Oauthbearer : public SaslMechanism {
 public:
  explicit Oauthbearer(std::shared_ptr<BearerTokens> tokens)
      : tokens_(std::move(tokens)), principal_(tokens_->owner()) {}

  std::string_view name() const override { return "OAUTHBEARER"; }
  std::string principal() const override {
    std::lock_guard lock(mutex_);
    return principal_;
  }
  std::unique_ptr<SaslLogin> begin(const Context& ctx, const Endpoint&) override {
    std::string token;
    try {
      token = tokens_->token(ctx);
    } catch (const Error&) {
      set_principal(tokens_->owner());
      throw;
    }
    auto subject = claims_of(token).subject;
    set_principal(subject.empty() ? tokens_->owner() : subject);
    return std::make_unique<Login>(std::move(token), tokens_);
  }

 private:
  void set_principal(std::string principal) {
    std::lock_guard lock(mutex_);
    principal_ = std::move(principal);
  }

  const std::shared_ptr<BearerTokens> tokens_;
  mutable std::mutex mutex_;
  std::string principal_;  // guarded by mutex_
};

}  // namespace

std::string checked_token(std::string_view text, std::string_view where) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) fail(ErrorKind::invalid, "{} is empty", where);
  text = text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
  if (text.size() > token_bytes_max || !std::ranges::all_of(text, is_token_character))
    fail(ErrorKind::invalid, "{} is not a bearer token (RFC 6750 section 2.1)", where);
  return std::string(text);
}

std::string TokenFile::token(const Context&) {
  std::ifstream file(path_, std::ios::binary);
  if (!file) fail(ErrorKind::not_found, "{} cannot be read: {}", path_, std::strerror(errno));
  std::string text(token_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return checked_token(text, path_);
}

std::shared_ptr<SaslMechanism> oauthbearer_mechanism(std::shared_ptr<BearerTokens> tokens) {
  return std::make_shared<Oauthbearer>(std::move(tokens));
}

}  // namespace kb::kafka
