#include "net/tls_stream.h"

#include <array>
#include <utility>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace kb {
namespace {

constexpr std::size_t read_buffer_bytes = 128 * 1024;  // several records, of at most 16 KiB, with one call
constexpr std::size_t write_buffer_bytes = 256 * 1024;

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

std::string take(BIO* memory) {
  char* text = nullptr;
  auto length = BIO_get_mem_data(memory, &text);
  std::string out(text, static_cast<std::size_t>(length));
  BIO_free(memory);
  return out;
}

std::string to_text(const X509_NAME* name) {
  BIO* memory = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(memory, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  return take(memory);
}

std::string to_text(const ASN1_TIME* time) {
  BIO* memory = BIO_new(BIO_s_mem());
  ASN1_TIME_print(memory, time);
  return take(memory);
}

// "DNS:broker-1, IP Address:10.0.0.1"; empty when there are none.
std::string alternative_names(const X509* certificate) {
  int index = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (index < 0) return {};
  BIO* memory = BIO_new(BIO_s_mem());
  X509V3_EXT_print(memory, X509_get_ext(certificate, index), 0, 0);
  return take(memory);
}

// Content types of RFC 8446 section 5.1: alert, handshake.
bool begins_record(char first) {
  return first == 21 || first == 22;
}

// RFC 8446 section 6.2.
Error error_of_alert(int alert, bool with_certificate) {
  const auto said = fmt::format("the peer's TLS alert says: {}", SSL_alert_desc_string_long(alert));
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_HANDSHAKE_FAILURE:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      if (with_certificate)
        return {ErrorKind::denied, fmt::format("our client certificate is refused: {}", said)};
      return {ErrorKind::denied, fmt::format("a client certificate is wanted, and there is none: {}", said),
              "name one in spec.kafkaCluster.tlsSecret, by certKey and keyKey"};
    case SSL_AD_PROTOCOL_VERSION:
      return {ErrorKind::invalid, fmt::format("no version of TLS in common, from 1.2 on: {}", said)};
  }
  return {ErrorKind::unavailable, said};
}

TlsStream* stream_of(BIO* bio) {
  return static_cast<TlsStream*>(BIO_get_data(bio));
}

}  // namespace

BIO_METHOD* TlsStream::bio_method() {
  static auto* method = [] {
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ByteStream");
    CHECK(made != nullptr);
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

TlsStream::TlsStream(SSL_CTX* context, std::unique_ptr<ByteStream> stream)
    : stream_(std::move(stream)), ssl_(SSL_new(context)) {
  CHECK(ssl_ != nullptr);
  auto* bio = BIO_new(bio_method());
  CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_read_ahead(ssl_.get(), 1);
  SSL_set_default_read_buffer_len(ssl_.get(), read_buffer_bytes);
}

// Without a farewell: it could block, and the protocol above has lengths of its own.
TlsStream::~TlsStream() = default;

template <class Action>
bool TlsStream::kept(Action action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    broken_ = error;
    return false;
  }
}

int TlsStream::bio_read(BIO* bio, char* out, std::size_t size, std::size_t* read) {
  auto& self = *stream_of(bio);
  *read = 0;
  if (self.broken_ || self.finished_) return 0;
  self.kept([&] {
    self.flush();
    *read = self.stream_->read_some(*self.ctx_, {out, size});
  });
  if (*read > 0 && self.peer_ == Peer::silent) self.peer_ = begins_record(out[0]) ? Peer::tls : Peer::not_tls;
  self.finished_ = *read == 0 && !self.broken_;
  return *read > 0 ? 1 : 0;
}

int TlsStream::bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
  auto& self = *stream_of(bio);
  *written = 0;
  if (self.broken_) return 0;
  self.outgoing_.append(bytes, size);
  if (self.outgoing_.size() >= write_buffer_bytes && !self.kept([&] { self.flush(); })) return 0;
  *written = size;
  return 1;
}

long TlsStream::bio_control(BIO* bio, int command, long, void*) {
  auto& self = *stream_of(bio);
  if (command == BIO_CTRL_EOF) return self.finished_ ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;  // flush() is called where an operation ends
}

