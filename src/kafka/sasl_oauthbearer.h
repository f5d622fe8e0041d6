// SASL OAUTHBEARER (RFC 7628; for Kafka KIP-255 and KIP-768): the client shows a token that somebody else
// gave it.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "kafka/sasl.h"

namespace kb::kafka {

// Where tokens come from. Thread-safe.
class BearerTokens {
 public:
  virtual ~BearerTokens() = default;
  virtual std::string token(const Context& ctx) = 0;
  // The broker did not take it: the next one must be another, if there is any.
  virtual void refused(const std::string& token) = 0;
  // Whose tokens they are, when a token does not say it.
  virtual std::string owner() const = 0;
};

// A file that somebody else keeps fresh, as the kubelet does with projected tokens; read at each login.
class TokenFile : public BearerTokens {
 public:
  explicit TokenFile(std::string path) : path_(std::move(path)) {}
  std::string token(const Context& ctx) override;
  void refused(const std::string&) override {}
  std::string owner() const override { return "the token of " + path_; }

 private:
  const std::string path_;
};

// Tokens are base64url or what RFC 6750 section 2.1 allows; throws invalid, naming `where`, never the token.
std::string checked_token(std::string_view text, std::string_view where);

std::shared_ptr<SaslMechanism> oauthbearer_mechanism(std::shared_ptr<BearerTokens> tokens);

}  // namespace kb::kafka
