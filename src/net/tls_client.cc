#include "net/tls_client.h"

#include <algorithm>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/cut_text.h"
#include "base/error.h"
#include "base/log.h"
#include "net/tls_stream.h"

namespace kb {
namespace {

constexpr std::size_t names_shown_max = 400;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

std::unique_ptr<BIO, FreeBio> reader_of(const Pem& pem) {
  std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.text.data(), static_cast<int>(pem.text.size())));
  CHECK(bio != nullptr);
  return bio;
}

// OpenSSL would ask a terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

// OpenSSL's reason, which names no content.
std::string reason() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return text ? text : "unknown reason";
}

std::vector<Certificate> certificates_of(const Pem& pem) {
  ERR_clear_error();
  auto reader = reader_of(pem);
  std::vector<Certificate> all;
  while (auto* certificate = PEM_read_bio_X509(reader.get(), nullptr, no_passphrase, nullptr))
    all.emplace_back(certificate);
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end) fail(ErrorKind::invalid, "{} has a certificate that cannot be read: {}", pem.origin, reason());
  ERR_clear_error();
  if (all.empty()) fail(ErrorKind::invalid, "{} has no certificate in PEM", pem.origin);
  return all;
}

void trust(SSL_CTX* context, const Pem& ca) {
  if (ca.text.empty()) {
    CHECK(SSL_CTX_set_default_verify_paths(context) == 1);
    return;
  }
  auto* store = SSL_CTX_get_cert_store(context);
  for (const auto& certificate : certificates_of(ca))
    CHECK(X509_STORE_add_cert(store, certificate.get()) == 1);
  // What is named here is trusted itself, root or not.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
}

void show_ourselves(SSL_CTX* context, const TlsMaterial& material) {
  if (material.certificate.text.empty()) return;
  auto chain = certificates_of(material.certificate);
  auto refuse = [&](const Pem& pem) {
    fail(ErrorKind::invalid, "{} cannot be used: {}", pem.origin, reason());
  };
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) refuse(material.certificate);
  for (std::size_t i = 1; i < chain.size(); ++i) CHECK(SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1);
  std::unique_ptr<EVP_PKEY, FreeKey> key(
      PEM_read_bio_PrivateKey(reader_of(material.key).get(), nullptr, no_passphrase, nullptr));
  if (!key)
    throw Error(ErrorKind::invalid,
                fmt::format("{} is no private key that can be read: {}", material.key.origin, reason()),
                "it has to be PEM and without a passphrase");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    throw Error(ErrorKind::invalid, fmt::format("{} is not the key of the certificate in {}",
                                                material.key.origin, material.certificate.origin));
}

std::shared_ptr<SSL_CTX> new_context() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  CHECK(context != nullptr && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

std::shared_ptr<SSL_CTX> build(const TlsMaterial& material) {
  auto context = new_context();
  trust(context.get(), material.ca);
  show_ourselves(context.get(), material);
  return context;
}

bool unknown_ca(int code) {
  constexpr int codes[] = {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
                           X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                           X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
                           X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
                           X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
                           X509_V_ERR_CERT_SIGNATURE_FAILURE,
                           X509_V_ERR_CERT_UNTRUSTED};
  return std::ranges::find(codes, code) != std::end(codes);
}

// A certificate's own words, as they may go into a line of text.
std::string shown(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return cut_text(text, names_shown_max);
}

Error untrusted(const TlsRefusal& refusal, const std::string& host, const Pem& ca,
                ErrorKind kind_of_unknown_ca) {
  const auto subject = shown(refusal.subject);
  if (unknown_ca(refusal.code))
    return {
        kind_of_unknown_ca,
        fmt::format("the certificate of '{}' is not trusted: its issuer '{}' is none of {}", subject,
                    shown(refusal.issuer), ca.text.empty() ? "the system's CAs" : "the CAs in " + ca.origin),
        "spec.kafkaCluster.caSecret, or caKey of tlsSecret, has to hold the CA that signed the brokers' "
        "certificates"};
  switch (refusal.code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {ErrorKind::denied,
              fmt::format("the certificate is not for '{}', but for {}", host,
                          refusal.names.empty() ? subject : shown(refusal.names)),
              "brokers have to be named as in their certificates, by bootstrapServers and by their "
              "advertised.listeners"};
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {ErrorKind::denied,
              fmt::format("the certificate of '{}' expired on {}", subject, refusal.not_after)};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {ErrorKind::denied,
              fmt::format("the certificate of '{}' is not valid before {}", subject, refusal.not_before)};
  }
  return {ErrorKind::denied, fmt::format("the certificate of '{}' is not trusted: {}", subject,
                                         X509_verify_cert_error_string(refusal.code))};
}

std::string without_dot(std::string host) {
  if (host.ends_with('.')) host.pop_back();
  return host;
}

}  // namespace

TlsClient::TlsClient(Load load) : load_(std::move(load)), material_(load_()), context_(build(material_)) {}

std::shared_ptr<SSL_CTX> TlsClient::context() {
  std::lock_guard lock(mutex_);
  try {
    if (auto material = load_(); material != material_) {
      context_ = build(material);
      material_ = std::move(material);
      LOG_INFO("the certificates for TLS were renewed");
    }
  } catch (const Error& error) {
    LOG_WARN("certificates for TLS cannot be loaded, the old ones stay: {}", error.what());
  }
  return context_;
}

std::unique_ptr<ByteStream> TlsClient::handshake(const Context& ctx, std::unique_ptr<ByteStream> stream,
                                                 const Endpoint& endpoint) {
  const auto host = without_dot(endpoint.host);
  // A broker may advertise anything, and without a name nothing would be verified.
  if (host.empty())
    fail(ErrorKind::denied, "TLS with {}: there is no certificate for a host without a name",
         to_string(endpoint));
  auto tls = std::make_unique<TlsStream>(context().get(), std::move(stream));
  if (tls->handshake(ctx, host)) {
    grace_.accepted();
    return tls;
  }
  const auto doing = fmt::format("TLS with {}", to_string(endpoint));
  if (auto code = tls->refusal().code; code != 0) {
    auto kind = unknown_ca(code) ? grace_.refused() : ErrorKind::denied;
    std::lock_guard lock(mutex_);
    throw untrusted(tls->refusal(), host, material_.ca, kind).while_doing(doing);
  }
  if (tls->peer() == TlsStream::Peer::not_tls)
    throw Error(ErrorKind::invalid,
                fmt::format("{}: it answers in plain text: this listener has no TLS", doing),
                "check port and spec.kafkaCluster.securityProtocol");
  throw tls->failure().while_doing(doing);
}

bool answers_in_tls(const Context& ctx, std::unique_ptr<ByteStream> stream) {
  TlsStream tls(new_context().get(), std::move(stream));
  tls.handshake(ctx, "");
  return tls.peer() == TlsStream::Peer::tls;
}

}  // namespace kb