// The first reason is the one that is told.
int TlsStream::on_verify(int accepted, X509_STORE_CTX* store) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& refusal = static_cast<TlsStream*>(SSL_get_app_data(ssl))->refusal_;
  if (accepted == 1 || refusal.code != 0) return accepted;
  refusal.code = X509_STORE_CTX_get_error(store);
  const auto* certificate = X509_STORE_CTX_get_current_cert(store);
  if (!certificate) return accepted;
  refusal.subject = to_text(X509_get_subject_name(certificate));
  refusal.issuer = to_text(X509_get_issuer_name(certificate));
  refusal.names = alternative_names(certificate);
  refusal.not_before = to_text(X509_get0_notBefore(certificate));
  refusal.not_after = to_text(X509_get0_notAfter(certificate));
  return accepted;
}

void TlsStream::begin(const Context& ctx) {
  ctx_ = &ctx;
  ERR_clear_error();
}

void TlsStream::flush() {
  if (outgoing_.empty()) return;
  const std::string_view part = outgoing_;
  stream_->write(*ctx_, {&part, 1});
  outgoing_.clear();
}

// Keeps why an operation failed; the queue of errors is one for all streams of the thread.
bool TlsStream::note(int result) {
  if (result == 1) return true;
  reason_ = ERR_peek_last_error();
  ERR_clear_error();
  return false;
}

bool TlsStream::handshake(const Context& ctx, const std::string& host) {
  begin(ctx);
  if (is_address(host)) {
    CHECK(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str()) == 1);
  } else if (!host.empty()) {
    SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    CHECK(SSL_set1_host(ssl_.get(), host.c_str()) == 1);
    CHECK(SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) == 1);
  }
  if (!host.empty()) SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, on_verify);
  bool done = note(SSL_connect(ssl_.get()));
  // The last message of ours, or the alert that says why we refuse.
  bool sent = kept([&] { flush(); });
  return done && sent;
}

std::size_t TlsStream::read_some(const Context& ctx, std::span<char> out) {
  begin(ctx);
  std::size_t read = 0;
  int result = SSL_read_ex(ssl_.get(), out.data(), out.size(), &read);
  if (result == 1) return read;
  bool closed = SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN;
  note(result);
  if (closed || (finished_ && !broken_)) return 0;
  throw failure();
}

void TlsStream::write(const Context& ctx, std::span<const std::string_view> parts) {
  begin(ctx);
  bool written = true;
  for (auto part : parts) {
    std::size_t ignored = 0;
    if (part.empty()) continue;
    written = note(SSL_write_ex(ssl_.get(), part.data(), part.size(), &ignored));
    if (!written) break;
  }
  if (written && kept([&] { flush(); })) return;
  look_for_alert();
  throw failure();
}

// Whoever closes a connection says why before; what we write then finds it closed.
void TlsStream::look_for_alert() {
  if (!broken_ || broken_->kind() != ErrorKind::unavailable) return;
  const auto broken = std::exchange(broken_, std::nullopt);
  outgoing_.clear();
  char ignored = 0;
  std::size_t read = 0;
  note(SSL_read_ex(ssl_.get(), &ignored, 1, &read));
  broken_ = alert() ? alert() : broken;
}

std::optional<Error> TlsStream::alert() const {
  const int reason = ERR_GET_REASON(reason_);
  if (ERR_GET_LIB(reason_) != ERR_LIB_SSL || reason <= SSL_AD_REASON_OFFSET) return std::nullopt;
  return error_of_alert(reason - SSL_AD_REASON_OFFSET, SSL_get_certificate(ssl_.get()) != nullptr);
}

Error TlsStream::failure() const {
  if (broken_) return *broken_;
  if (auto told = alert()) return *told;
  if (finished_) return {ErrorKind::unavailable, "the peer closed the connection"};
  const char* text = ERR_reason_error_string(reason_);
  return {ErrorKind::unavailable, fmt::format("TLS failed: {}", text ? text : "unknown reason")};
}

}  // namespace kb
