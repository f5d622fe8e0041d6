#include "engine/sasl_secret_login.h"

#include "kafka/oidc_tokens.h"
#include "kafka/sasl_gssapi.h"
#include "kafka/sasl_msk_iam.h"

namespace kb::engine {
namespace {

SecretKey key_of(const api::SaslSecret& sasl, const std::string& key, std::string_view field) {
  return {sasl.name, key, fmt::format("spec.kafkaCluster.saslSecret.{}", field)};
}

std::string username_of(const api::SaslSecret& sasl, const SecretFiles& secrets) {
  return secrets.read_word(key_of(sasl, sasl.username_key, "usernameKey"));
}

std::string password_of(const api::SaslSecret& sasl, const SecretFiles& secrets) {
  return secrets.read_word(key_of(sasl, sasl.password_key, "passwordKey"));
}

// A token that somebody puts into the secret.
class SecretToken : public kafka::BearerTokens {
 public:
  SecretToken(SecretKey key, SecretFiles secrets) : key_(std::move(key)), secrets_(std::move(secrets)) {}
  std::string token(const Context&) override { return kafka::checked_token(secrets_.read(key_), owner()); }
  void refused(const std::string&) override {}
  std::string owner() const override { return fmt::format("key {} of Secret {}", key_.key, key_.secret); }

 private:
  const SecretKey key_;
  const SecretFiles secrets_;
};

SecretKey config_key(const api::SaslSecret& sasl) {
  return key_of(sasl, sasl.kerberos->config_key.value_or(""), "kerberos.configKey");
}

}  // namespace

std::shared_ptr<kafka::SaslMechanism> oauthbearer_of(const api::SaslSecret& sasl,
                                                     const SecretFiles& secrets) {
  const auto oauth = sasl.oauth.value_or(api::SaslOauth{});
  if (oauth.token_file)
    return kafka::oauthbearer_mechanism(std::make_shared<kafka::TokenFile>(*oauth.token_file));
  if (oauth.token_key)
    return kafka::oauthbearer_mechanism(
        std::make_shared<SecretToken>(key_of(sasl, *oauth.token_key, "oauth.tokenKey"), secrets));
  auto read_client = [=] {
    kafka::OidcClient client{username_of(sasl, secrets), password_of(sasl, secrets), {}};
    if (oauth.ca_key) client.ca_pem = secrets.read(key_of(sasl, *oauth.ca_key, "oauth.caKey"));
    return client;
  };
  kafka::OidcSettings settings{.token_endpoint = oauth.token_endpoint.value_or(""),
                               .scope = oauth.scope.value_or(""),
                               .read_client = std::move(read_client)};
  return kafka::oauthbearer_mechanism(std::make_shared<kafka::OidcTokens>(std::move(settings)));
}

std::shared_ptr<kafka::SaslMechanism> msk_iam_of(const api::SaslSecret& sasl, const SecretFiles& secrets) {
  const auto aws = sasl.aws.value_or(api::SaslAws{});
  auto read = [=](const Context&) {
    AwsCredentials credentials{username_of(sasl, secrets), password_of(sasl, secrets), {}};
    if (aws.session_token_key)
      credentials.session_token =
          secrets.read_word(key_of(sasl, *aws.session_token_key, "aws.sessionTokenKey"));
    return credentials;
  };
  return kafka::msk_iam_mechanism(std::move(read), aws.region);
}

std::shared_ptr<kafka::SaslMechanism> gssapi_of(const api::SaslSecret& sasl, const SecretFiles& secrets) {
  const auto kerberos = sasl.kerberos.value_or(api::SaslKerberos{});
  const auto keytab = key_of(sasl, kerberos.keytab_key, "kerberos.keytabKey");
  kafka::KerberosSettings settings{.principal = kerberos.principal,
                                   .read_keytab = [=] { return secrets.read(keytab); },
                                   .keytab_path = secrets.path(keytab)};
  if (kerberos.config_key) {
    settings.read_config = [=] { return secrets.read(config_key(sasl)); };
    settings.config_path = secrets.path(config_key(sasl));
  }
  return kafka::gssapi_mechanism(std::move(settings), kerberos.service_name);
}

void prepare_process(const api::KafkaCluster& cluster, const SecretFiles& secrets) {
  const auto& sasl = cluster.sasl_secret;
  if (!sasl || sasl->mechanism != api::SaslMechanism::gssapi || !sasl->kerberos) return;
  kafka::use_kerberos_config(sasl->kerberos->config_key ? secrets.path(config_key(*sasl)) : "");
}

}  // namespace kb::engine
