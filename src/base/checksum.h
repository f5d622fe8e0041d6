// CRC-32C (RFC 3720, by ISA-L) and SHA-256 (by OpenSSL).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace kb {

// CRC-32C of `bytes`; `seed` is the CRC of what came before them.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);
// CRC-32C of A followed by B, from the CRCs of both and the length of B; O(log length).
std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b);

// Lower-case hexadecimal.
std::string sha256_hex(std::string_view bytes);

}  // namespace kb
