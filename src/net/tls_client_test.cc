// Against OpenSSL's own server side, with certificates made here. Real brokers: tests/e2e/security.sh.
#include "net/tls_client.h"

#include <csignal>
#include <functional>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/failure_of.h"
#include "net/loopback_listener.h"
#include "net/socket.h"
#include "net/test_certificates.h"
#include "net/tls_stream.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

using namespace std::chrono_literals;

const TestIdentity authority = make_identity({.name = "our CA", .authority = true});
const TestIdentity other_authority = make_identity({.name = "other CA", .authority = true});
const TestIdentity namesake = make_identity({.name = "our CA", .authority = true});
const TestIdentity broker = make_identity({.alternative_names = "DNS:localhost,IP:127.0.0.1"}, &authority);

struct ServerSettings {
  TestIdentity identity = broker;
  const TestIdentity* clients_authority = nullptr;  // a certificate by it is wanted
  int newest_version = TLS1_3_VERSION;
};

// Serves one connection: `talk` gets it once the handshake is done, or has failed on this side only.
class TlsServer {
 public:
  explicit TlsServer(ServerSettings settings = {}, std::function<void(SSL*)> talk = echo)
      : settings_(std::move(settings)), thread_([this, talk = std::move(talk)] { serve(talk); }) {}
  Endpoint endpoint(const std::string& host = "localhost") const { return {host, listener_.endpoint().port}; }
  std::unique_ptr<ByteStream> connect() {
    return connect_tcp(within_a_minute(), listener_.endpoint(), {}, 10s);
  }
  std::string server_name() {
    thread_.join();
    return server_name_;
  }

  static void echo(SSL* ssl) {
    char byte = 0;
    while (SSL_read(ssl, &byte, 1) == 1) SSL_write(ssl, &byte, 1);
  }

 private:
  void serve(const std::function<void(SSL*)>& talk) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to clients that are gone
    Fd fd = listener_.accept();
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);  // so that it speaks what is too old for us
    SSL_CTX_set_max_proto_version(context.get(), settings_.newest_version);
    SSL_CTX_use_certificate(context.get(), settings_.identity.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), settings_.identity.key.get());
    if (settings_.clients_authority) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()),
                          settings_.clients_authority->certificate.get());
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    std::shared_ptr<SSL> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd.get());
    if (SSL_accept(ssl.get()) != 1) return;
    const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    server_name_ = name ? name : "";
    talk(ssl.get());
  }

  LoopbackListener listener_;
  const ServerSettings settings_;
  std::string server_name_;  // of thread_
  std::jthread thread_;
};

TlsMaterial trusting(const TestIdentity& identity) {
  return {.ca = {identity.certificate_pem(), "key ca.crt of Secret kafka-ca"}};
}

TlsMaterial known_as(const TestIdentity& client) {
  auto material = trusting(authority);
  material.certificate = {client.certificate_pem(), "key user.crt of Secret backup"};
  material.key = {client.key_pem(), "key user.key of Secret backup"};
  return material;
}

void write(ByteStream& stream, std::string_view text) {
  stream.write(within_a_minute(), {&text, 1});
}

std::string exchange(ByteStream& stream, std::string_view text) {
  write(stream, text);
  std::string out(text.size(), '\0');
  read_exactly(within_a_minute(), stream, out);
  return out;
}

// What a client that trusts our CA, and asks for localhost, says of a server; after the handshake at the
// latest.
Error refusal_of(TlsServer& server, const TlsMaterial& material, const std::string& host = "localhost") {
  TlsClient client([&] { return material; });
  return failure_of([&] {
    auto stream = client.handshake(within_a_minute(), server.connect(), server.endpoint(host));
    exchange(*stream, "x");
  });
}

bool says(const Error& error, std::string_view piece) {
  bool found = std::string_view(error.what()).find(piece) != std::string_view::npos;
  if (!found) MESSAGE(error.what());
  return found;
}

TEST_CASE("a server whose certificate our CA signed is talked to, and told which name was asked for") {
  for (int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsServer server({.newest_version = version});
    TlsClient client([] { return trusting(authority); });
    auto stream = client.handshake(within_a_minute(), server.connect(), server.endpoint("localhost."));
    CHECK_EQ(exchange(*stream, "hello"), "hello");
    stream.reset();
    CHECK_EQ(server.server_name(), "localhost");
  }
}

TEST_CASE("an address has to be in the certificate as well, and is no server name") {
  TlsServer server;
  TlsClient client([] { return trusting(authority); });
  auto stream = client.handshake(within_a_minute(), server.connect(), server.endpoint("127.0.0.1"));
  CHECK_EQ(exchange(*stream, "hello"), "hello");
  stream.reset();
  CHECK_EQ(server.server_name(), "");
  TlsServer elsewhere;
  auto error = refusal_of(elsewhere, trusting(authority), "127.0.0.2");
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK(says(error, "not for '127.0.0.2', but for DNS:localhost, IP Address:127.0.0.1"));
}

