// Tokens for a client that has an id and a secret: the client credentials grant of OAuth 2 (RFC 6749 sections
// 2.3.1 and 4.4), as OpenID Connect providers offer it.
#pragma once
#include <chrono>
#include <functional>
#include <mutex>
#include <string>

#include "kafka/sasl_oauthbearer.h"

namespace kb::kafka {

struct OidcClient {
  std::string id, secret;
  std::string ca_pem;  // whom to trust; empty: the system's CAs
};

struct OidcSettings {
  std::string token_endpoint;               // https URL
  std::string scope;                        // may be empty
  std::function<OidcClient()> read_client;  // called before each request, from any thread
  Duration timeout = std::chrono::seconds(8);
  std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
};

// A token is used for four fifths of its life, and until its end while no other can be had. Errors: denied
// when the provider does not take id and secret (or we do not trust it), unavailable, throttled, timed_out,
// invalid for what is no token; they name the endpoint and the client's id.
class OidcTokens : public BearerTokens {
 public:
  explicit OidcTokens(OidcSettings settings) : settings_(std::move(settings)) {}
  std::string token(const Context& ctx) override;
  void refused(const std::string& token) override;
  std::string owner() const override;

 private:
  using SystemClock = std::chrono::system_clock;
  struct Token {
    std::string text;
    SystemClock::time_point renew_at, expires_at;  // the epoch: not known, so it is used once
  };
  Token request(const Context& ctx);
  Token parsed(std::string_view answer, SystemClock::time_point asked_at) const;

  const OidcSettings settings_;
  mutable std::mutex mutex_;
  // guarded by mutex_, which is held while the provider is asked: others wait for the same token
  Token token_;
  std::string client_id_;
};

}  // namespace kb::kafka
