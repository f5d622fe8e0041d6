// How to reach a Kafka cluster; shared by all kinds. Source: the CRDs of kafka.oso.sh/v1alpha1.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/sasl_secret.h"
#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

enum class SecurityProtocol { plaintext, ssl, sasl_plaintext, sasl_ssl };
constexpr auto enum_names(SecurityProtocol) {
  return std::array<std::string_view, 4>{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
}
constexpr bool enum_any_case(SecurityProtocol) {
  return true;
}

struct TlsSecret {
  std::string name;
  std::string ca_key = "ca.crt";
  std::optional<std::string> cert_key;
  std::optional<std::string> key_key;

  void fields(auto& f) {
    f.required("name", name, "Secret with PEM files.");
    f("caKey", ca_key, "Key of the CA certificates that the brokers' certificates are checked against.");
    f("certKey", cert_key, "Key of the client certificate, for brokers that ask for one.");
    f("keyKey", key_key, "Key of the client's private key.");
  }
  void check(schema::Check& check) const;
};

struct CaSecret {
  std::string name;
  std::string ca_key = "ca.crt";

  void fields(auto& f) {
    f.required("name", name, "Secret with the CA certificates in PEM.");
    f("caKey", ca_key, "Key in that secret.");
  }
  void check(schema::Check& check) const;
};

struct Connection {
  bool tcp_keepalive = true;
  std::uint64_t keepalive_time_secs = 60;
  std::uint64_t keepalive_interval_secs = 20;
  bool tcp_nodelay = true;
  std::uint64_t connections_per_broker = 4;

  void fields(auto& f) {
    constexpr std::int64_t kernel_max = 32767;  // tcp(7): TCP_KEEPIDLE and TCP_KEEPINTVL
    f("tcpKeepalive", tcp_keepalive, "Let the kernel probe idle connections.");
    f("keepaliveTimeSecs", keepalive_time_secs, "Idle seconds before the first probe.",
      {.min = 1, .max = kernel_max});
    f("keepaliveIntervalSecs", keepalive_interval_secs, "Seconds between probes.",
      {.min = 1, .max = kernel_max});
    f("tcpNodelay", tcp_nodelay, "Send small requests at once.");
    f("connectionsPerBroker", connections_per_broker, "Connections to each broker.", {.min = 1, .max = 1000});
  }
};

struct KafkaCluster {
  std::vector<std::string> bootstrap_servers;
  SecurityProtocol security_protocol = SecurityProtocol::plaintext;
  std::optional<TlsSecret> tls_secret;
  std::optional<CaSecret> ca_secret;
  std::optional<SaslSecret> sasl_secret;
  std::optional<Connection> connection;
  std::optional<std::string> client_rack;

  static constexpr std::array rules{
      schema::Rule{"self.bootstrapServers.size() > 0", "bootstrapServers must not be empty"},
      schema::Rule{"self.securityProtocol.upperAscii() in ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']",
                   "securityProtocol must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"},
  };

  void fields(auto& f) {
    f.required("bootstrapServers", bootstrap_servers, "Brokers to ask first, each `host:port`.",
               {.non_empty = true});
    f("securityProtocol", security_protocol, "Encryption and login; upper and lower case are the same.");
    f("tlsSecret", tls_secret, "Certificates for SSL and SASL_SSL; the system's CAs when there is none.");
    f("caSecret", ca_secret, "CA certificates; wins over `tlsSecret.caKey`.");
    f("saslSecret", sasl_secret, "Login for SASL_PLAINTEXT and SASL_SSL.");
    f("connection", connection, "TCP settings.");
    f("clientRack", client_rack,
      "KafkaBackup: read from the replica in this rack (`broker.rack`) where brokers allow it "
      "(`replica.selector.class`), else from leaders.");
  }
  void check(schema::Check& check) const;
};

}  // namespace kb::api
