// TCP connections that obey a Context (tcp(7), socket(7)).
#pragma once
#include <chrono>
#include <memory>

#include "base/fd.h"
#include "net/byte_stream.h"
#include "net/endpoint.h"

namespace kb {

struct SocketSettings {
  bool tcp_nodelay = true;
  bool tcp_keepalive = true;
  std::chrono::seconds keepalive_time{60};      // of silence before the first probe, 1..32767
  std::chrono::seconds keepalive_interval{20};  // between probes, 1..32767
};

// A connected socket. One owner thread at a time; a stop request from any thread wakes it.
class Socket final : public ByteStream {
 public:
  // Takes a connected stream socket and makes it non-blocking.
  explicit Socket(Fd fd);
  std::size_t read_some(const Context& ctx, std::span<char> out) override;
  bool closed_by_peer() const override;
  void write(const Context& ctx, std::span<const std::string_view> parts) override;

 private:
  Fd fd_;
};

// Resolves the host and tries each of its addresses until one accepts; `connect_timeout` is for all of it,
// each address gets its share of what is left. Throws unavailable or timed_out with what each address said.
std::unique_ptr<ByteStream> connect_tcp(const Context& ctx, const Endpoint& endpoint,
                                        const SocketSettings& settings, Duration connect_timeout);

}  // namespace kb
