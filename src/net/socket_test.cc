#include "net/socket.h"

#include <future>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

#include <netinet/tcp.h>

#include "base/error.h"
#include "base/failure_of.h"
#include "net/loopback_listener.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

using namespace std::chrono_literals;

struct Pair {
  LoopbackListener listener;
  std::unique_ptr<ByteStream> client = connect_tcp(within_a_minute(), listener.endpoint(), {}, 10s);
  LoopbackPeer server{listener.accept()};
};

std::string read(const Context& ctx, ByteStream& stream, std::size_t size) {
  std::string bytes(size, '\0');
  read_exactly(ctx, stream, bytes);
  return bytes;
}

#define CHECK_FAILS(action, expected_kind, expected_text)                                            \
  do {                                                                                               \
    Error error = failure_of([&] { action; });                                                       \
    CHECK_EQ(error.kind(), expected_kind);                                                           \
    CHECK_MESSAGE(std::string(error.what()).find(expected_text) != std::string::npos, error.what()); \
  } while (false)

TEST_CASE("bytes arrive in order, however they were cut") {
  Pair pair;
  pair.server.send("hel");
  pair.server.send("lo, world");
  CHECK_EQ(read(within_a_minute(), *pair.client, 5), "hello");
  CHECK_EQ(read(within_a_minute(), *pair.client, 7), ", world");
  CHECK_EQ(read(within_a_minute(), *pair.client, 0), "");
}

TEST_CASE("many parts, empty ones among them, more than one call takes and than the kernel buffers") {
  Pair pair;
  std::vector<std::string> owned;
  for (std::size_t i = 0; i < 1000; ++i)
    owned.emplace_back(i % 7 == 0 ? 0 : i * 40, static_cast<char>('a' + i % 26));
  std::vector<std::string_view> parts(owned.begin(), owned.end());
  std::string whole = std::accumulate(owned.begin(), owned.end(), std::string());
  auto received = std::async(std::launch::async, [&] { return pair.server.receive(whole.size()); });
  pair.client->write(within_a_minute(), parts);
  CHECK(received.get() == whole);
  pair.client->write(within_a_minute(), {});
}

TEST_CASE("a stop wakes a reader and a writer that wait") {
  Pair pair;
  std::string much(64 * 1024 * 1024, 'x');
  std::string_view parts[] = {much};
  for (bool writes : {false, true}) {
    CAPTURE(writes);
    std::stop_source stop;
    Context ctx{stop.get_token(), within_a_minute().deadline};
    std::jthread stopper([&] { stop.request_stop(); });
    if (writes)
      CHECK_FAILS(pair.client->write(ctx, parts), ErrorKind::cancelled, "cancelled");
    else
      CHECK_FAILS(read(ctx, *pair.client, 1), ErrorKind::cancelled, "cancelled");
  }
  pair.server.send("z");  // a wake-up left behind would disturb the next wait of this thread
  CHECK_EQ(read(within_a_minute(), *pair.client, 1), "z");
  CHECK_FAILS(read(Context{}.with_timeout(5ms), *pair.client, 1), ErrorKind::timed_out, "timed out");
}

TEST_CASE("a silent peer ends at the deadline") {
  Pair pair;
  std::string much(64 * 1024 * 1024, 'x');
  std::string_view parts[] = {much};
  CHECK_FAILS(read(Context{}.with_timeout(5ms), *pair.client, 1), ErrorKind::timed_out, "timed out");
  CHECK_FAILS(pair.client->write(Context{}.with_timeout(5ms), parts), ErrorKind::timed_out, "timed out");
}

TEST_CASE("a peer that trickles bytes does not outlive the deadline") {
  Pair pair;
  std::jthread trickle([&](std::stop_token stop) {
    try {
      while (!stop.stop_requested()) pair.server.send("x");
    } catch (const Error&) {
    }
  });
  auto ctx = Context{}.with_timeout(20ms);
  CHECK_FAILS(for (;;) read(ctx, *pair.client, 1 << 16), ErrorKind::timed_out, "timed out");
  pair.client.reset();
}

