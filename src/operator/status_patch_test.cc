#include "operator/status_patch.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <doctest/doctest.h>

namespace kb::op {
namespace {

std::string patch_of(std::string_view before, std::string_view after) {
  auto patch = merge_patch_between(boost::json::parse(before), boost::json::parse(after));
  return patch ? boost::json::serialize(*patch) : "nothing";
}

TEST_CASE("a merge patch has what changed, and null for what went") {
  CHECK(patch_of(R"({"a":1,"b":{"c":2,"d":3},"l":[1,2]})", R"({"a":1,"b":{"c":5},"l":[1,2]})") ==
        R"({"b":{"d":null,"c":5}})");
  CHECK(patch_of(R"({"l":[1,2]})", R"({"l":[1]})") == R"({"l":[1]})");
  CHECK(patch_of("null", R"({"a":1})") == R"({"a":1})");
  CHECK(patch_of(R"({"a":{"x":1}})", R"({"a":5})") == R"({"a":5})");
}

TEST_CASE("what is equal needs no patch") {
  CHECK(patch_of(R"({"a":1,"b":[{"c":1}]})", R"({"b":[{"c":1}],"a":1})") == "nothing");
  CHECK(patch_of(R"({"a":12})", R"({"a":12.0})") == "nothing");
  CHECK(patch_of(R"({"a":12})", R"({"a":12.5})") == R"({"a":1.25E1})");
  CHECK(patch_of(R"({"a":null})", R"({})") == "nothing");
  CHECK(patch_of(R"({})", R"({"a":null})") == "nothing");
}

// What Go writes for a fraction is read with an error in the last digits.
TEST_CASE("fractions that were sent there and back are equal, large integers only to themselves") {
  for (double value : {2737796.3446475198, 19378201.232032854, 55559535.744322956})
    CHECK(!merge_patch_between(boost::json::parse(fmt::format(R"({{"a":{}}})", value)),
                               boost::json::value{{"a", value}}));
  CHECK(patch_of(R"({"a":1500000000000000})", R"({"a":1500000000000001})") == R"({"a":1500000000000001})");
}

}  // namespace
}  // namespace kb::op
