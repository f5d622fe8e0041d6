#include "base/checksum.h"

#include <array>

#include <fmt/format.h>
#include <isa-l/crc.h>
#include <openssl/sha.h>

namespace kb {
namespace {

// x^(8*2^n) modulo the CRC-32C polynomial, reflected: multiplying a CRC by it appends 2^n zero bytes.
constexpr std::uint32_t polynomial = 0x82f63b78;

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 1U << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b & 1U) ? (b >> 1) ^ polynomial : b >> 1;
  }
  return product;
}

constexpr std::array<std::uint32_t, 48> zero_byte_powers = [] {
  std::array<std::uint32_t, 48> powers{};
  powers[0] = 1U << (31 - 8);
  for (std::size_t n = 1; n < powers.size(); ++n) powers[n] = multiply(powers[n - 1], powers[n - 1]);
  return powers;
}();

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  constexpr std::size_t step = 1U << 30;  // ISA-L takes an int
  for (; bytes.size() > step; bytes.remove_prefix(step))
    crc = crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())), step, crc);
  crc = crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())),
                    static_cast<int>(bytes.size()), crc);
  return ~crc;
}

std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b) {
  for (std::size_t n = 0; length_b != 0; ++n, length_b >>= 1)
    if (length_b & 1U) crc_a = multiply(zero_byte_powers.at(n), crc_a);
  return crc_a ^ crc_b;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace kb
