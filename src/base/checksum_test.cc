#include "base/checksum.h"

#include <random>

#include <doctest/doctest.h>

using namespace kb;

namespace {

std::string counting(int from, int step) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes.push_back(static_cast<char>(from + step * i));
  return bytes;
}

// One bit at a time, as RFC 3720 describes it.
std::uint32_t crc32c_slowly(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

std::string random_bytes(std::minstd_rand& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (auto& c : bytes) c = static_cast<char>(random() >> 8);
  return bytes;
}

}  // namespace

TEST_CASE("crc32c: the examples of RFC 3720, appendix B.4") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(crc32c(counting(0, 1)) == 0x46dd794e);
  CHECK(crc32c(counting(31, -1)) == 0x113fdb5c);
  std::string read_command(48, '\0');  // an iSCSI SCSI Read (10) command PDU
  for (auto [at, byte] : {std::pair{0, 0x01},
                          {1, 0xc0},
                          {16, 0x14},
                          {22, 0x04},
                          {27, 0x14},
                          {31, 0x18},
                          {32, 0x28},
                          {40, 0x02}})
    read_command[static_cast<std::size_t>(at)] = static_cast<char>(byte);
  CHECK(crc32c(read_command) == 0xd9963a56);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
}

TEST_CASE("crc32c: equal to the definition at every length and alignment") {
  std::minstd_rand random(1);
  auto bytes = random_bytes(random, 600);
  for (std::size_t offset = 0; offset < 16; ++offset)
    for (std::size_t size = 0; size < 500; size += 1 + random() % 7) {
      auto piece = std::string_view(bytes).substr(offset, size);
      REQUIRE(crc32c(piece) == crc32c_slowly(piece));
    }
}

TEST_CASE("crc32c: continues from a seed, and combines without the bytes") {
  std::minstd_rand random(2);
  for (int i = 0; i < 2000; ++i) {
    auto a = random_bytes(random, random() % 300);
    auto b = random_bytes(random, random() % (i % 10 == 0 ? 70'000 : 300));
    REQUIRE(crc32c(b, crc32c(a)) == crc32c(a + b));
    REQUIRE(crc32c_combine(crc32c(a), crc32c(b), b.size()) == crc32c(a + b));
  }
}

TEST_CASE("crc32c: combining lengths that no test could hold") {
  // Appending 2^n zero bytes twice is appending 2^(n+1).
  auto zeros = [](std::uint32_t crc, std::uint64_t length) { return crc32c_combine(crc, 0, length); };
  for (int n = 0; n < 47; ++n) {
    auto length = std::uint64_t{1} << n;
    REQUIRE(zeros(zeros(0x12345678, length), length) == zeros(0x12345678, 2 * length));
    REQUIRE(zeros(0x12345678, length) != 0x12345678);
  }
}

TEST_CASE("sha256: the examples of FIPS 180-2") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
