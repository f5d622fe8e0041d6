// Unsigned LEB128 and zigzag integers, strings and fixed 32-bit values: the byte encoding of index bodies
// (docs/archive-format.md, "Index body").
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace kb::archive {

class ByteWriter {
 public:
  void uint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void sint(std::int64_t value) {
    uint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void fixed32(std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) out_.push_back(static_cast<char>(value >> shift));
  }
  void string(std::string_view value) {
    uint(value.size());
    out_ += value;
  }
  std::string take() && { return std::move(out_); }

 private:
  std::string out_;
};

// Throws corrupt for anything that does not fit.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}
  std::uint64_t uint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto byte = static_cast<unsigned char>(take(1)[0]);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail(ErrorKind::corrupt, "index: integer too long");
  }
  std::int64_t sint() {
    auto value = uint();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  template <class T>
  T uint_as() {
    auto value = uint();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<T>::max()))
      fail(ErrorKind::corrupt, "index: value {} out of range", value);
    return static_cast<T>(value);
  }
  template <class T>
  T sint_as() {
    auto value = sint();
    if (!std::in_range<T>(value)) fail(ErrorKind::corrupt, "index: value {} out of range", value);
    return static_cast<T>(value);
  }
  std::uint32_t fixed32() {
    std::uint32_t value = 0;
    auto bytes = take(4);
    for (std::size_t i = 0; i < 4; ++i)
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return value;
  }
  std::string_view string() { return take(uint()); }
  // A number of elements that take at least `bytes_min` each: what is left bounds it, and so the memory that
  // damaged bytes can ask for.
  std::size_t count(std::size_t bytes_min) {
    auto n = uint();
    if (n > in_.size() / bytes_min) fail(ErrorKind::corrupt, "index: {} elements in {} bytes", n, in_.size());
    return n;
  }
  bool done() const { return in_.empty(); }

 private:
  std::string_view take(std::uint64_t n) {
    if (n > in_.size()) fail(ErrorKind::corrupt, "index: truncated");
    auto head = in_.substr(0, n);
    in_.remove_prefix(n);
    return head;
  }
  std::string_view in_;
};

}  // namespace kb::archive
