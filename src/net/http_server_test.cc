#include "net/http_server.h"

#include "base/error.h"
#include "net/http_client.h"
#include "net/loopback_listener.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

HttpPage page(std::string_view path) {
  if (path == "/missing") return {.status = 404, .body = "nothing here"};
  return {.content_type = "text/x", .body = fmt::format("this is {}", path)};
}

TEST_CASE("pages are served, heads too, nothing else") {
  HttpServer server({"127.0.0.1", 0}, page);
  HttpClient client({});
  auto ask = [&](const std::string& method, const std::string& path, const std::string& body = "") {
    auto url = fmt::format("http://127.0.0.1:{}{}", server.port(), path);
    return client.send(within_a_minute(), {.method = method, .url = url, .body = body});
  };
  auto found = ask("GET", "/metrics?x=1");
  CHECK_EQ(found.status, 200);
  CHECK_EQ(found.body, "this is /metrics");
  CHECK_EQ(found.headers.at("content-type"), "text/x");
  CHECK_EQ(ask("GET", "/missing").status, 404);
  CHECK_EQ(ask("GET", "/metrics", std::string(100'000, 'x')).body, "this is /metrics");
  auto head = ask("HEAD", "/metrics");
  CHECK_EQ(head.status, 200);
  CHECK_EQ(head.body, "");
  CHECK_EQ(head.headers.at("content-length"), "16");
  for (const char* method : {"POST", "DELETE", "OPTIONS"}) {
    auto refused = ask(method, "/metrics");
    CHECK_EQ(refused.status, 405);
    CHECK_EQ(refused.headers.at("allow"), "GET, HEAD");
  }
}

TEST_CASE("an address that is taken, or none") {
  HttpServer server({"", 0}, page);  // IPv4 and IPv6
  auto url = fmt::format("http://127.0.0.1:{}/", server.port());
  CHECK_EQ(HttpClient({}).send(within_a_minute(), {.url = url}).status, 200);
  auto refused = [&](const Endpoint& listen) {
    try {
      HttpServer second(listen, page);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  CHECK_EQ(refused({"127.0.0.1", server.port()}), ErrorKind::unavailable);
  CHECK_EQ(refused({"192.0.2.1", 0}), ErrorKind::unavailable);  // TEST-NET-1, RFC 5737
}

TEST_CASE("more connections than it takes do not stop it") {
  HttpServer server({"127.0.0.1", 0}, page);
  std::vector<std::unique_ptr<HttpClient>> clients;
  auto url = fmt::format("http://127.0.0.1:{}/", server.port());
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<HttpClient>(HttpSettings{}));
    CHECK_EQ(clients.back()->send(within_a_minute(), {.url = url}).status, 200);  // and stays connected
  }
  clients.pop_back();
  // The place of the one that went is free as soon as the server has noticed.
  for (int status = 0; status != 200;) try {
      status = HttpClient({}).send(within_a_minute(), {.url = url}).status;
    } catch (const Error& error) {
      REQUIRE_EQ(error.kind(), ErrorKind::unavailable);
    }
}

}  // namespace
}  // namespace kb
