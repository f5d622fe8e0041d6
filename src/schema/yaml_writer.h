// JSON values as YAML (by libyaml) that YAML 1.1 and 1.2 readers understand alike. Pure.
#pragma once
#include <string>

#include <boost/json/value.hpp>

namespace kb::schema {

// One document that begins with "---"; block style, keys in their order, strings quoted where a reader could
// take them for something else.
std::string to_yaml(const boost::json::value& value);

}  // namespace kb::schema
