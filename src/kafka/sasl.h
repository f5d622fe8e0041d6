// Logging in to a broker by SASL (RFC 4422). The messages travel as KIP-152 says: SaslHandshake names the
// mechanism, each SaslAuthenticate carries one message of the client and brings one of the broker. Which
// messages, the mechanism knows; it does no input or output of its own but for reading its credentials.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/context.h"
#include "net/endpoint.h"

namespace kb::kafka {

// One login on one connection. Owned by one thread.
class SaslLogin {
 public:
  virtual ~SaslLogin() = default;
  // The client's next message; `challenge` is the broker's last one, empty at the first call. Throws denied
  // when the broker cannot prove that it knows the secret, too.
  virtual std::string respond(const Context& ctx, std::string_view challenge) = 0;
  // True when the message that respond() gave last is the client's last; the broker's answer to it goes to
  // finish().
  virtual bool last_sent() const = 0;
  // Checks the broker's last message.
  virtual void finish(std::string_view challenge) = 0;
  // What the broker is still told after finish() has thrown, so that it ends the login as well; empty:
  // nothing.
  virtual std::string farewell() const { return {}; }
};

// Thread-safe; shared by all connections of a run.
class SaslMechanism {
 public:
  virtual ~SaslMechanism() = default;
  virtual std::string_view name() const = 0;  // as the broker knows it: "SCRAM-SHA-512"
  // Who logs in, for texts; never a secret. As of the last begin().
  virtual std::string principal() const = 0;
  // Reads the credentials anew, so that a secret that was rotated counts from the next login on. Throws
  // denied or invalid, naming the file that is missing or makes no sense, never its content.
  virtual std::unique_ptr<SaslLogin> begin(const Context& ctx, const Endpoint& broker) = 0;
};

}  // namespace kb::kafka
