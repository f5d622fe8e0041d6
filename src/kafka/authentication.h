// Who the connections of a run log in as, and what becomes of a login that is refused.
#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "base/rotation_grace.h"
#include "kafka/sasl.h"

namespace kb::kafka {

class Connection;

// Thread-safe; one for all connections that log in with the same secret.
class Authentication {
 public:
  explicit Authentication(std::shared_ptr<SaslMechanism> mechanism) : mechanism_(std::move(mechanism)) {}

  // Makes one login on a connection that has its ApiVersions and nothing in flight. Returns how long the
  // session lasts, zero for ever (KIP-368). Errors name mechanism, principal and broker:
  //   denied       the broker refuses the login, or cannot prove who it is
  //   unavailable  it refuses, but took an earlier login, so that the secret may just be being rotated
  //   invalid      it does not offer the mechanism, or no login at all
  // and what the connection and the mechanism throw. The connection is good for nothing then.
  std::chrono::milliseconds log_in(const Context& ctx, Connection& connection);

 private:
  std::chrono::milliseconds exchange(const Context& ctx, Connection& connection);
  void finish(const Context& ctx, Connection& connection, SaslLogin& login, std::string_view challenge) const;
  void choose_mechanism(const Context& ctx, Connection& connection) const;

  const std::shared_ptr<SaslMechanism> mechanism_;
  RotationGrace grace_;
};

}  // namespace kb::kafka
