#include "kube/list_page.h"

#include "base/error.h"
#include "kube/api.h"
#include "kube/line_splitter.h"

#include <doctest/doctest.h>

namespace kb::kube {
namespace {

TEST_CASE("a page is taken apart") {
  auto page = split_list(
      R"({"kind":"JobList","apiVersion":"batch/v1","metadata":{"resourceVersion":"42","continue":"next"},)"
      R"( "items": [ {"a":"]},{\"\\"} , {"b":[{},[1,2]],"items":[3]},null]})");
  CHECK_EQ(page.kind, "Job");
  CHECK_EQ(page.api_version, "batch/v1");
  CHECK_EQ(page.resource_version, "42");
  CHECK_EQ(page.continue_token, "next");
  REQUIRE_EQ(page.items.size(), 3);
  CHECK_EQ(page.items[0], R"({"a":"]},{\"\\"} )");
  CHECK_EQ(page.items[1], R"({"b":[{},[1,2]],"items":[3]})");
}

TEST_CASE("items come first, or are none") {
  auto page =
      split_list(R"({"items":[{"a":1}],"kind":"PodList","metadata":{"items":[1],"resourceVersion":"1"}})");
  CHECK_EQ(page.items.size(), 1);
  CHECK_EQ(page.resource_version, "1");
  for (const char* items : {"[]", "[ ]", "null"}) {
    auto text = fmt::format(R"({{"kind":"PodList","metadata":{{"resourceVersion":"7"}},"items":{}}})", items);
    CHECK(split_list(text).items.empty());
    CHECK_EQ(split_list(text).resource_version, "7");
  }
}

TEST_CASE("of an object that nests too deep the rest is read, and what is wrong is said") {
  const auto deep = std::string(500, '[') + std::string(500, ']');
  const auto object = fmt::format(
      R"({{"kind":"X","metadata":{{"managedFields":{0},"name":"n"}},"spec":{{"a":{0}}},"status":{{}}}})",
      deep);
  for (const auto& read :
       {parse_object(object),
        parse_event(fmt::format(R"({{"type":"ADDED","object":{}}})", object)).at("object")}) {
    CHECK(text_at(read, "metadata.name") == "n");
    CHECK(text_at(read, "spec").find("cannot be read") == 0);
    CHECK(read.at("status").is_object());
  }
  CHECK(text_at(parse_event(R"({"type":"ADDED","object":{"a":1}})"), "type") == "ADDED");
  CHECK_THROWS_AS(parse_object("{\"spec\":" + deep + "}"), Error);
  CHECK_THROWS_AS(parse_object("[1"), Error);
  CHECK_THROWS_AS(parse_event("nonsense"), Error);
}

TEST_CASE("an object that nests too deep does not take the others along") {
  auto deep = std::string(500, '[') + std::string(500, ']');
  const auto text = fmt::format(R"({{"kind":"XList","items":[{{"a":{}}},{{"b":1}}]}})", deep);
  auto page = split_list(text);
  REQUIRE_EQ(page.items.size(), 2);
  CHECK_EQ(page.items[1], R"({"b":1})");
}

TEST_CASE("what is no list") {
  for (const char* text : {"", "[]", "{", R"({"kind":"Pod"})", R"({"items":[{"a":1})", R"({"items)",
                           R"({"kind":"PodList","items":[1,2)", R"({"items":[}]})", "<html>"}) {
    try {
      split_list(text);
      FAIL(text);
    } catch (const Error& error) {
      CHECK_EQ(error.kind(), ErrorKind::corrupt);
    }
  }
}

TEST_CASE("lines however they were cut") {
  std::vector<std::string> lines;
  std::function<void(std::string_view)> keep = [&](std::string_view line) { lines.emplace_back(line); };
  LineSplitter splitter(5, keep);
  for (const char* piece : {"a", "b\nc", "", "\n", "\n12345\nla", "st"}) splitter.add(piece);
  CHECK_EQ(lines, std::vector<std::string>{"ab", "c", "12345"});
  splitter.finish();
  CHECK_EQ(lines.back(), "last");
  splitter.add("123");
  CHECK_THROWS_AS(splitter.add("456"), Error);
}

}  // namespace
}  // namespace kb::kube
