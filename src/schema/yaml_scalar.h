// What a YAML scalar means: section 10.3.2 of YAML 1.2.2 (core schema). Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace kb::schema {

struct ScalarText {
  std::string_view text;
  std::string_view tag;  // full form "tag:yaml.org,2002:str", or empty
  bool plain = true;     // neither quoted nor a block
};

// Empty, with `problem` set, when the scalar has no JSON value.
std::optional<boost::json::value> resolve_scalar(const ScalarText& scalar, std::string& problem);

}  // namespace kb::schema
