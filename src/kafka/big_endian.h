// Big-endian integers at an address, as record batches hold them.
#pragma once
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace kb::kafka {

template <std::unsigned_integral Int>
constexpr Int swap_bytes(Int value) {
  if constexpr (sizeof(Int) == 8) return __builtin_bswap64(value);
  if constexpr (sizeof(Int) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(Int) == 2) return __builtin_bswap16(value);
  return value;
}

template <std::integral Int>
Int read_big_endian(const char* from) {
  std::make_unsigned_t<Int> value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = swap_bytes(value);
  return static_cast<Int>(value);
}

template <std::integral Int>
void write_big_endian(char* to, Int number) {
  auto value = static_cast<std::make_unsigned_t<Int>>(number);
  if constexpr (std::endian::native == std::endian::little) value = swap_bytes(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace kb::kafka
