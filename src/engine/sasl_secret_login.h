// Mechanisms that need more of a resource's saslSecret than a user name and a password.
#pragma once
#include <memory>

#include "api/kafka_cluster.h"
#include "base/secret_files.h"
#include "kafka/sasl.h"

namespace kb::engine {

// Secrets are read at each login, or when a new token is needed; so it is then that what is missing is
// noticed.
std::shared_ptr<kafka::SaslMechanism> oauthbearer_of(const api::SaslSecret& sasl, const SecretFiles& secrets);
std::shared_ptr<kafka::SaslMechanism> msk_iam_of(const api::SaslSecret& sasl, const SecretFiles& secrets);
std::shared_ptr<kafka::SaslMechanism> gssapi_of(const api::SaslSecret& sasl, const SecretFiles& secrets);

// What a login changes in the environment of the process (krb5.conf). Call it before the run of a resource,
// while no other thread runs but that of StopOnSignal.
void prepare_process(const api::KafkaCluster& cluster, const SecretFiles& secrets);

}  // namespace kb::engine
