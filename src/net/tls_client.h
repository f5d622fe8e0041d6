// What is needed to open TLS connections to the servers of one cluster: whom to trust, and who we are.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <openssl/ssl.h>

#include "base/rotation_grace.h"
#include "net/byte_stream.h"
#include "net/endpoint.h"

namespace kb {

// A PEM text (RFC 7468) and where it comes from, for texts.
struct Pem {
  std::string text, origin;
  bool operator==(const Pem&) const = default;
};

struct TlsMaterial {
  Pem ca;                // certificates that are trusted, roots or others; none: the system's
  Pem certificate, key;  // the client's, with what is between it and a root; none: the client has none
  bool operator==(const TlsMaterial&) const = default;
};

// Thread-safe. TLS 1.2 or newer; the server's certificate is always verified, and always for the host that
// was asked for.
class TlsClient {
 public:
  using Load = std::function<TlsMaterial()>;

  // Loads once, and again for each connection, so that renewed certificates count from the next one on. What
  // cannot be loaded then is logged, and the old one stays. Throws what `load` throws, and invalid for what
  // is not PEM or does not fit together.
  explicit TlsClient(Load load);

  // Errors name the endpoint:
  //   denied       the certificate is not trusted, is not the host's, or not valid now; or ours is refused
  //   unavailable  its CA is unknown, but another connection was trusted before: the CA may just be being
  //                rotated; or the connection broke, or was closed without a word
  //   invalid      what answers is no TLS
  std::unique_ptr<ByteStream> handshake(const Context& ctx, std::unique_ptr<ByteStream> stream,
                                        const Endpoint& endpoint);

 private:
  std::shared_ptr<SSL_CTX> context();

  const Load load_;
  RotationGrace grace_;
  std::mutex mutex_;
  // guarded by mutex_
  TlsMaterial material_;
  std::shared_ptr<SSL_CTX> context_;
};

// Whether the peer answers the beginning of a TLS handshake in TLS; trusts nobody, proves nothing.
bool answers_in_tls(const Context& ctx, std::unique_ptr<ByteStream> stream);

}  // namespace kb
