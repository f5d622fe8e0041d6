// The client's side of SCRAM without channel binding (RFC 5802; RFC 7677 for SHA-256). Pure but for
// scram_nonce().
#pragma once
#include <string>
#include <string_view>

#include "kafka/sasl_password.h"

namespace kb::kafka {

std::string scram_nonce();  // 192 random bits, printable

// One login; the functions are called once each, in this order.
class ScramClient {
 public:
  ScramClient(ScramHash hash, std::string username, std::string password, std::string nonce);
  std::string first_message() const;
  // What the server's first message is answered with. Throws denied when it is no SCRAM message, when it does
  // not continue our nonce, or asks for fewer iterations than 4096 (whoever pretends to be the broker could
  // guess the password from few) or for more than a minute of work.
  std::string final_message(std::string_view server_first);
  // Throws denied when the server does not prove that it knows the password, or says why it refuses.
  void check_server(std::string_view server_final) const;

 private:
  std::string client_first_bare() const;

  const ScramHash hash_;
  const std::string username_, password_, nonce_;
  std::string server_signature_;
};

}  // namespace kb::kafka
