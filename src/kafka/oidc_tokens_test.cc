#include "kafka/oidc_tokens.h"

#include <future>

#include "base/error.h"
#include "base/failure_of.h"
#include "net/loopback_listener.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

using namespace std::chrono_literals;

// A token endpoint that gives one answer for each request.
struct Provider {
  LoopbackListener listener;
  std::string url = fmt::format("http://127.0.0.1:{}/token", listener.endpoint().port);
  OidcClient client{.id = "backup", .secret = "a b:c"};
  std::chrono::system_clock::time_point now{1'700'000'000s};
  OidcTokens tokens{{.token_endpoint = url,
                     .scope = "kafka read",
                     .read_client = [this] { return client; },
                     .now = [this] { return now; }}};

  // What was asked; the answer's status line begins with `status`.
  std::string answer(std::string_view status, std::string_view body) {
    LoopbackPeer peer(listener.accept());
    std::string request;
    constexpr std::string_view end = "scope=kafka+read";
    while (!request.ends_with(end)) {
      auto byte = peer.receive(1);
      if (byte.empty()) break;
      request += byte;
    }
    peer.send(fmt::format("HTTP/1.1 {} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                          body.size(), body));
    return request;
  }
  std::future<std::string> asked() {
    return std::async(std::launch::async, [this] { return tokens.token(within_a_minute()); });
  }
  std::string token(std::string_view body) {
    auto token = asked();
    answer("200", body);
    return token.get();
  }
  Error refusal(std::string_view status, std::string_view body) {
    auto token = asked();
    answer(status, body);
    return failure_of([&] { token.get(); });
  }
};

TEST_CASE("id and secret are asked for a token of the scope") {
  Provider provider;
  auto token = provider.asked();
  const auto request =
      provider.answer("200", R"({"access_token":"e30.e30.x","token_type":"Bearer","expires_in":600})");
  CHECK(token.get() == "e30.e30.x");
  CHECK(request.starts_with("POST /token HTTP/1.1\r\n"));
  CHECK(request.find("Authorization: Basic YmFja3VwOmErYiUzQWM=\r\n") !=
        std::string::npos);  // backup:a+b%3Ac
  CHECK(request.find("Content-Type: application/x-www-form-urlencoded\r\n") != std::string::npos);
  CHECK(request.ends_with("\r\n\r\ngrant_type=client_credentials&scope=kafka+read"));
  CHECK(provider.tokens.owner() == "backup");
}

TEST_CASE("a token is used again until the broker refuses it") {
  Provider provider;
  CHECK(provider.token(R"({"access_token":"one","expires_in":600})") == "one");
  CHECK(provider.tokens.token({}) == "one");
  provider.tokens.refused("another");
  CHECK(provider.tokens.token({}) == "one");
  provider.tokens.refused("one");
  CHECK(provider.token(R"({"access_token":"two","expires_in":600})") == "two");
}

TEST_CASE("a token of unknown or no length is used once") {
  Provider provider;
  CHECK(provider.token(R"({"access_token":"one"})") == "one");
  CHECK(provider.token(R"({"access_token":"two","expires_in":0})") == "two");
  CHECK(provider.token(R"({"access_token":"three","expires_in":-7})") == "three");
  CHECK(provider.token(R"({"access_token":"four","expires_in":1e300})") == "four");
  CHECK(provider.tokens.token({}) == "four");
}

TEST_CASE("what is wrong names endpoint and client, never the secret") {
  Provider provider;
  const auto error = provider.refusal("401", R"({"error":"invalid_client","error_description":"a b:c"})");
  CHECK_EQ(error.kind(), ErrorKind::denied);
  CHECK_EQ(std::string(error.what()),
           fmt::format("asking {} for a token of 'backup': it refuses: invalid_client "
                       "(HTTP status 401)",
                       provider.url));
  CHECK_EQ(provider.refusal("503", "busy").kind(), ErrorKind::unavailable);
  CHECK_EQ(provider.refusal("429", "").kind(), ErrorKind::throttled);
  CHECK_EQ(provider.refusal("200", "{}").kind(), ErrorKind::invalid);
  CHECK_EQ(provider.refusal("200", R"({"access_token":"a\nb"})").kind(), ErrorKind::invalid);
}

TEST_CASE("after four fifths of its life another is asked for; while there is none it is used to its end") {
  Provider provider;
  CHECK(provider.token(R"({"access_token":"one","expires_in":100})") == "one");
  provider.now += 79s;
  CHECK(provider.tokens.token({}) == "one");
  provider.now += 2s;
  auto token = provider.asked();
  provider.answer("503", "");
  CHECK(token.get() == "one");
  provider.now += 20s;
  CHECK_EQ(provider.refusal("503", "").kind(), ErrorKind::unavailable);
  CHECK(provider.token(R"({"access_token":"two","expires_in":100})") == "two");
}

TEST_CASE("id and secret that were rotated are refused although the last token still lives") {
  Provider provider;
  CHECK(provider.token(R"({"access_token":"one","expires_in":100})") == "one");
  provider.now += 81s;
  CHECK_EQ(provider.refusal("400", R"({"error":"invalid_client"})").kind(), ErrorKind::denied);
}

}  // namespace
}  // namespace kb::kafka