TEST_CASE("a certificate for another name is refused, with both names") {
  TlsServer server;
  auto error = refusal_of(server, trusting(authority), "kafka-0.kafka");
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK(says(error, fmt::format("TLS with kafka-0.kafka:{}: ", server.endpoint().port)));
  CHECK(says(error, "the certificate is not for 'kafka-0.kafka', but for DNS:localhost"));
  CHECK(error.hint().find("advertised.listeners") != std::string::npos);
}

TEST_CASE("a host without a name is refused: nothing could be verified") {
  for (const auto* host : {"", "."}) {
    TlsServer server({.identity = make_identity({.alternative_names = "DNS:localhost"})});
    auto error = refusal_of(server, trusting(authority), host);
    CHECK_EQ(error.kind(), ErrorKind::denied);
    CHECK(says(error, "there is no certificate for a host without a name"));
  }
}

TEST_CASE("a CA that is not ours is refused, also one of the same name") {
  for (const auto* trusted : {&other_authority, &namesake}) {
    TlsServer server;
    auto error = refusal_of(server, trusting(*trusted));
    CHECK_EQ(error.kind(), ErrorKind::denied);
    CHECK(says(error, "its issuer 'CN = our CA' is none of the CAs in key ca.crt of Secret kafka-ca"));
    CHECK(error.hint().find("spec.kafkaCluster.caSecret") != std::string::npos);
  }
  TlsServer server;
  CHECK(says(refusal_of(server, {}), "is none of the system's CAs"));
  TlsServer self_signed({.identity = make_identity({.alternative_names = "DNS:localhost"})});
  CHECK_EQ(refusal_of(self_signed, trusting(authority)).kind(), ErrorKind::denied);
}

TEST_CASE("what is named as CA is trusted, be it a root, an intermediate CA or the certificate itself") {
  const auto between = make_identity({.name = "intermediate", .authority = true}, &authority);
  const auto leaf = make_identity({.alternative_names = "DNS:localhost"}, &between);
  for (const auto* trusted : {&between, &leaf}) {
    TlsServer server({.identity = leaf});
    CHECK(says(refusal_of(server, trusting(*trusted)), "nothing was thrown"));
  }
  TlsServer server({.identity = leaf});
  auto several = trusting(other_authority);
  several.ca.text += "\n# a comment\n" + between.certificate_pem();
  CHECK(says(refusal_of(server, several), "nothing was thrown"));
}

TEST_CASE("a certificate is refused before and after its time") {
  const TestRequest names{.alternative_names = "DNS:localhost"};
  auto expired = names, early = names;
  expired.ends_s = -60;
  early.begins_s = 600;
  TlsServer past({.identity = make_identity(expired, &authority)});
  auto error = refusal_of(past, trusting(authority));
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK(says(error, "the certificate of 'CN = broker' expired on "));
  TlsServer future({.identity = make_identity(early, &authority)});
  error = refusal_of(future, trusting(authority));
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK(says(error, "is not valid before "));
}

TEST_CASE("a server that wants a client certificate gets ours, or says that there is none") {
  const auto user = make_identity({.name = "backup"}, &authority);
  const auto stranger = make_identity({.name = "stranger"}, &other_authority);
  for (int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    const ServerSettings wants{.clients_authority = &authority, .newest_version = version};
    TlsServer mutual(wants);
    CHECK(says(refusal_of(mutual, known_as(user)), "nothing was thrown"));
    TlsServer without(wants);
    auto error = refusal_of(without, trusting(authority));
    CHECK_EQ(error.kind(), ErrorKind::denied);
    CHECK(says(error, "a client certificate is wanted, and there is none"));
    CHECK(error.hint().find("spec.kafkaCluster.tlsSecret") != std::string::npos);
    TlsServer unknown(wants);
    error = refusal_of(unknown, known_as(stranger));
    CHECK_EQ(error.kind(), ErrorKind::denied);
    CHECK(says(error, "our client certificate is refused"));
  }
}

TEST_CASE("TLS 1.1 is not spoken") {
  TlsServer server({.newest_version = TLS1_1_VERSION});
  auto error = refusal_of(server, trusting(authority));
  CHECK_EQ(error.kind(), ErrorKind::invalid);
  CHECK(says(error, "no version of TLS in common"));
}

