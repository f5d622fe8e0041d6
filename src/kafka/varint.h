// Zig-zag varints, as records hold lengths, deltas and counts (KIP-98; the encoding is Protocol Buffers'
// sint64).
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace kb::kafka {

constexpr std::size_t varint_bytes_max = 5, varlong_bytes_max = 10;

constexpr std::uint64_t zig_zag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

// How many bytes write_varlong() writes.
constexpr std::size_t varlong_bytes(std::int64_t value) {
  return (static_cast<std::size_t>(std::bit_width(zig_zag(value) | 1)) + 6) / 7;
}

// Writes at most varlong_bytes_max bytes and returns the end of them. Also writes varints.
inline char* write_varlong(char* to, std::int64_t value) {
  std::uint64_t bits = zig_zag(value);
  for (; bits >= 0x80; bits >>= 7) *to++ = static_cast<char>(bits | 0x80);
  *to++ = static_cast<char>(bits);
  return to;
}

// Moves `from` behind the number it reads; false when the number does not end before `end` or within 10
// bytes.
inline bool read_varlong(const char*& from, const char* end, std::int64_t& value) {
  std::uint64_t bits = 0;
  for (unsigned shift = 0; shift < 70 && from != end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*from++);
    bits |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      value = static_cast<std::int64_t>(bits >> 1 ^ (0 - (bits & 1)));
      return true;
    }
  }
  return false;
}

// The same for 32 bits; false also for what does not fit.
inline bool read_varint(const char*& from, const char* end, std::int32_t& value) {
  std::int64_t wide = 0;
  if (!read_varlong(from, end, wide)) return false;
  if (wide < std::numeric_limits<std::int32_t>::min() || wide > std::numeric_limits<std::int32_t>::max())
    return false;
  value = static_cast<std::int32_t>(wide);
  return true;
}

}  // namespace kb::kafka
