#include "schema/yaml.h"

#include "base/error.h"
#include "schema/schema.h"

#include <doctest/doctest.h>

using namespace kb;

namespace {

std::string as_json(std::string_view yaml) {
  std::string out;
  for (const auto& document : schema::parse_yaml(yaml, "f.yaml"))
    out += (out.empty() ? "" : " | ") + schema::serialize(document.value);
  return out;
}

std::string problem_of(std::string_view yaml, const schema::YamlLimits& limits = {}) {
  try {
    schema::parse_yaml(yaml, "f.yaml", limits);
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::invalid);
    return e.hint().empty() ? e.what() : fmt::format("{} hint: {}", e.what(), e.hint());
  }
  return "";
}

}  // namespace

TEST_CASE("scalars follow the core schema of YAML 1.2") {
  struct Case {
    std::string_view yaml, json;
  };
  const Case cases[] = {
      {"5", "5"},
      {"+5", "5"},
      {"-5", "-5"},
      {"007", "7"},
      {"0x1F", "31"},
      {"0o17", "15"},
      {"0b1", "\"0b1\""},
      {"1_000", "\"1_000\""},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", "1.8446744073709552E19"},
      {"1.5", "1.5E0"},
      {".5", "5E-1"},
      {"1.", "1E0"},
      {"+1e3", "1E3"},
      {"1e", "\"1e\""},
      {"e5", "\"e5\""},
      {".", "\".\""},
      {"-", "[null]"},
      {"1.2.3", "\"1.2.3\""},
      {"0x", "\"0x\""},
      {"0xg", "\"0xg\""},
      {"true", "true"},
      {"False", "false"},
      {"TRUE", "true"},
      {"tRUE", "\"tRUE\""},
      {"yes", "\"yes\""},
      {"on", "\"on\""},
      {"~", "null"},
      {"Null", "null"},
      {"\"5\"", "\"5\""},
      {"'true'", "\"true\""},
      {"''", "\"\""},
      {"|\n  5", "\"5\""},
      {">-\n  a\n  b", "\"a b\""},
      {"!!str 5", "\"5\""},
      {"! 5", "\"5\""},
      {"!!int 5", "5"},
      {"!!float 5", "5"},
      {"!!bool true", "true"},
      {"2025-12-10T12:00:00Z", "\"2025-12-10T12:00:00Z\""},
      {"\"\\u00e9\\x41\\0\"", "\"\u00e9A\\u0000\""},
      {"127.0.0.1:9092", "\"127.0.0.1:9092\""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.yaml);
    CHECK(as_json(c.yaml) == c.json);
  }
}

TEST_CASE("mappings, lists, documents and JSON") {
  CHECK(as_json("a: 1\nb:\n  - x\n  - y: [1, {c: d}]\ne:\n") ==
        R"({"a":1,"b":["x",{"y":[1,{"c":"d"}]}],"e":null})");
  CHECK(as_json("5: a\ntrue: b\n") == R"({"5":"a","true":"b"})");
  CHECK(as_json("# only a comment\n") == "");
  CHECK(as_json("") == "");
  CHECK(as_json("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n") == R"({"a":1} | null | {"b":2})");
  CHECK(as_json(R"({"a": [1, "2", null], "b": {"c": "\u00e9"}})") ==
        "{\"a\":[1,\"2\",null],\"b\":{\"c\":\"\u00e9\"}}");
  CHECK(as_json("\xef\xbb\xbf"
                "a: 1\r\nb: 2\r\n") == R"({"a":1,"b":2})");
  auto documents = schema::parse_yaml("# c\n\na: 1\n---\n\nb: 1\n", "f.yaml");
  REQUIRE(documents.size() == 2);
  CHECK(documents[0].line == 3);
  CHECK(documents[1].line == 6);
}

