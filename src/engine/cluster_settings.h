// From the resource's cluster block to the client's settings.
#pragma once
#include <memory>

#include "api/kafka_cluster.h"
#include "base/secret_files.h"
#include "kafka/cluster.h"
#include "kafka/sasl.h"

namespace kb::engine {

// Certificates are read here, and again for each connection; credentials at each login. Throws not_found and
// invalid for what the resource names of them and what is not there or makes no sense.
kafka::ClusterSettings cluster_settings(const api::KafkaCluster& cluster, const SecretFiles& secrets);

// The PEM texts of securityProtocol SSL and SASL_SSL: caSecret wins over tlsSecret.caKey, without both the
// system's CAs are trusted.
TlsMaterial tls_material(const api::KafkaCluster& cluster, const SecretFiles& secrets);

// How to log in; one row for each mechanism.
std::shared_ptr<kafka::SaslMechanism> make_sasl_mechanism(const api::SaslSecret& sasl,
                                                          const SecretFiles& secrets);

}  // namespace kb::engine
