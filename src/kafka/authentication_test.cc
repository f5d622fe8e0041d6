// What a login makes of a broker's answers, which are scripts here. Real brokers: tests/e2e/security.sh.
#include "kafka/authentication.h"

#include "kafka/sasl_password.h"
#include "kafka/scripted_broker.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

constexpr auto refusal = "Authentication failed: Invalid username or password";

std::string handshake_answer(int32_t correlation_id, ErrorCode code = ErrorCode::none) {
  return answer(correlation_id,
                SaslHandshakeResponse{.error_code = code, .mechanisms = {"PLAIN", "SCRAM-SHA-512"}}, 1);
}

std::string login_answer(int32_t correlation_id, int64_t session_lifetime_ms = 0) {
  return answer(correlation_id, SaslAuthenticateResponse{.session_lifetime_ms = session_lifetime_ms}, 2);
}

std::string refused_answer(int32_t correlation_id) {
  return answer(
      correlation_id,
      SaslAuthenticateResponse{.error_code = ErrorCode::sasl_authentication_failed, .error_message = refusal},
      2);
}

// A user whose password may be rotated.
struct User {
  std::string password = "open sesame";
  std::shared_ptr<Authentication> authentication = std::make_shared<Authentication>(plain_mechanism([this] {
    return SaslPassword{"backup", password};
  }));
};

struct Login : Scripted {
  Login(User& user, std::string_view script) : Scripted(script) {
    settings.authentication = user.authentication;
  }
  // The next request that the client sent: its bytes behind the header's fixed fields.
  std::pair<int16_t, std::string> next_request() {
    auto length = read_big_endian<int32_t>(peer.receive(4).data());
    auto bytes = peer.receive(static_cast<std::size_t>(length));
    return {read_big_endian<int16_t>(bytes.data()), bytes.substr(8)};
  }
};

const std::string plain_message("\0backup\0open sesame", 19);

TEST_CASE("a login names its mechanism and sends what the mechanism says, before anything else") {
  User user;
  Login login(user, versions_answer() + handshake_answer(2) + login_answer(3) + cluster_answer(4, "c"));
  auto& connection = login.open();
  CHECK_EQ(connection.call(within_a_minute(), MetadataRequest{}).message.cluster_id, "c");
  CHECK_EQ(login.next_request().first, ApiVersionsRequest::api.key);
  auto [handshake, mechanism] = login.next_request();
  CHECK_EQ(handshake, SaslHandshakeRequest::api.key);
  CHECK(mechanism.ends_with(std::string("\0\5PLAIN", 7)));
  auto [authenticate, message] = login.next_request();
  CHECK_EQ(authenticate, SaslAuthenticateRequest::api.key);
  CHECK(message.find(plain_message) != std::string::npos);
  CHECK_EQ(login.next_request().first, MetadataRequest::api.key);
}

TEST_CASE("a refused login names mechanism, principal and broker, never the secret") {
  User user;
  Login login(user, versions_answer() + handshake_answer(2) + refused_answer(3));
  auto error = failure_of([&] { login.open(); });
  CHECK_EQ(error.kind(), ErrorKind::denied);
  const std::string what = error.what();
  CHECK_MESSAGE(what.starts_with(fmt::format("SASL PLAIN as 'backup' at {}: ", login.at())), what);
  CHECK(what.find(refusal) != std::string::npos);
  CHECK(error.hint().find("spec.kafkaCluster.saslSecret") != std::string::npos);
  CHECK((what + error.hint()).find("sesame") == std::string::npos);
}

TEST_CASE("a listener without the mechanism, or without logins, is no matter of secrets") {
  User user;
  Login other(user, versions_answer() + handshake_answer(2, ErrorCode::unsupported_sasl_mechanism));
  auto error = failure_of([&] { other.open(); });
  CHECK_EQ(error.kind(), ErrorKind::invalid);
  CHECK_MESSAGE(std::string(error.what()).find("PLAIN, SCRAM-SHA-512") != std::string::npos, error.what());
  Login none(user, versions_answer() + handshake_answer(2, ErrorCode::illegal_sasl_state));
  error = failure_of([&] { none.open(); });
  CHECK_EQ(error.kind(), ErrorKind::invalid);
  CHECK_MESSAGE(std::string(error.what()).find("no login by SASL") != std::string::npos, error.what());
}

TEST_CASE("what a mechanism throws, and a broken connection, keep their kinds") {
  auto missing = std::make_shared<Authentication>(plain_mechanism(
      []() -> SaslPassword { fail(ErrorKind::not_found, "there is no file /secrets/login/password"); }));
  Scripted scripted(versions_answer());
  scripted.settings.authentication = missing;
  auto error = failure_of([&] { scripted.open(); });
  CHECK_EQ(error.kind(), ErrorKind::not_found);
  CHECK_EQ(std::string(error.what()),
           fmt::format("SASL PLAIN at {}: there is no file /secrets/login/password", scripted.at()));
  User user;
  Login closed(user, versions_answer() + handshake_answer(2));
  closed.peer.finish_sending();
  CHECK_EQ(failure_of([&] { closed.open(); }).kind(), ErrorKind::unavailable);
}

