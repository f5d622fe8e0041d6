#include "schema/yaml_writer.h"

#include "schema/schema.h"
#include "schema/yaml.h"

#include <doctest/doctest.h>

namespace kb::schema {
namespace {

TEST_CASE("what is written is block style, in the order of the keys") {
  auto value = parse_json(R"({"b":{"list":["x",1,true,null],"none":[],"empty":{}},"a":"y"})", "test");
  CHECK(to_yaml(value) ==
        "---\nb:\n  list:\n  - x\n  - 1\n  - true\n  - null\n  none: []\n  empty: {}\na: \"y\"\n");
}

TEST_CASE("every string comes back as it was, by our reader and by a YAML 1.1 one") {
  for (const char* text :
       {"",       "plain", "two words", "yes", "No",    "ON",    "off", "y",    "true", "null",
        "~",      "12",    "0x1f",      "1e3", "1_000", "12:30", "- x", "a: b", "a #b", "#c",
        "*x",     "&y",    "!z",        "|",   ">",     "'",     "\"",  "\\",   "a\nb", " lead",
        "trail ", "\t",    "ä€",        "{}",  "[]",    "@",     "`",   "%d",   "---",  "2025-12-10"}) {
    CAPTURE(text);
    auto yaml = to_yaml(json::value{{"key", text}, {text, 1}});
    auto documents = parse_yaml(yaml, "test");
    REQUIRE(documents.size() == 1);
    CHECK(documents[0].value == json::value{{"key", text}, {text, 1}});
  }
  for (const char* text : {"yes", "No", "ON", "off", "y", "N"})
    CHECK(to_yaml(json::value{{"key", text}}) == std::string("---\nkey: \"") + text + "\"\n");
}

}  // namespace
}  // namespace kb::schema