TEST_CASE("a peer that finishes, closes or resets is unavailable") {
  SUBCASE("half close: what was sent is still read") {
    Pair pair;
    pair.server.send("ab");
    pair.server.finish_sending();
    CHECK_FAILS(read(within_a_minute(), *pair.client, 3), ErrorKind::unavailable, "closed the connection");
    char byte;
    CHECK_EQ(pair.client->read_some(within_a_minute(), {&byte, 1}), 0);
  }
  SUBCASE("reset while reading") {
    Pair pair;
    pair.server.reset();
    CHECK_FAILS(read(within_a_minute(), *pair.client, 1), ErrorKind::unavailable, "reset the connection");
  }
  SUBCASE("gone while writing") {
    Pair pair;
    pair.server.reset();
    std::string_view parts[] = {"x"};
    CHECK_FAILS(for (;;) pair.client->write(within_a_minute(), parts), ErrorKind::unavailable, "reset");
  }
}

TEST_CASE("whether a peer has closed is seen without reading, and whatever is still unread") {
  Pair pair;
  CHECK(!pair.client->closed_by_peer());
  pair.server.send("ab");
  CHECK(!pair.client->closed_by_peer());
  SUBCASE("finished") {
    pair.server.finish_sending();
  }
  SUBCASE("closed") {
    pair.server.close();
  }
  SUBCASE("reset") {
    pair.server.reset();
  }
  CHECK(pair.client->closed_by_peer());
}

TEST_CASE("nobody listens") {
  std::optional<LoopbackListener> listener(std::in_place);
  Endpoint endpoint = listener->endpoint();
  listener.reset();
  auto text =
      fmt::format("connecting to {}: {}: Connection refused", to_string(endpoint), to_string(endpoint));
  CHECK_FAILS(connect_tcp(within_a_minute(), endpoint, {}, 10s), ErrorKind::unavailable, text);
}

TEST_CASE("all addresses of a name are tried") {
  LoopbackListener listener;  // on 127.0.0.1 only, while localhost is often ::1 first
  CHECK_NOTHROW(connect_tcp(within_a_minute(), {"localhost", listener.endpoint().port}, {}, 10s));
}

TEST_CASE("a server that accepts nothing ends at the connect timeout or by a stop") {
  LoopbackListener full(0);
  std::vector<std::unique_ptr<ByteStream>> accepted_by_kernel;
  auto fill = [&] {
    for (int i = 0; i < 16; ++i)
      accepted_by_kernel.push_back(connect_tcp(Context{}, full.endpoint(), {}, 20ms));
  };
  CHECK_FAILS(fill(), ErrorKind::timed_out, "connecting to 127.0.0.1:");
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK_FAILS(connect_tcp(Context{stop.get_token()}, full.endpoint(), {}, 60s), ErrorKind::cancelled,
              "cancelled");
}

// The option of the one socket of this process that is connected to `port`.
int option_of_client(int port, int level, int option) {
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0 || ntohs(peer.sin_port) != port)
      continue;
    int value = -1;
    length = sizeof value;
    ::getsockopt(fd, level, option, &value, &length);
    return value;
  }
  return -1;
}

TEST_CASE("settings reach the socket") {
  LoopbackListener listener;
  int port = listener.endpoint().port;
  SocketSettings settings{.keepalive_time = 77s, .keepalive_interval = 11s};
  auto client = connect_tcp(within_a_minute(), listener.endpoint(), settings, 10s);
  CHECK_EQ(option_of_client(port, IPPROTO_TCP, TCP_NODELAY), 1);
  CHECK_EQ(option_of_client(port, SOL_SOCKET, SO_KEEPALIVE), 1);
  CHECK_EQ(option_of_client(port, IPPROTO_TCP, TCP_KEEPIDLE), 77);
  CHECK_EQ(option_of_client(port, IPPROTO_TCP, TCP_KEEPINTVL), 11);
  client = connect_tcp(within_a_minute(), listener.endpoint(), {.tcp_nodelay = false, .tcp_keepalive = false},
                       10s);
  CHECK_EQ(option_of_client(port, IPPROTO_TCP, TCP_NODELAY), 0);
  CHECK_EQ(option_of_client(port, SOL_SOCKET, SO_KEEPALIVE), 0);
  settings.keepalive_time = 40000s;
  CHECK_FAILS(connect_tcp(within_a_minute(), listener.endpoint(), settings, 10s), ErrorKind::invalid,
              "TCP_KEEPIDLE");
}

}  // namespace
}  // namespace kb
