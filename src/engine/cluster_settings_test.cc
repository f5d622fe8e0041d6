#include "engine/cluster_settings.h"

#include <filesystem>
#include <fstream>

#include "base/failure_of.h"
#include "base/temporary_directory.h"

#include <doctest/doctest.h>

namespace kb::engine {
namespace {

TEST_CASE("spec.kafkaCluster says which brokers are asked first and how connections are") {
  api::KafkaCluster cluster{.bootstrap_servers = {"one:9092", "[::1]:9093"}};
  auto settings = cluster_settings(cluster, {});
  REQUIRE(settings.bootstrap_servers.size() == 2);
  CHECK(settings.bootstrap_servers[1].host == "::1");
  CHECK(settings.bootstrap_servers[1].port == 9093);
  CHECK(settings.connections_per_broker == 4);
  CHECK(settings.connection.socket.tcp_keepalive);
  CHECK(settings.connection.socket.tcp_nodelay);
  cluster.connection = api::Connection{.tcp_keepalive = false,
                                       .keepalive_time_secs = 7,
                                       .keepalive_interval_secs = 3,
                                       .tcp_nodelay = false,
                                       .connections_per_broker = 9};
  settings = cluster_settings(cluster, {});
  CHECK(!settings.connection.socket.tcp_keepalive);
  CHECK(settings.connection.socket.keepalive_time == std::chrono::seconds(7));
  CHECK(settings.connection.socket.keepalive_interval == std::chrono::seconds(3));
  CHECK(!settings.connection.socket.tcp_nodelay);
  CHECK(settings.connections_per_broker == 9);
}

// A folder of secrets as Kubernetes mounts them; every file holds "<secret>/<key>" unless said otherwise.
struct Secrets {
  TemporaryDirectory folder;
  SecretFiles files{folder.path()};

  void put(const std::string& secret, const std::string& key, std::string text = {}) {
    std::filesystem::create_directories(folder.path_of(secret));
    std::ofstream(folder.path_of(secret + "/" + key)) << (text.empty() ? secret + "/" + key : text);
  }
};

TEST_CASE("caSecret wins over tlsSecret.caKey, and without both the system's CAs are trusted") {
  Secrets secrets;
  secrets.put("kafka-tls", "ca.crt");
  secrets.put("kafka-tls", "other.crt");
  secrets.put("kafka-ca", "ca.crt");
  secrets.put("kafka-ca", "root.pem");
  api::KafkaCluster cluster{.security_protocol = api::SecurityProtocol::ssl};
  CHECK(tls_material(cluster, secrets.files) == TlsMaterial{});
  cluster.tls_secret = api::TlsSecret{.name = "kafka-tls"};
  CHECK(tls_material(cluster, secrets.files).ca.text == "kafka-tls/ca.crt");
  cluster.tls_secret->ca_key = "other.crt";
  CHECK(tls_material(cluster, secrets.files).ca.text == "kafka-tls/other.crt");
  cluster.ca_secret = api::CaSecret{.name = "kafka-ca"};
  CHECK(tls_material(cluster, secrets.files).ca.text == "kafka-ca/ca.crt");
  cluster.ca_secret->ca_key = "root.pem";
  CHECK(tls_material(cluster, secrets.files).ca ==
        Pem{"kafka-ca/root.pem", "key root.pem of Secret kafka-ca"});
  CHECK(tls_material(cluster, secrets.files).certificate.text.empty());
}

TEST_CASE("certKey and keyKey of tlsSecret are who we are; its CA may then be missing") {
  Secrets secrets;
  secrets.put("backup", "user.crt");
  secrets.put("backup", "user.key");
  api::KafkaCluster cluster{.security_protocol = api::SecurityProtocol::ssl};
  cluster.tls_secret = api::TlsSecret{.name = "backup", .cert_key = "user.crt", .key_key = "user.key"};
  auto material = tls_material(cluster, secrets.files);
  CHECK(material.ca.text.empty());
  CHECK(material.certificate.text == "backup/user.crt");
  CHECK(material.key == Pem{"backup/user.key", "key user.key of Secret backup"});
  cluster.tls_secret->ca_key = "named.crt";
  auto error = failure_of([&] { tls_material(cluster, secrets.files); });
  CHECK(error.kind() == ErrorKind::not_found);
  CHECK(std::string(error.what()).find("spec.kafkaCluster.tlsSecret.caKey") != std::string::npos);
  cluster.tls_secret = api::TlsSecret{.name = "backup"};  // nothing else in it is wanted
  CHECK(failure_of([&] { tls_material(cluster, secrets.files); }).kind() == ErrorKind::not_found);
}

TEST_CASE("spec.kafkaCluster.securityProtocol decides over TLS and login") {
  Secrets secrets;
  using enum api::SecurityProtocol;
  api::KafkaCluster cluster;
  cluster.sasl_secret = api::SaslSecret{.name = "login", .mechanism = api::SaslMechanism::plain};
  for (auto protocol : {plaintext, ssl, sasl_plaintext, sasl_ssl}) {
    cluster.security_protocol = protocol;
    auto connection = cluster_settings(cluster, secrets.files).connection;
    CHECK((connection.tls != nullptr) == (protocol == ssl || protocol == sasl_ssl));
    CHECK((connection.authentication != nullptr) == (protocol == sasl_plaintext || protocol == sasl_ssl));
  }
  cluster.security_protocol = ssl;
  cluster.ca_secret = api::CaSecret{.name = "missing"};
  auto error = failure_of([&] { cluster_settings(cluster, secrets.files); });
  CHECK(error.kind() == ErrorKind::not_found);
  CHECK(std::string(error.what()).find("missing/ca.crt") != std::string::npos);
  CHECK(std::string(error.what()).find("spec.kafkaCluster.caSecret.caKey") != std::string::npos);
}

TEST_CASE(
    "saslSecret names mechanism, user and password; a Secret without a user name is named after the user") {
  Secrets secrets;
  secrets.put("login", "password", "first\n");
  const Context ctx;
  api::SaslSecret sasl{.name = "login", .mechanism = api::SaslMechanism::plain};
  auto mechanism = make_sasl_mechanism(sasl, secrets.files);
  auto message = [&] { return mechanism->begin(ctx, {})->respond(ctx, ""); };
  CHECK(message() == std::string("\0login\0first", 12));
  secrets.put("login", "username", "backup\n");
  secrets.put("login", "password", "second");
  CHECK(message() == std::string("\0backup\0second", 14));
  CHECK(mechanism->principal() == "backup");
  sasl.username_key = "user";
  sasl.password_key = "secret";
  mechanism = make_sasl_mechanism(sasl, secrets.files);
  auto error = failure_of(message);
  CHECK(error.kind() == ErrorKind::not_found);
  CHECK(std::string(error.what()).find("spec.kafkaCluster.saslSecret.usernameKey") != std::string::npos);
  secrets.put("login", "user", "third");
  error = failure_of(message);
  CHECK(std::string(error.what()).find("spec.kafkaCluster.saslSecret.passwordKey") != std::string::npos);
  secrets.put("login", "secret", "word");
  CHECK(message() == std::string("\0third\0word", 11));

  for (auto [value, name] : {std::pair(api::SaslMechanism::plain, "PLAIN"),
                             std::pair(api::SaslMechanism::scram_sha_256, "SCRAM-SHA-256"),
                             std::pair(api::SaslMechanism::scram_sha_512, "SCRAM-SHA-512")}) {
    sasl.mechanism = value;
    CHECK(make_sasl_mechanism(sasl, secrets.files)->name() == name);
  }
}

}  // namespace
}  // namespace kb::engine
