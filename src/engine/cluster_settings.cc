#include "engine/cluster_settings.h"

#include "engine/sasl_secret_login.h"
#include "kafka/sasl_password.h"

namespace kb::engine {
namespace {

bool has_tls(api::SecurityProtocol protocol) {
  return protocol == api::SecurityProtocol::ssl || protocol == api::SecurityProtocol::sasl_ssl;
}

bool has_login(api::SecurityProtocol protocol) {
  return protocol == api::SecurityProtocol::sasl_plaintext || protocol == api::SecurityProtocol::sasl_ssl;
}

Pem pem_of(const SecretFiles& secrets, const SecretKey& key) {
  return {secrets.read(key), fmt::format("key {} of Secret {}", key.key, key.secret)};
}

Pem ca_of(const api::KafkaCluster& cluster, const SecretFiles& secrets) {
  if (cluster.ca_secret)
    return pem_of(secrets,
                  {cluster.ca_secret->name, cluster.ca_secret->ca_key, "spec.kafkaCluster.caSecret.caKey"});
  if (!cluster.tls_secret) return {};
  const SecretKey key{cluster.tls_secret->name, cluster.tls_secret->ca_key,
                      "spec.kafkaCluster.tlsSecret.caKey"};
  // A Secret for a client certificate need not have the brokers' CA as well.
  bool may_be_missing = cluster.tls_secret->cert_key && key.key == api::TlsSecret{}.ca_key;
  if (may_be_missing && !secrets.read_if_there(key)) return {};
  return pem_of(secrets, key);
}

// A Secret that Strimzi makes for a user has no user name: it is the Secret's.
std::string username_of(const api::SaslSecret& sasl, const SecretFiles& secrets) {
  const SecretKey key{sasl.name, sasl.username_key, "spec.kafkaCluster.saslSecret.usernameKey"};
  if (key.key != api::SaslSecret{}.username_key) return secrets.read_word(key);
  return secrets.read_word_if_there(key).value_or(sasl.name);
}

kafka::SaslPassword sasl_password(const api::SaslSecret& sasl, const SecretFiles& secrets) {
  return {username_of(sasl, secrets),
          secrets.read_word({sasl.name, sasl.password_key, "spec.kafkaCluster.saslSecret.passwordKey"})};
}

}  // namespace

TlsMaterial tls_material(const api::KafkaCluster& cluster, const SecretFiles& secrets) {
  TlsMaterial material{.ca = ca_of(cluster, secrets)};
  if (const auto& tls = cluster.tls_secret; tls && tls->cert_key && tls->key_key) {
    material.certificate =
        pem_of(secrets, {tls->name, *tls->cert_key, "spec.kafkaCluster.tlsSecret.certKey"});
    material.key = pem_of(secrets, {tls->name, *tls->key_key, "spec.kafkaCluster.tlsSecret.keyKey"});
  }
  return material;
}

std::shared_ptr<kafka::SaslMechanism> make_sasl_mechanism(const api::SaslSecret& sasl,
                                                          const SecretFiles& secrets) {
  auto password = [sasl, secrets] { return sasl_password(sasl, secrets); };
  switch (sasl.mechanism) {
    case api::SaslMechanism::plain:
      return kafka::plain_mechanism(password);
    case api::SaslMechanism::scram_sha_256:
      return kafka::scram_mechanism(kafka::ScramHash::sha_256, password);
    case api::SaslMechanism::scram_sha_512:
      return kafka::scram_mechanism(kafka::ScramHash::sha_512, password);
    case api::SaslMechanism::oauthbearer:
      return oauthbearer_of(sasl, secrets);
    case api::SaslMechanism::aws_msk_iam:
      return msk_iam_of(sasl, secrets);
    case api::SaslMechanism::gssapi:
      return gssapi_of(sasl, secrets);
  }
  fail(ErrorKind::internal, "no such SASL mechanism");
}

kafka::ClusterSettings cluster_settings(const api::KafkaCluster& cluster, const SecretFiles& secrets) {
  kafka::ClusterSettings settings;
  for (const auto& server : cluster.bootstrap_servers)
    settings.bootstrap_servers.push_back(parse_endpoint(server));
  const auto connection = cluster.connection.value_or(api::Connection{});
  settings.connections_per_broker = static_cast<int>(connection.connections_per_broker);
  auto& socket = settings.connection.socket;
  socket.tcp_keepalive = connection.tcp_keepalive;
  socket.keepalive_time = std::chrono::seconds(connection.keepalive_time_secs);
  socket.keepalive_interval = std::chrono::seconds(connection.keepalive_interval_secs);
  socket.tcp_nodelay = connection.tcp_nodelay;
  if (has_tls(cluster.security_protocol))
    settings.connection.tls =
        std::make_shared<TlsClient>([cluster, secrets] { return tls_material(cluster, secrets); });
  if (has_login(cluster.security_protocol) && cluster.sasl_secret)
    settings.connection.authentication =
        std::make_shared<kafka::Authentication>(make_sasl_mechanism(*cluster.sasl_secret, secrets));
  return settings;
}

}  // namespace kb::engine
