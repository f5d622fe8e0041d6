#include "base/base64.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

TEST_CASE("base64 of the examples in RFC 4648 section 10") {
  CHECK(to_base64("").empty());
  CHECK(to_base64("f") == "Zg==");
  CHECK(to_base64("fo") == "Zm8=");
  CHECK(to_base64("foobar") == "Zm9vYmFy");
  CHECK(to_base64(std::string_view("\xff\xfe\0", 3)) == "//4A");
}

TEST_CASE("base64 for URLs is read without padding, and nothing else is") {
  CHECK(from_base64url("") == "");
  CHECK(from_base64url("Zg") == "f");
  CHECK(from_base64url("Zm8") == "fo");
  CHECK(from_base64url("Zm9vYmFy") == "foobar");
  CHECK(from_base64url("__4A") == std::string("\xff\xfe\0", 3));
  for (auto text : {"Z", "Zg==", "//4A", "Zm 8", "Zm8\n", "Zm9v!mFy"}) CHECK(!from_base64url(text));
}

}  // namespace
}  // namespace kb
