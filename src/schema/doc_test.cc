#include "schema/doc.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "schema/openapi.h"

#include <doctest/doctest.h>

using namespace kb::schema;

namespace {

enum class Mode { fast, exact };
constexpr auto enum_names(Mode) {
  return std::array<std::string_view, 2>{"fast", "exact"};
}
constexpr bool enum_in_schema(Mode) {
  return true;
}
enum class Word { one };
constexpr auto enum_names(Word) {
  return std::array<std::string_view, 1>{"one"};
}

struct Inner {
  std::string name;
  std::uint16_t port = 80;
  void fields(auto& f) {
    f.required("name", name, "Name, a|b.", {.non_empty = true});
    f("port", port, "Port.", {.min = 1});
  }
};

struct Outer {
  Mode mode = Mode::exact;
  Word word = Word::one;
  std::vector<std::string> topics = {"x"};
  std::optional<Inner> inner;
  std::vector<Inner> list;
  std::map<std::string, Inner> map;
  std::optional<Timestamp> at;
  std::int64_t offset = -1;
  double ratio = 0;
  bool on = true;
  std::optional<json::value> any;
  void fields(auto& f) {
    f("mode", mode, "Mode.");
    f("word", word, "");
    f("topics", topics, "Topics.");
    f("inner", inner, "Inner.");
    f("list", list, "");
    f.required("map", map, "");
    f("at", at, "");
    f("offset", offset, "", {.min = -1, .max = 5});
    f("ratio", ratio, "");
    f("on", on, "");
    f("any", any, "");
  }
};

}  // namespace

TEST_CASE("the reference table lists every field with type, default and rules") {
  CHECK(to_markdown(describe<Outer>("spec")) == R"(| Field | Type | Default | Meaning |
|---|---|---|---|
| `spec.mode` | `fast`, `exact` | `"exact"` | Mode. |
| `spec.word` | `one` | `"one"` |  |
| `spec.topics` | list of string | `["x"]` | Topics. |
| `spec.inner` | object |  | Inner. |
| `spec.inner.name` | string | required | Name, a\|b. Not empty. |
| `spec.inner.port` | integer | `80` | Port. At least 1. |
| `spec.list` | list of object | `[]` |  |
| `spec.list[].name` | string | required | Name, a\|b. Not empty. |
| `spec.list[].port` | integer | `80` | Port. At least 1. |
| `spec.map` | map of string to object | required |  |
| `spec.map.<key>.name` | string | required | Name, a\|b. Not empty. |
| `spec.map.<key>.port` | integer | `80` | Port. At least 1. |
| `spec.at` | time (RFC 3339) |  |  |
| `spec.offset` | integer | `-1` | From -1 to 5. |
| `spec.ratio` | number | `0E0` |  |
| `spec.on` | boolean | `true` |  |
| `spec.any` | anything |  |  |
)");
}

TEST_CASE("the OpenAPI schema is structural, with defaults, required fields and ranges of the types") {
  auto inner = json::parse(R"({"type":"object","required":["name"],"properties":{
    "name":{"type":"string","description":"Name, a|b."},
    "port":{"type":"integer","minimum":0,"maximum":65535,
      "description":"Port.","default":80}}})");
  auto nullable_inner = inner;
  nullable_inner.as_object()["nullable"] = true;
  nullable_inner.as_object()["description"] = "Inner.";
  json::object properties{
      {"mode",
       {{"type", "string"}, {"enum", {"fast", "exact"}}, {"description", "Mode."}, {"default", "exact"}}},
      {"word", {{"type", "string"}, {"default", "one"}}},
      {"topics",
       {{"type", "array"},
        {"items", {{"type", "string"}}},
        {"description", "Topics."},
        {"default", json::array{"x"}}}},
      {"inner", nullable_inner},
      {"list", {{"type", "array"}, {"items", inner}, {"default", json::array()}}},
      {"map", {{"type", "object"}, {"additionalProperties", inner}}},
      {"at", {{"type", "string"}, {"format", "date-time"}, {"nullable", true}}},
      {"offset", {{"type", "integer"}, {"format", "int64"}, {"default", -1}}},
      {"ratio", {{"type", "number"}, {"format", "double"}, {"default", 0.0}}},
      {"on", {{"type", "boolean"}, {"default", true}}},
      {"any", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}, {"nullable", true}}},
  };
  auto schema = openapi_of<Outer>();
  for (const auto& [name, wanted] : properties) {
    const auto& property = name;
    CAPTURE(property);
    CHECK(schema["properties"].at(name) == wanted);
  }
  CHECK(schema["properties"].as_object().size() == properties.size());
  CHECK(schema["required"] == json::value(json::array{"map"}));
}
