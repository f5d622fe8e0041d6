#include "net/socket.h"

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/error.h"
#include "net/readiness.h"
#include "net/resolver.h"

namespace kb {
namespace {

constexpr std::size_t parts_per_call = 64;

std::string describe(int error) {
  return std::generic_category().message(error);
}

[[noreturn]] void throw_broken(int error) {
  if (error == ECONNRESET || error == EPIPE) fail(ErrorKind::unavailable, "the peer reset the connection");
  if (error == ETIMEDOUT)
    fail(ErrorKind::unavailable, "the peer no longer answers TCP keepalive or retransmissions");
  fail(ErrorKind::unavailable, "connection lost: {}", describe(error));
}

void set_option(int fd, int level, int option, int value, const char* name) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0)
    fail(ErrorKind::invalid, "setting {} to {}: {}", name, value, describe(errno));
}

void apply(const SocketSettings& settings, int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, settings.tcp_nodelay, "TCP_NODELAY");
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, settings.tcp_keepalive, "SO_KEEPALIVE");
  if (!settings.tcp_keepalive) return;
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(settings.keepalive_time.count()),
             "TCP_KEEPIDLE");
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(settings.keepalive_interval.count()),
             "TCP_KEEPINTVL");
}

Fd connect_one(const Context& ctx, const SocketAddress& address, const SocketSettings& settings) {
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) fail(ErrorKind::unavailable, "opening a socket: {}", describe(errno));
  apply(settings, fd.get());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.length) == 0)
    return fd;
  if (errno != EINPROGRESS) fail(ErrorKind::unavailable, "{}", describe(errno));
  wait_until_ready(ctx, fd.get(), POLLOUT);
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) fail(ErrorKind::unavailable, "{}", describe(error));
  return fd;
}

// The iovecs of the next call: the parts from `first` on, of which `skipped` bytes are already written.
std::size_t gather(std::span<const std::string_view> parts, std::size_t skipped,
                   std::array<iovec, parts_per_call>& out) {
  std::size_t count = 0;
  for (auto part : parts) {
    if (count == out.size()) break;
    part.remove_prefix(std::exchange(skipped, 0));
    out[count++] = {const_cast<char*>(part.data()), part.size()};
  }
  return count;
}

}  // namespace

void read_exactly(const Context& ctx, ByteStream& stream, std::span<char> out) {
  while (!out.empty()) {
    auto read = stream.read_some(ctx, out);
    if (read == 0) fail(ErrorKind::unavailable, "the peer closed the connection");
    out = out.subspan(read);
  }
}

Socket::Socket(Fd fd) : fd_(std::move(fd)) {
  int flags = ::fcntl(fd_.get(), F_GETFL);
  CHECK(flags >= 0 && ::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK) == 0);
}

std::size_t Socket::read_some(const Context& ctx, std::span<char> out) {
  for (;;) {
    auto read = ::recv(fd_.get(), out.data(), out.size(), 0);
    if (read >= 0) return static_cast<std::size_t>(read);
    if (errno != EAGAIN && errno != EINTR) throw_broken(errno);
    wait_until_ready(ctx, fd_.get(), POLLIN);
  }
}

bool Socket::closed_by_peer() const {
  pollfd state{.fd = fd_.get(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) > 0;
}

void Socket::write(const Context& ctx, std::span<const std::string_view> parts) {
  for (std::size_t written = 0;;) {  // of what begins with parts.front()
    for (; !parts.empty() && written >= parts.front().size(); parts = parts.subspan(1))
      written -= parts.front().size();
    if (parts.empty()) return;
    std::array<iovec, parts_per_call> vectors;
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = gather(parts, written, vectors);
    auto sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      written += static_cast<std::size_t>(sent);
    } else {
      if (errno != EAGAIN && errno != EINTR) throw_broken(errno);
      wait_until_ready(ctx, fd_.get(), POLLOUT);
    }
  }
}

std::unique_ptr<ByteStream> connect_tcp(const Context& ctx, const Endpoint& endpoint,
                                        const SocketSettings& settings, Duration connect_timeout) {
  auto bounded = ctx.with_timeout(connect_timeout);
  auto addresses = Resolver::of_process().resolve(bounded, endpoint);
  std::string failures;
  auto kind = ErrorKind::timed_out;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    auto share = (bounded.deadline - Clock::now()) / static_cast<int>(addresses.size() - i);
    try {
      return std::make_unique<Socket>(connect_one(bounded.with_timeout(share), addresses[i], settings));
    } catch (const Error& error) {
      if (!error.retryable()) throw;
      if (error.kind() != ErrorKind::timed_out) kind = error.kind();
      failures += fmt::format("{}{}: {}", failures.empty() ? "" : "; ", addresses[i].text, error.what());
    }
  }
  fail(kind, "connecting to {}: {}", to_string(endpoint), failures);
}

}  // namespace kb
