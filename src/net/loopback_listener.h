// Test support: the other end of a connection, as plain bytes, so that a test decides exactly how a peer
// misbehaves.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"
#include "net/endpoint.h"
#include "net/readiness.h"

namespace kb {

// Far more than a healthy test needs: a test that would hang fails instead.
inline Context within_a_minute() {
  return Context{}.with_timeout(std::chrono::minutes(1));
}

// Listens on a free port of 127.0.0.1; connections are accepted by the kernel before accept() is called.
class LoopbackListener {
 public:
  explicit LoopbackListener(int backlog = 16) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    CHECK(::bind(fd_.get(), generic, length) == 0 && ::listen(fd_.get(), backlog) == 0);
    CHECK(::getsockname(fd_.get(), generic, &length) == 0);
    endpoint_ = {"127.0.0.1", ntohs(address.sin_port)};
  }
  const Endpoint& endpoint() const { return endpoint_; }
  Fd accept() {
    wait_until_ready(within_a_minute(), fd_.get(), POLLIN);
    return Fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  Fd fd_;
  Endpoint endpoint_;
};

// The peer's end of a connection.
class LoopbackPeer {
 public:
  explicit LoopbackPeer(Fd fd) : fd_(std::move(fd)) {}
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) fail(ErrorKind::unavailable, "the client is gone");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Exactly `size` bytes, less when the client finishes before.
  std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      wait_until_ready(within_a_minute(), fd_.get(), POLLIN);
      auto got = ::recv(fd_.get(), bytes.data() + have, size - have, 0);
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
  }
  void finish_sending() { ::shutdown(fd_.get(), SHUT_WR); }
  // Closes with RST instead of FIN.
  void reset() {
    linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() { Fd closing = std::move(fd_); }

 private:
  Fd fd_;
};

}  // namespace kb
