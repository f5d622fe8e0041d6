// A two-way stream of bytes to one peer: what a protocol is spoken over, plain TCP or TLS around it.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "base/context.h"

namespace kb {

// One owner thread at a time. All functions throw cancelled or timed_out as the context says, and unavailable
// when the connection is gone; after any of them the stream is good for nothing but being closed.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Waits for at least one byte and returns how many were put into `out`; 0 when the peer has finished.
  virtual std::size_t read_some(const Context& ctx, std::span<char> out) = 0;
  // Whether the peer has closed or reset the connection already; does not wait.
  virtual bool closed_by_peer() const = 0;
  // Writes all parts, in order.
  virtual void write(const Context& ctx, std::span<const std::string_view> parts) = 0;
};

// Fills `out`; throws unavailable when the peer finishes before.
void read_exactly(const Context& ctx, ByteStream& stream, std::span<char> out);

}  // namespace kb
