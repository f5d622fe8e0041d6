#include "api/kafka_cluster.h"

#include "api/name_checks.h"
#include "api/names.h"

namespace kb::api {

void TlsSecret::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "caKey", ca_key);
  if (cert_key) check_secret_key(check, "certKey", *cert_key);
  if (key_key) check_secret_key(check, "keyKey", *key_key);
  if (cert_key && !key_key) check.problem("keyKey", "is required together with certKey");
  if (key_key && !cert_key) check.problem("certKey", "is required together with keyKey");
}

void CaSecret::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "caKey", ca_key);
}

void SaslSecret::check(schema::Check& check) const {
  check_object_name(check, "name", name);
  check_secret_key(check, "usernameKey", username_key);
  check_secret_key(check, "passwordKey", password_key);
}

void KafkaCluster::check(schema::Check& check) const {
  for (std::size_t i = 0; i < bootstrap_servers.size(); ++i) {
    const std::string& server = bootstrap_servers[i];
    if (!is_host_and_port(server))
      check.problem(fmt::format("bootstrapServers[{}]", i), "must be host:port, not '{}'", server);
  }
  bool sasl = security_protocol == SecurityProtocol::sasl_plaintext ||
              security_protocol == SecurityProtocol::sasl_ssl;
  if (sasl && !sasl_secret)
    check.problem("saslSecret", "is required by securityProtocol {}", schema::name_of(security_protocol));
}

}  // namespace kb::api
