// TLS around a ByteStream (RFC 8446, RFC 5246), by OpenSSL. Made by TlsClient.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include <openssl/ssl.h>

#include "base/error.h"
#include "net/byte_stream.h"

namespace kb {

// Why the peer's certificate is not accepted, as noted while it was verified.
struct TlsRefusal {
  int code = 0;  // X509_V_ERR_*; 0: it was accepted
  std::string subject, issuer, names, not_before, not_after;
};

// A ByteStream; what it throws beside: denied when the peer refuses the client's certificate, which in
// TLS 1.3 it says only after the handshake.
class TlsStream final : public ByteStream {
 public:
  TlsStream(SSL_CTX* context, std::unique_ptr<ByteStream> stream);
  ~TlsStream() override;

  // False when it fails: failure() says why. `host` is what the certificate must be for, a name or an
  // address; empty: whoever it is.
  bool handshake(const Context& ctx, const std::string& host);
  std::size_t read_some(const Context& ctx, std::span<char> out) override;
  bool closed_by_peer() const override { return stream_->closed_by_peer(); }
  void write(const Context& ctx, std::span<const std::string_view> parts) override;

  const TlsRefusal& refusal() const { return refusal_; }
  // Of the last operation that failed.
  Error failure() const;
  // Whether the peer's first bytes are TLS, even an alert; not known before it has sent some.
  enum class Peer { silent, tls, not_tls };
  Peer peer() const { return peer_; }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  // What OpenSSL calls to move the encrypted bytes.
  static BIO_METHOD* bio_method();
  static int bio_read(BIO* bio, char* out, std::size_t size, std::size_t* read);
  static int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written);
  static long bio_control(BIO* bio, int command, long, void*);
  static int on_verify(int accepted, X509_STORE_CTX* store);

  void begin(const Context& ctx);
  void flush();
  // Whether action() succeeded; its Error is kept, as none may pass through OpenSSL.
  template <class Action>
  bool kept(Action action);
  bool note(int result);
  void look_for_alert();
  std::optional<Error> alert() const;

  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  const Context* ctx_ = nullptr;  // of the operation that runs
  std::string outgoing_;          // encrypted, not yet written
  std::optional<Error> broken_;   // what the stream below threw
  Peer peer_ = Peer::silent;
  bool finished_ = false;     // the stream below has ended
  unsigned long reason_ = 0;  // OpenSSL's last error
  TlsRefusal refusal_;
};

}  // namespace kb
