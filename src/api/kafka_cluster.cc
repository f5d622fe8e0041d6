#include "api/kafka_cluster.h"

#include "api/name_checks.h"
#include "api/names.h"

namespace kb::api {
namespace {

// A secret that no protocol uses is a protocol that was forgotten, more often than not: nothing is sent in
// plain text that somebody believes to be encrypted.
void check_secrets_fit(schema::Check& check, const KafkaCluster& cluster) {
  using enum SecurityProtocol;
  const auto security_protocol = cluster.security_protocol;
  const auto protocol = schema::name_of(security_protocol);
  const bool login = security_protocol == sasl_plaintext || security_protocol == sasl_ssl;
  const bool tls = security_protocol == ssl || security_protocol == sasl_ssl;
  if (login && !cluster.sasl_secret)
    check.problem("saslSecret", "is required by securityProtocol {}", protocol);
  if (!login && cluster.sasl_secret)
    check.problem("saslSecret",
                  "is not used with securityProtocol {}: say SASL_SSL or SASL_PLAINTEXT, or leave it out",
                  protocol);
  if (!tls && cluster.tls_secret)
    check.problem("tlsSecret", "is not used with securityProtocol {}: say SSL or SASL_SSL, or leave it out",
                  protocol);
  if (!tls && cluster.ca_secret)
    check.problem("caSecret", "is not used with securityProtocol {}: say SSL or SASL_SSL, or leave it out",
                  protocol);
}

}  // namespace

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

void KafkaCluster::check(schema::Check& check) const {
  for (std::size_t i = 0; i < bootstrap_servers.size(); ++i) {
    const std::string& server = bootstrap_servers[i];
    if (!is_host_and_port(server))
      check.problem(fmt::format("bootstrapServers[{}]", i), "must be host:port, not '{}'", server);
  }
  check_secrets_fit(check, *this);
}

}  // namespace kb::api
