#include "api/kinds.h"

#include <fstream>
#include <set>
#include <sstream>

#include <boost/json/serialize.hpp>

#include "api/crd.h"
#include "schema/schema.h"
#include "schema/yaml.h"

#include <doctest/doctest.h>

namespace kb::api {
namespace {

namespace json = boost::json;

std::string read_file(const std::string& path) {
  std::ifstream in(std::string(KB_SOURCE_DIR) + "/" + path, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string type_of(const json::object& schema) {
  std::string type(schema.at("type").as_string());
  if (type == "array") return "list";
  if (type == "object" && schema.contains("additionalProperties")) return "map";
  if (schema.contains("format") && schema.at("format") == "date-time") return "time";
  return type;
}

// A line for each field below: path, type, whether required, default.
void flatten(const std::string& path, const json::object& schema, std::set<std::string>& lines) {
  std::set<std::string> required;
  if (const auto* names = schema.if_contains("required"))
    for (const auto& name : names->as_array()) required.insert(std::string(name.as_string()));
  if (const auto* properties = schema.if_contains("properties")) {
    for (const auto& member : properties->as_object()) {
      const auto& field = member.value().as_object();
      const std::string name(member.key());
      std::string line = path + "." + name + " " + type_of(field);
      if (required.contains(name)) line += " required";
      if (const auto* value = field.if_contains("default")) line += " default " + json::serialize(*value);
      lines.insert(line);
      flatten(path + "." + name, field, lines);
    }
  }
  for (const auto& [key, step] : {std::pair{"items", "[]"}, std::pair{"additionalProperties", ".*"}})
    if (const auto* below = schema.if_contains(key)) {
      lines.insert(path + step + " " + type_of(below->as_object()));
      flatten(path + step, below->as_object(), lines);
    }
}

std::set<std::string> fields_of_all_kinds() {
  std::set<std::string> lines;
  for (const auto& kind : kinds()) {
    flatten(std::string(kind.kind) + ".spec", kind.spec_schema(), lines);
    flatten(std::string(kind.kind) + ".status", kind.status_schema(), lines);
  }
  return lines;
}

TEST_CASE("every field that users know is there, with its type and default") {
  const auto ours = fields_of_all_kinds();
  std::istringstream known(read_file("tests/data/api/release-1.4.1.txt"));
  std::size_t compared = 0;
  std::set<std::string> paths;
  for (std::string line; std::getline(known, line);) {
    if (line.starts_with("#")) continue;
    CHECK_MESSAGE(ours.contains(line), line);
    paths.insert(line.substr(0, line.find(' ')));
    ++compared;
  }
  CHECK(compared == 586);
  // What we add must not be asked of YAML that was written before.
  for (const auto& line : ours)
    if (!paths.contains(line.substr(0, line.find(' '))) && line.find(" required") != std::string::npos) {
      const auto parent = line.substr(0, line.find_last_of(".[", line.find(' ')));
      CHECK_MESSAGE(!paths.contains(parent), line);
    }
}

TEST_CASE("names, columns and schemas are those of a CustomResourceDefinition") {
  CHECK(kinds().size() == 5);
  std::set<std::string_view> short_names;
  for (const auto& kind : kinds()) {
    short_names.insert(kind.short_name);
    const auto crd = json::value(custom_resource_definition(kind));
    CHECK(crd.at("metadata").at("name").as_string() == std::string(kind.plural) + ".kafka.oso.sh");
    const auto& version = crd.at("spec").at("versions").at(0);
    CHECK(version.at("subresources").as_object().contains("status"));
    CHECK(version.at("additionalPrinterColumns").as_array().size() == kind.columns.size());
  }
  CHECK(short_names == std::set<std::string_view>{"kb", "kr", "kor", "korb", "kbv"});
}

TEST_CASE("a status has no defaults: nobody but the operator says anything in it") {
  for (const auto& kind : kinds())
    CHECK(json::serialize(kind.status_schema()).find("\"default\"") == std::string::npos);
}

TEST_CASE("deploy/crds/all.yaml is fresh") {
  const bool is_fresh = read_file("deploy/crds/all.yaml") == crds_yaml();
  CHECK_MESSAGE(is_fresh, "run: build/release/crdgen > deploy/crds/all.yaml");
  CHECK(schema::parse_yaml(crds_yaml(), "all.yaml").size() == 5);
}

}  // namespace
}  // namespace kb::api
