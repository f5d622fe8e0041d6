#include "kube/packed_text.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

TEST_CASE("a text comes back as it was") {
  std::string long_one;
  for (int i = 0; i < 10'000; ++i) long_one += "a line that is much like the others, " + std::to_string(i);
  for (const std::string& text : {std::string(), std::string("x"), std::string("\0\xff\0", 3), long_one})
    CHECK(PackedText(text).unpack() == text);
}

}  // namespace
}  // namespace kb::kube
