// SASL GSSAPI (RFC 4752) by libsasl2 with Kerberos: each broker is known to the KDC as SERVICE/HOST, by the
// name that is connected to. No security layer is negotiated, as Kafka wants it: encryption is TLS's business
// (https://www.cyrusimap.org/sasl/).
#pragma once
#include <memory>
#include <string>

#include "kafka/kerberos.h"
#include "kafka/sasl.h"

namespace kb::kafka {

// `service` is the first part of the brokers' principals, sasl.kerberos.service.name of Kafka. Throws
// internal when libsasl2 or its plug-in is not there.
std::shared_ptr<SaslMechanism> gssapi_mechanism(KerberosSettings settings, std::string service);

}  // namespace kb::kafka