TEST_CASE("who was let in before is refused for a while only: the secret may just be being rotated") {
  User user;
  Login first(user, versions_answer() + handshake_answer(2) + login_answer(3));
  first.open();
  Login second(user, versions_answer() + handshake_answer(2) + refused_answer(3));
  auto error = failure_of([&] { second.open(); });
  CHECK_EQ(error.kind(), ErrorKind::unavailable);
  CHECK(std::string(error.what()).find("as 'backup'") != std::string::npos);
  user.password = "new";
  Login third(user, versions_answer() + handshake_answer(2) + login_answer(3));
  third.open();
  third.next_request();
  third.next_request();
  CHECK(third.next_request().second.find(std::string("\0backup\0new", 11)) != std::string::npos);
}

TEST_CASE("the login is repeated before the session ends, behind what is in flight") {
  User user;
  // So short that each request comes after its time to be repeated.
  Login login(user, versions_answer() + handshake_answer(2) + login_answer(3, 1));
  auto& connection = login.open();
  auto ctx = within_a_minute();
  ctx.sleep_for(2ms);
  login.peer.send(handshake_answer(4) + login_answer(5, 3'600'000));
  for (int i = 0; i < 2; ++i) connection.send(ctx, MetadataRequest{});
  login.peer.send(cluster_answer(6, "one") + cluster_answer(7, "two"));
  CHECK_EQ(connection.receive<MetadataRequest>(ctx).message.cluster_id, "one");
  CHECK_EQ(connection.receive<MetadataRequest>(ctx).message.cluster_id, "two");

  Login busy(user, versions_answer() + handshake_answer(2) + login_answer(3, 1000));
  auto& loaded = busy.open();
  loaded.send(ctx, MetadataRequest{});
  loaded.send(ctx, MetadataRequest{});
  ctx.sleep_for(700ms);  // 60 % of the session at most
  user.password = "new";
  busy.peer.send(cluster_answer(4, "one") + cluster_answer(5, "two") + handshake_answer(6) + login_answer(7) +
                 cluster_answer(8, "three"));
  loaded.send(ctx, MetadataRequest{});
  CHECK_EQ(loaded.in_flight(), 3);
  for (const char* expected : {"one", "two", "three"})
    CHECK_EQ(loaded.receive<MetadataRequest>(ctx).message.cluster_id, expected);
  CHECK_EQ(loaded.in_flight(), 0);
  for (int i = 0; i < 6; ++i) busy.next_request();
  CHECK(busy.next_request().second.find(std::string("\0backup\0new", 11)) != std::string::npos);
}

TEST_CASE("a repeated login that is refused closes the connection, and a new one is to tell why") {
  User user;
  Login login(user, versions_answer() + handshake_answer(2) + login_answer(3, 1));
  auto& connection = login.open();
  within_a_minute().sleep_for(2ms);
  login.peer.send(handshake_answer(4) + refused_answer(5));
  auto error = failure_of([&] { connection.send(within_a_minute(), MetadataRequest{}); });
  CHECK_EQ(error.kind(), ErrorKind::unavailable);
  CHECK_FALSE(connection.usable());
  CHECK_EQ(connection.in_flight(), 0);
}

TEST_CASE("names and passwords that are no text are refused without being shown") {
  for (const std::string& password : {std::string("\xff\xfe"), std::string("a\0b", 3),
                                      std::string("\xc0\x80"), std::string("cut \xe2\x82")}) {
    auto mechanism = plain_mechanism([&] { return SaslPassword{"backup", password}; });
    auto error = failure_of([&] { mechanism->begin(within_a_minute(), {}); });
    CHECK_EQ(error.kind(), ErrorKind::invalid);
    CHECK_EQ(std::string(error.what()), "the password of user 'backup' is not a text in UTF-8");
    auto named = scram_mechanism(ScramHash::sha_256, [&] { return SaslPassword{password, "p"}; });
    CHECK_EQ(failure_of([&] { named->begin(within_a_minute(), {}); }).kind(), ErrorKind::invalid);
  }
  auto mechanism = plain_mechanism([] { return SaslPassword{"müller", "€ 𝄞"}; });
  CHECK_EQ(mechanism->begin(within_a_minute(), {})->respond(within_a_minute(), ""),
           std::string("\0müller\0€ 𝄞", 17));
  CHECK_EQ(mechanism->principal(), "müller");
}

}  // namespace
}  // namespace kb::kafka
