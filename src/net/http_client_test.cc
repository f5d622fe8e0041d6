#include "net/http_client.h"

#include <future>

#include "base/error.h"
#include "base/failure_of.h"
#include "net/loopback_listener.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

using namespace std::chrono_literals;

// A server that is told byte by byte what to do.
struct Server {
  LoopbackListener listener;
  std::string url = fmt::format("http://127.0.0.1:{}/path?secret=1", listener.endpoint().port);
  LoopbackPeer accept() { return LoopbackPeer(listener.accept()); }
};

std::string head_of(LoopbackPeer& peer) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    auto byte = peer.receive(1);
    if (byte.empty()) break;
    head += byte;
  }
  return head;
}

bool has(const std::string& text, std::string_view piece) {
  return text.find(piece) != std::string::npos;
}

TEST_CASE("what is asked and what is answered") {
  Server server;
  HttpClient client({});
  auto answer = std::async(std::launch::async, [&] {
    return client.send(within_a_minute(),
                       {"PATCH", server.url, {{"Content-Type", "text/x"}, {"Empty", ""}}, "body"});
  });
  auto peer = server.accept();
  auto head = head_of(peer);
  CHECK(head.starts_with("PATCH /path?secret=1 HTTP/1.1\r\n"));
  CHECK(has(head, "Content-Type: text/x\r\n"));
  CHECK(has(head, "Empty:\r\n"));
  CHECK(has(head, "Content-Length: 4\r\n"));
  CHECK_FALSE(has(head, "Expect"));
  CHECK_EQ(peer.receive(4), "body");
  peer.send("HTTP/1.1 100 Continue\r\nInterim: 1\r\n\r\n");
  peer.send("HTTP/1.1 429 Slow\r\nRetry-After:  7 \r\nContent-Length: 2\r\n\r\nno");
  auto found = answer.get();
  CHECK_EQ(found.status, 429);
  CHECK_EQ(found.body, "no");
  CHECK_EQ(found.headers.at("retry-after"), "7");
  CHECK_FALSE(found.headers.contains("interim"));
}

TEST_CASE("connections are kept, and one that the server closed is replaced") {
  Server server;
  HttpClient client({});
  auto ask = [&] {
    return std::async(std::launch::async,
                      [&] { return client.send(within_a_minute(), {.url = server.url}).body; });
  };
  auto first = ask();
  auto peer = server.accept();
  head_of(peer);
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
  CHECK_EQ(first.get(), "1");
  auto second = ask();
  CHECK(has(head_of(peer), "GET /path"));  // on the same connection
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
  CHECK_EQ(second.get(), "2");
  peer.close();
  auto third = ask();
  auto other = server.accept();
  head_of(other);
  other.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3");
  CHECK_EQ(third.get(), "3");
}

TEST_CASE("an answer that is cut off, or too long, or none at all") {
  Server server;
  HttpClient client({.answer_bytes_max = 10});
  auto failing = [&](std::string_view bytes) {
    auto failure = std::async(std::launch::async, [&] {
      return failure_of([&] { client.send(within_a_minute(), {.url = server.url}); });
    });
    auto peer = server.accept();
    head_of(peer);
    peer.send(bytes);
    peer.finish_sending();
    return failure.get();
  };
  auto cut = failing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
  CHECK_EQ(cut.kind(), ErrorKind::unavailable);
  CHECK(has(cut.what(), "GET http://127.0.0.1:"));
  CHECK_FALSE(has(cut.what(), "secret"));
  CHECK_EQ(failing("").kind(), ErrorKind::unavailable);
  CHECK_EQ(failing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").kind(),
           ErrorKind::unavailable);
  CHECK_EQ(failing("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890").kind(), ErrorKind::invalid);
}

TEST_CASE("nobody listens, and URLs and headers that cannot be") {
  HttpClient client({});
  std::string url;
  {
    Server closed;
    url = closed.url;
  }
  auto kind = [&](const HttpRequest& request) {
    return failure_of([&] { client.send(within_a_minute(), request); }).kind();
  };
  CHECK_EQ(kind({.url = url}), ErrorKind::unavailable);
  CHECK_EQ(kind({.url = "file:///etc/passwd"}), ErrorKind::invalid);
  CHECK_EQ(kind({.url = "http://"}), ErrorKind::invalid);
  CHECK_EQ(kind({.url = url, .headers = {{"Authorization", "a\r\nb: c"}}}), ErrorKind::invalid);
}

TEST_CASE("a request ends when its context does") {
  Server server;
  HttpClient client({});
  for (int i = 0; i < 20; ++i) {  // most of them when the client has gone to sleep
    std::stop_source stop;
    auto failure = std::async(std::launch::async, [&] {
      // On a new connection libcurl wakes up by itself, for what it may have to do about connecting.
      client.send(within_a_minute(), {.url = server.url});
      return failure_of([&] { client.send({stop.get_token()}, {.url = server.url}); }).kind();
    });
    auto peer = server.accept();
    head_of(peer);
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    head_of(peer);  // it waits for the answer now
    stop.request_stop();
    bool ended = failure.wait_for(30s) == std::future_status::ready;
    if (!ended) peer.reset();
    REQUIRE(ended);
    CHECK_EQ(failure.get(), ErrorKind::cancelled);
    CHECK_EQ(peer.receive(1), "");  // its connection is closed
  }
  auto late = failure_of([&] { client.send(Context{}.with_timeout(20ms), {.url = server.url}); });
  CHECK_EQ(late.kind(), ErrorKind::timed_out);
}

TEST_CASE("a stream has no limit, is given in pieces, and only when it is a success") {
  Server server;
  HttpClient client({.answer_bytes_max = 1000});
  std::size_t longest = 0, total = 0;
  auto answer = std::async(std::launch::async, [&] {
    return client.stream(within_a_minute(), {.url = server.url}, [&](std::string_view piece) {
      longest = std::max(longest, piece.size());
      total += piece.size();
    });
  });
  auto peer = server.accept();
  head_of(peer);
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x'));
  CHECK_EQ(answer.get().body, "");
  CHECK_EQ(total, 1'000'000);
  CHECK_LE(longest, 16 << 10);

  auto refused = std::async(std::launch::async, [&] {
    return client.stream(within_a_minute(), {.url = server.url}, [](std::string_view) { FAIL("given"); });
  });
  head_of(peer);
  peer.send("HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone");
  CHECK_EQ(refused.get().body, "gone");

  auto thrown = std::async(std::launch::async, [&] {
    return failure_of([&] {
      client.stream(within_a_minute(), {.url = server.url},
                    [](std::string_view) { fail(ErrorKind::corrupt, "mine"); });
    });
  });
  head_of(peer);
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngone");
  auto passed_on = thrown.get();
  CHECK_EQ(passed_on.kind(), ErrorKind::corrupt);
  CHECK_EQ(std::string(passed_on.what()), "mine");
}

}  // namespace
}  // namespace kb
