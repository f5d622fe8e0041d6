// Mechanisms that know a user by name and password: PLAIN (RFC 4616), SCRAM-SHA-256 and SCRAM-SHA-512
// (RFC 5802, RFC 7677).
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "kafka/sasl.h"

namespace kb::kafka {

struct SaslPassword {
  std::string username, password;
};
// Called at each login, from any thread.
using ReadSaslPassword = std::function<SaslPassword()>;

// Refuses what is not UTF-8 or has a NUL: invalid, without showing it. Kafka's brokers and clients compare
// names and passwords as bytes and do not prepare them (RFC 4013), and neither does this.
class PasswordMechanism : public SaslMechanism {
 public:
  PasswordMechanism(std::string_view name, ReadSaslPassword read) : name_(name), read_(std::move(read)) {}
  std::string_view name() const override { return name_; }
  std::string principal() const override;
  std::unique_ptr<SaslLogin> begin(const Context& ctx, const Endpoint& broker) override;

 private:
  virtual std::unique_ptr<SaslLogin> begin_as(const SaslPassword& user) const = 0;

  const std::string_view name_;
  const ReadSaslPassword read_;
  mutable std::mutex mutex_;
  std::string username_;  // guarded by mutex_
};

enum class ScramHash { sha_256, sha_512 };

std::shared_ptr<SaslMechanism> plain_mechanism(ReadSaslPassword read);
std::shared_ptr<SaslMechanism> scram_mechanism(ScramHash hash, ReadSaslPassword read);

}  // namespace kb::kafka
