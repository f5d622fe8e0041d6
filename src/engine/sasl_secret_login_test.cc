#include "engine/sasl_secret_login.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/temporary_directory.h"
#include "engine/cluster_settings.h"

#include <doctest/doctest.h>

namespace kb::engine {
namespace {

struct Secrets {
  TemporaryDirectory folder;
  SecretFiles files{folder.path()};

  void put(const std::string& key, const std::string& text) {
    std::filesystem::create_directories(folder.path_of("login"));
    std::ofstream(folder.path_of("login/" + key)) << text;
  }
  std::string first_message(const api::SaslSecret& sasl, const std::string& host = "broker") {
    return make_sasl_mechanism(sasl, files)->begin({}, {host, 9093})->respond({}, "");
  }
  std::string error(const api::SaslSecret& sasl) {
    try {
      first_message(sasl);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
};

bool has(const std::string& text, std::string_view piece) {
  return text.find(piece) != std::string::npos;
}

TEST_CASE("oauth.tokenKey is a token of the Secret, oauth.tokenFile that of any file") {
  Secrets secrets;
  secrets.put("jwt", "first\n");
  secrets.put("projected", "second");
  api::SaslSecret sasl{.name = "login", .mechanism = api::SaslMechanism::oauthbearer};
  sasl.oauth = api::SaslOauth{.token_key = "jwt"};
  CHECK(has(secrets.first_message(sasl), "auth=Bearer first\x01"));
  sasl.oauth = api::SaslOauth{.token_file = secrets.folder.path_of("login/projected")};
  CHECK(has(secrets.first_message(sasl), "auth=Bearer second\x01"));
  sasl.oauth = api::SaslOauth{.token_key = "missing"};
  CHECK(has(secrets.error(sasl), "spec.kafkaCluster.saslSecret.oauth.tokenKey"));
}

TEST_CASE("oauth.tokenEndpoint needs id and secret of the client, and oauth.caKey where it is named") {
  Secrets secrets;
  api::SaslSecret sasl{.name = "login", .mechanism = api::SaslMechanism::oauthbearer};
  sasl.oauth = api::SaslOauth{.token_endpoint = "https://127.0.0.1:1/token", .ca_key = "root.pem"};
  CHECK(has(secrets.error(sasl), "spec.kafkaCluster.saslSecret.usernameKey"));
  secrets.put("username", "backup");
  CHECK(has(secrets.error(sasl), "spec.kafkaCluster.saslSecret.passwordKey"));
  secrets.put("password", "geheim");
  CHECK(has(secrets.error(sasl), "spec.kafkaCluster.saslSecret.oauth.caKey"));
  secrets.put("root.pem", "no certificate");
  CHECK(has(secrets.error(sasl), "asking https://127.0.0.1:1/token for a token of 'backup'"));
}

TEST_CASE("aws.region and aws.sessionTokenKey are in what is signed") {
  Secrets secrets;
  secrets.put("id", "AKIDEXAMPLE\n");
  secrets.put("password", "geheim");
  secrets.put("session", "temporary\n");
  api::SaslSecret sasl{.name = "login", .mechanism = api::SaslMechanism::aws_msk_iam, .username_key = "id"};
  CHECK(has(secrets.first_message(sasl, "b-1.x.kafka.eu-west-1.amazonaws.com"), "/eu-west-1/kafka-cluster/"));
  sasl.aws = api::SaslAws{.region = "eu-central-2", .session_token_key = "session"};
  const auto message = secrets.first_message(sasl);
  CHECK(has(message, "AKIDEXAMPLE/"));
  CHECK(has(message, "/eu-central-2/kafka-cluster/"));
  CHECK(has(message, "\"x-amz-security-token\":\"temporary\""));
  CHECK(!has(message, "geheim"));
}

TEST_CASE("kerberos.principal logs in by kerberos.keytabKey, as kerberos.configKey says") {
  Secrets secrets;
  api::KafkaCluster cluster;
  cluster.sasl_secret = api::SaslSecret{.name = "login", .mechanism = api::SaslMechanism::gssapi};
  auto& sasl = *cluster.sasl_secret;
  sasl.kerberos =
      api::SaslKerberos{.principal = "backup", .keytab_key = "own.keytab", .config_key = "own.conf"};
  prepare_process(cluster, secrets.files);
  CHECK(std::string(std::getenv("KRB5_CONFIG")) == secrets.folder.path_of("login/own.conf"));
  CHECK(make_sasl_mechanism(sasl, secrets.files)->principal() == "backup");
  CHECK(has(secrets.error(sasl), "spec.kafkaCluster.saslSecret.kerberos.configKey"));
  secrets.put("own.conf", "[libdefaults]\n default_realm = OWN.REALM\n dns_lookup_kdc = false\n");
  CHECK(has(secrets.error(sasl), "spec.kafkaCluster.saslSecret.kerberos.keytabKey"));
  secrets.put("own.keytab", "\x05\x02");
  CHECK(has(secrets.error(sasl), "No key table entry found for backup@OWN.REALM"));
  sasl.kerberos->config_key.reset();
  prepare_process(cluster, secrets.files);
}

}  // namespace
}  // namespace kb::engine
