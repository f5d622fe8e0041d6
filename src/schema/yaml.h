// YAML (by libyaml) to JSON values, with the scalar rules of the YAML 1.2 core schema: what is quoted stays a
// string; null, ~, true, False, 12, 0x1f, 0o17, 1e3 are what they look like; yes, no, on, off are strings.
// https://yaml.org/spec/1.2.2/#103-core-schema. JSON is read too, as a subset.
//
// Refused, each with file, line and column: duplicate keys, keys that are not scalars, merge keys (<<), tags
// other than the core ones, .inf and .nan (JSON has no such number), a document beyond the limits. Aliases
// are resolved; what they bring counts against nodes_max. Thread-safe.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace kb::schema {

struct YamlLimits {
  std::size_t bytes_max = 3 << 20;  // of the whole text; an API server takes objects of 1.5 MiB
  std::size_t nodes_max = 200'000;  // of all documents, aliases resolved
  std::size_t depth_max = 32;
  std::size_t documents_max = 1000;
};

struct YamlDocument {
  boost::json::value value;  // null for an empty document
  std::size_t line = 1;      // where its first node starts
};

// Throws Error(invalid) "file:line:column: what".
std::vector<YamlDocument> parse_yaml(std::string_view text, std::string_view file_name,
                                     const YamlLimits& limits = {});

}  // namespace kb::schema
