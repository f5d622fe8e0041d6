#include "schema/schema.h"

#include <doctest/doctest.h>

using namespace kb;

namespace {

enum class Colour { red, green };
constexpr auto enum_names(Colour) {
  return std::array<std::string_view, 2>{"red", "green"};
}
enum class Security { plaintext, sasl_ssl };
constexpr auto enum_names(Security) {
  return std::array<std::string_view, 2>{"PLAINTEXT", "SASL_SSL"};
}
constexpr bool enum_any_case(Security) {
  return true;
}

struct Leaf {
  std::string name;
  std::int32_t count = 7;
  void fields(auto& f) {
    f.required("name", name, "Name.", {.non_empty = true});
    f("count", count, "Count.", {.min = 1, .max = 9});
  }
  bool operator==(const Leaf&) const = default;
};

struct Tree {
  std::uint64_t bytes = 0;
  std::int64_t offset = -1;
  std::uint16_t port = 9090;
  double ratio = 0.5;
  bool on = true;
  Colour colour = Colour::green;
  Security security = Security::plaintext;
  std::optional<schema::Timestamp> at;
  std::optional<Leaf> leaf;
  std::vector<Leaf> leaves;
  std::vector<std::string> topics;
  std::map<std::string, std::string> mapping;
  std::map<std::string, std::int32_t> numbers;
  std::optional<boost::json::value> anything;
  std::optional<std::string> note;

  void fields(auto& f) {
    f("bytes", bytes, "");
    f("offset", offset, "");
    f("port", port, "", {.min = 1});
    f("ratio", ratio, "");
    f("on", on, "");
    f("colour", colour, "");
    f("security", security, "");
    f("at", at, "");
    f("leaf", leaf, "");
    f("leaves", leaves, "");
    f("topics", topics, "", {.non_empty = true});
    f("mapping", mapping, "");
    f("numbers", numbers, "", {.min = 0});
    f("anything", anything, "");
    f("note", note, "");
  }
  void check(schema::Check& check) const {
    if (port == 80 && !leaf) check.problem("leaf", "is needed when {} is 80", check.path("port"));
  }
  bool operator==(const Tree&) const = default;
};

std::string problems_of(std::string_view json, const schema::ReadOptions& options = {}) {
  Tree tree;
  schema::Problems problems;
  schema::read_into(schema::parse_json(json, "test"), "spec", tree, problems, options);
  return problems.empty() ? "" : problems.to_string("");
}

}  // namespace

TEST_CASE("what was written is read back, to the last bit") {
  Tree tree;
  tree.bytes = UINT64_MAX;
  tree.offset = INT64_MIN;
  tree.port = 1;
  tree.ratio = 0.1;
  tree.on = false;
  tree.colour = Colour::red;
  tree.security = Security::sasl_ssl;
  tree.at = schema::parse_rfc3339("2025-12-10T12:00:00.000001Z");
  tree.leaf = Leaf{"a", 2};
  tree.leaves = {{"b", 3}, {"\u00e9\n\"", 9}};
  tree.topics = {"orders", "a b"};
  tree.mapping = {{"a.b", "c"}, {"", "empty"}};
  tree.numbers = {{"x", INT32_MAX}};
  tree.anything = boost::json::value{{"k", {1, nullptr}}};
  std::string text = schema::write_text(tree);
  CHECK(schema::read_text<Tree>(text, "t") == tree);
  CHECK(schema::write_text(schema::read_text<Tree>(text, "t")) == text);
  CHECK(text.find("\"note\"") == std::string::npos);
  CHECK(text.find("18446744073709551615") != std::string::npos);
}

TEST_CASE("absent and null keep the default") {
  CHECK(schema::read_text<Tree>("{}", "t") == Tree{});
  CHECK(schema::read_text<Tree>(R"({"bytes":null,"leaf":null,"topics":null,"note":null,"colour":null})",
                                "t") == Tree{});
}

