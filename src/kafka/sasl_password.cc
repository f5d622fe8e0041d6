#include "kafka/sasl_password.h"

#include <utility>

#include "base/error.h"
#include "kafka/scram.h"

namespace kb::kafka {
namespace {

// Number of bytes of the UTF-8 sequence that begins with `first`; 0 for what begins none.
std::size_t sequence_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;
}

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    auto length = sequence_length(static_cast<unsigned char>(bytes[0]));
    if (length == 0 || length > bytes.size() || bytes[0] == '\0') return false;
    for (char byte : bytes.substr(1, length - 1))
      if ((static_cast<unsigned char>(byte) & 0xc0) != 0x80) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

// RFC 4616: one message, nothing to prove for the broker.
class PlainLogin final : public SaslLogin {
 public:
  explicit PlainLogin(SaslPassword user) : user_(std::move(user)) {}
  std::string respond(const Context&, std::string_view) override {
    std::string message(1, '\0');
    message += user_.username;
    message += '\0';
    message += user_.password;
    return message;
  }
  bool last_sent() const override { return true; }
  void finish(std::string_view) override {}

 private:
  const SaslPassword user_;
};

class ScramLogin final : public SaslLogin {
 public:
  ScramLogin(ScramHash hash, SaslPassword user)
      : scram_(hash, std::move(user.username), std::move(user.password), scram_nonce()) {}
  std::string respond(const Context&, std::string_view challenge) override {
    if (std::exchange(begun_, true)) {
      last_sent_ = true;
      return scram_.final_message(challenge);
    }
    return scram_.first_message();
  }
  bool last_sent() const override { return last_sent_; }
  void finish(std::string_view challenge) override { scram_.check_server(challenge); }

 private:
  ScramClient scram_;
  bool begun_ = false, last_sent_ = false;
};

class Plain final : public PasswordMechanism {
 public:
  explicit Plain(ReadSaslPassword read) : PasswordMechanism("PLAIN", std::move(read)) {}

 private:
  std::unique_ptr<SaslLogin> begin_as(const SaslPassword& user) const override {
    return std::make_unique<PlainLogin>(user);
  }
};

class Scram final : public PasswordMechanism {
 public:
  Scram(ScramHash hash, ReadSaslPassword read)
      : PasswordMechanism(hash == ScramHash::sha_256 ? "SCRAM-SHA-256" : "SCRAM-SHA-512", std::move(read)),
        hash_(hash) {}

 private:
  std::unique_ptr<SaslLogin> begin_as(const SaslPassword& user) const override {
    return std::make_unique<ScramLogin>(hash_, user);
  }
  const ScramHash hash_;
};

}  // namespace

std::string PasswordMechanism::principal() const {
  std::lock_guard lock(mutex_);
  return username_;
}

std::unique_ptr<SaslLogin> PasswordMechanism::begin(const Context&, const Endpoint&) {
  auto user = read_();
  if (!is_text(user.username)) fail(ErrorKind::invalid, "the user name is not a text in UTF-8");
  if (!is_text(user.password))
    fail(ErrorKind::invalid, "the password of user '{}' is not a text in UTF-8", user.username);
  {
    std::lock_guard lock(mutex_);
    username_ = user.username;
  }
  return begin_as(user);
}

std::shared_ptr<SaslMechanism> plain_mechanism(ReadSaslPassword read) {
  return std::make_shared<Plain>(std::move(read));
}

std::shared_ptr<SaslMechanism> scram_mechanism(ScramHash hash, ReadSaslPassword read) {
  return std::make_shared<Scram>(hash, std::move(read));
}

}  // namespace kb::kafka
