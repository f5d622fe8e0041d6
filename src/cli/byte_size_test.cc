#include "cli/byte_size.h"

#include <doctest/doctest.h>

using kb::cli::parse_byte_size;

TEST_CASE("sizes are numbers with or without a unit") {
  CHECK(parse_byte_size("65536") == 65536u);
  CHECK(parse_byte_size("1Ki") == 1024u);
  CHECK(parse_byte_size("128Mi") == 128u << 20);
  CHECK(parse_byte_size("2Gi") == std::uint64_t{2} << 30);
  CHECK(parse_byte_size("3k") == 3000u);
  CHECK(parse_byte_size("5M") == 5'000'000u);
  CHECK(parse_byte_size("0") == 0u);
}

TEST_CASE("anything else is none") {
  for (const auto* text : {"", "Mi", "-1", "+1", "1.5Gi", "1 Mi", "1mi", "1MiB", " 1", "1 ", "0x10",
                           "99999999999999999999", "18446744073709551615Ki"})
    CHECK_MESSAGE(parse_byte_size(text) == std::nullopt, text);
}