TEST_CASE("problems name the place and what is wanted") {
  struct Case {
    std::string_view json, problem;
  };
  const Case cases[] = {
      {R"({"byts":1})", "spec.byts is not a known field (did you mean bytes?)"},
      {R"({"BYTES":1})", "spec.BYTES is not a known field (did you mean bytes?)"},
      {R"({"zzzzzzz":1})", "spec.zzzzzzz is not a known field"},
      {R"([])", "spec must be a mapping, not a list"},
      {R"({"bytes":"1"})", "spec.bytes must be an integer, not '1'"},
      {R"({"bytes":-1})", "spec.bytes must be an integer of at least 0"},
      {R"({"bytes":1.5})", "spec.bytes must be an integer, not the number 1.5"},
      {R"({"bytes":1e30})", "spec.bytes must be an integer, not the number 1e+30"},
      {R"({"bytes":18446744073709551616})",
       "spec.bytes must be an integer, not the number 1.8446744073709552e+19"},
      {R"({"offset":9223372036854775808})",
       "spec.offset must be an integer between -9223372036854775808 and 9223372036854775807"},
      {R"({"port":0})", "spec.port must be an integer between 1 and 65535"},
      {R"({"port":65536})", "spec.port must be an integer between 1 and 65535"},
      {R"({"ratio":"x"})", "spec.ratio must be a number, not 'x'"},
      {R"({"on":"yes"})", "spec.on must be true or false, not 'yes'"},
      {R"({"on":1})", "spec.on must be true or false, not the number 1"},
      {R"({"colour":"Red"})", "spec.colour must be one of red, green, not 'Red'"},
      {R"({"colour":1})", "spec.colour must be a string, not the number 1 (put it in quotes)"},
      {R"({"security":"TLS"})", "spec.security must be one of PLAINTEXT, SASL_SSL, not 'TLS'"},
      {R"({"at":"yesterday"})", "spec.at must be a time like 2025-12-10T12:00:00Z, not 'yesterday'"},
      {R"({"at":5})", "spec.at must be a time in RFC 3339, not the number 5"},
      {R"({"leaf":{}})", "spec.leaf.name is required"},
      {R"({"leaf":{"name":null}})", "spec.leaf.name is required"},
      {R"({"leaf":{"name":""}})", "spec.leaf.name must not be empty"},
      {R"({"leaf":"x"})", "spec.leaf must be a mapping, not 'x'"},
      {R"({"leaf":{"name":"a","count":10}})", "spec.leaf.count must be an integer between 1 and 9"},
      {R"({"leaves":[{"name":"a"},{"name":"b","cuont":1}]})",
       "spec.leaves[1].cuont is not a known field (did you mean count?)"},
      {R"({"leaves":{}})", "spec.leaves must be a list, not a mapping"},
      {R"({"topics":[]})", "spec.topics must not be empty"},
      {R"({"topics":["a",5]})", "spec.topics[1] must be a string, not the number 5 (put it in quotes)"},
      {R"({"topics":["a",null]})", "spec.topics[1] must be a string, not null"},
      {R"({"topics":["a",""]})", "spec.topics[1] must not be empty"},
      {R"({"mapping":{"a.b":true}})", "spec.mapping[a.b] must be a string, not true (put it in quotes)"},
      {R"({"mapping":[]})", "spec.mapping must be a mapping, not a list"},
      {R"({"numbers":{"0":-1}})", "spec.numbers[0] must be an integer between 0 and 2147483647"},
      {R"({"port":80})", "spec.leaf is needed when spec.port is 80"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.json);
    CHECK(problems_of(c.json) == c.problem);
  }
}

TEST_CASE("all problems are found, and rules do not echo them") {
  CHECK(problems_of(R"({"on":3,"leaf":{"count":0},"x":1})") ==
        "4 problems:\n  spec.on must be true or false, not the number 3\n  spec.leaf.name is required\n"
        "  spec.leaf.count must be an integer between 1 and 9\n  spec.x is not a known field");
  CHECK(problems_of(R"({"port":80,"leaf":7})") == "spec.leaf must be a mapping, not the number 7");
}

TEST_CASE("words of an any-case enum are read whatever their case and written as declared") {
  auto tree = schema::read_text<Tree>(R"({"security":"sasl_Ssl"})", "t");
  CHECK(tree.security == Security::sasl_ssl);
  CHECK(schema::write_text(tree).find("\"SASL_SSL\"") != std::string::npos);
}

TEST_CASE("unknown fields can be ignored") {
  CHECK(problems_of(R"({"x":1,"leaf":{"name":"a","y":2}})",
                    {.unknown_fields = schema::UnknownFields::ignore}) == "");
}

TEST_CASE("the number of problems kept is bounded") {
  std::string json = "{";
  for (int i = 0; i < 1000; ++i) json += fmt::format("{}\"unknown{}\":1", i ? "," : "", i);
  std::string text = problems_of(json + "}");
  CHECK(text.starts_with("1000 problems:\n  spec.unknown0 is not a known field\n"));
  CHECK(text.ends_with("\n  and 900 more"));
}

TEST_CASE("errors carry the kind asked for and the name of the text") {
  auto failure = [](std::string_view text) {
    try {
      schema::read_text<Tree>(text, "sets/x", {.error_kind = ErrorKind::corrupt});
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::corrupt);
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(failure(R"({"on":0})") == "sets/x: on must be true or false, not the number 0");
  CHECK(failure(R"({"on":tru})").starts_with("sets/x: not JSON at byte "));
  CHECK(failure("").starts_with("sets/x: not JSON at byte 0"));
  CHECK(failure("{} {}").starts_with("sets/x: not JSON at byte "));
  CHECK(failure(std::string(100'000, '[')).starts_with("sets/x: not JSON at byte "));
}