TEST_CASE("a peer without TLS is told from one that closes, resets or says nothing") {
  TlsClient client([] { return trusting(authority); });
  auto against = [&](const std::function<void(LoopbackPeer&)>& act, const Context& ctx = within_a_minute()) {
    LoopbackListener listener;
    auto stream = connect_tcp(within_a_minute(), listener.endpoint(), {}, 10s);
    LoopbackPeer peer(listener.accept());
    act(peer);
    return failure_of([&] { client.handshake(ctx, std::move(stream), listener.endpoint()); });
  };
  auto plain = against([](auto& peer) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  CHECK_EQ(plain.kind(), ErrorKind::invalid);
  CHECK(says(plain, "it answers in plain text: this listener has no TLS"));
  auto closed = against([](auto& peer) { peer.finish_sending(); });
  CHECK_EQ(closed.kind(), ErrorKind::unavailable);
  CHECK(says(closed, "closed the connection"));
  CHECK_EQ(against([](auto& peer) { peer.reset(); }).kind(), ErrorKind::unavailable);
  auto silent = against([](auto&) {}, Context{}.with_timeout(20ms));
  CHECK_EQ(silent.kind(), ErrorKind::timed_out);
  std::stop_source stop;
  stop.request_stop();
  CHECK_EQ(against([](auto&) {}, Context{stop.get_token()}).kind(), ErrorKind::cancelled);
}

TEST_CASE("whether a peer speaks TLS is seen without trusting it") {
  TlsServer server;
  CHECK(answers_in_tls(within_a_minute(), server.connect()));
  TlsServer mutual({.clients_authority = &authority});
  CHECK(answers_in_tls(within_a_minute(), mutual.connect()));
  LoopbackListener listener;
  auto stream = connect_tcp(within_a_minute(), listener.endpoint(), {}, 10s);
  LoopbackPeer peer(listener.accept());
  peer.finish_sending();
  CHECK_FALSE(answers_in_tls(within_a_minute(), std::move(stream)));
}

TEST_CASE("many bytes in both directions, in parts of all sizes") {
  std::string sent(5'000'000, '\0');
  std::minstd_rand random{7};
  for (auto& byte : sent) byte = static_cast<char>(random());
  std::string received;
  TlsServer server({}, [&](SSL* ssl) {
    std::string buffer(70'000, '\0');
    while (received.size() < sent.size()) {
      int got = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) return;
      received.append(buffer, 0, static_cast<std::size_t>(got));
    }
    for (std::size_t at = 0; at < sent.size(); at += 100'000) SSL_write(ssl, &sent[at], 100'000);
  });
  TlsClient client([] { return trusting(authority); });
  auto stream = client.handshake(within_a_minute(), server.connect(), server.endpoint());
  std::vector<std::string_view> parts;
  for (std::size_t at = 0, size = 0; at < sent.size(); at += size, size = size * 3 + 1)
    parts.push_back(std::string_view(sent).substr(at, size));
  stream->write(within_a_minute(), parts);
  std::string back(sent.size(), '\0');
  read_exactly(within_a_minute(), *stream, std::span(back).first(3));
  read_exactly(within_a_minute(), *stream, std::span(back).subspan(3));
  CHECK(back == sent);
  CHECK_EQ(stream->read_some(within_a_minute(), back), 0);
  server.server_name();
  CHECK(received == sent);
}

TEST_CASE("a stop or a deadline ends what waits") {
  TlsClient client([] { return trusting(authority); });
  auto read = [&](const Context& ctx) {
    TlsServer server;
    auto stream = client.handshake(within_a_minute(), server.connect(), server.endpoint());
    char byte = 0;
    return failure_of([&] { stream->read_some(ctx, {&byte, 1}); }).kind();
  };
  CHECK_EQ(read(Context{}.with_timeout(20ms)), ErrorKind::timed_out);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK_EQ(read(Context{stop.get_token()}), ErrorKind::cancelled);
}

TEST_CASE("renewed certificates count from the next connection on; those that make no sense do not") {
  auto material = trusting(authority);
  TlsClient client([&] { return material; });
  auto kind = [&](const TestIdentity& identity) {
    TlsServer server({.identity = identity});
    return failure_of([&] { client.handshake(within_a_minute(), server.connect(), server.endpoint()); })
        .kind();
  };
  const auto renewed = make_identity({.alternative_names = "DNS:localhost"}, &other_authority);
  CHECK_EQ(kind(broker), ErrorKind::internal);
  CHECK_EQ(kind(renewed), ErrorKind::unavailable);  // trusted before: may just be being rotated
  material.ca.text = "half a certific";
  CHECK_EQ(kind(broker), ErrorKind::internal);
  material = trusting(other_authority);
  CHECK_EQ(kind(renewed), ErrorKind::internal);
  CHECK_EQ(kind(broker), ErrorKind::unavailable);
}

TEST_CASE("material that cannot be used is refused at once, by its name") {
  const auto user = make_identity({.name = "backup"}, &authority);
  auto refused = [](const TlsMaterial& material) {
    auto error = failure_of([&] { TlsClient([&] { return material; }); });
    CHECK_EQ(error.kind(), ErrorKind::invalid);
    return std::string(error.what());
  };
  auto no_ca = trusting(authority);
  no_ca.ca.text = "no certificate\n";
  CHECK_EQ(refused(no_ca), "key ca.crt of Secret kafka-ca has no certificate in PEM");
  no_ca.ca.text = authority.certificate_pem().insert(100, "!");
  CHECK(refused(no_ca).starts_with("key ca.crt of Secret kafka-ca has a certificate that cannot be read: "));
  auto other_key = known_as(user);
  other_key.key.text = broker.key_pem();
  CHECK(
      refused(other_key).starts_with("key user.key of Secret backup is not the key of the certificate in "));
  auto locked = known_as(user);
  locked.key.text = user.key_pem("passphrase");
  CHECK(refused(locked).starts_with("key user.key of Secret backup is no private key that can be read: "));
  locked.key.text = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
  CHECK(refused(locked).find("c2VjcmV0") == std::string::npos);
}

}  // namespace
}  // namespace kb