TEST_CASE("aliases are resolved in their own document") {
  CHECK(as_json("a: &x [1, 2]\nb: *x\nc: &y 5\nd: *y\n") == R"({"a":[1,2],"b":[1,2],"c":5,"d":5})");
  CHECK(problem_of("a: &x 1\n---\nb: *x\n") == "f.yaml:3:4: no anchor &x before this");
  CHECK(problem_of("a: &x [*x]\n") == "f.yaml:1:8: no anchor &x before this");
}

TEST_CASE("what cannot be read says where") {
  struct Case {
    std::string_view yaml, problem;
  };
  const Case cases[] = {
      {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key 'a' stands twice in this mapping"},
      {"a: 1\n\"a\": 3\n", "f.yaml:2:1: key 'a' stands twice in this mapping"},
      {"[a]: 1\n", "f.yaml:1:1: a key must be plain or quoted text"},
      {"a: &x {b: 1}\nc:\n  <<: *x\n",
       "f.yaml:3:3: merge keys (<<) are not supported hint: write the fields out"},
      {"a: .inf", "f.yaml:1:4: .inf is not a number that JSON has; put it in quotes if it is text"},
      {"a: -.Inf", "f.yaml:1:4: -.Inf is not a number that JSON has; put it in quotes if it is text"},
      {"a: 1e999", "f.yaml:1:4: 1e999 is not a number that JSON has; put it in quotes if it is text"},
      {"a: !mine b", "f.yaml:1:4: tag !mine is not supported for 'b'"},
      {"a: !!int b", "f.yaml:1:4: tag tag:yaml.org,2002:int is not supported for 'b'"},
      {"a: !!binary aGk=", "f.yaml:1:4: tag tag:yaml.org,2002:binary is not supported for 'aGk='"},
      {"a: !!set {b, c}", "f.yaml:1:4: tag tag:yaml.org,2002:set is not supported"},
      {"a: !x [b]", "f.yaml:1:4: tag !x is not supported"},
      {"a: *nobody", "f.yaml:1:4: no anchor &nobody before this"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.yaml);
    CHECK(problem_of(c.yaml) == c.problem);
  }
  CHECK(problem_of("a: b: c\n").starts_with("f.yaml:1:5: mapping values are not allowed"));
  CHECK(problem_of("a:\n\tb: 1\n").ends_with("hint: YAML is indented with spaces, not with tabs"));
  CHECK(problem_of("a: [1, 2\nb: 3\n").starts_with("f.yaml:2:"));
  CHECK(problem_of("a: \"x\n").starts_with("f.yaml:2:1: found unexpected end of stream"));
  CHECK(problem_of("a: \xff\n").starts_with("f.yaml: at byte 3: invalid"));
  CHECK(problem_of("a: \"\\ud800\"\n").starts_with("f.yaml:1:"));
}

TEST_CASE("size, depth, values and documents are bounded") {
  const schema::YamlLimits small{.bytes_max = 100, .nodes_max = 10, .depth_max = 3, .documents_max = 2};
  CHECK(problem_of(std::string(101, ' '), small) == "f.yaml: 101 bytes, at most 100 are read");
  CHECK(problem_of("[[[]]]", small) == "");
  CHECK(problem_of("[[[[]]]]", small) == "f.yaml:1:4: nested deeper than 3 levels");
  CHECK(problem_of("[1,2,3,4,5,6,7,8,9]", small) == "");
  CHECK(problem_of("[1,2,3,4,5,6,7,8,9,0]", small) == "f.yaml:1:20: more than 10 values");
  CHECK(problem_of("--- 1\n--- 2\n--- 3\n", small) == "f.yaml:3:1: more than 2 documents");
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'k'; ++c) {
    bomb += fmt::format("{}: &{} [", c, c);
    for (int i = 0; i < 10; ++i) bomb += fmt::format("{}*{}", i ? ", " : "", static_cast<char>(c - 1));
    bomb += "]\n";
  }
  CHECK(problem_of(bomb).ends_with("more than 200000 values"));
  CHECK(problem_of(std::string(100'000, '[')) == "f.yaml:1:33: nested deeper than 32 levels");
}
