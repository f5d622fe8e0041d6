// One page of a list, taken apart without parsing it as a whole: one object at a time is parsed then, and one
// that cannot be read does not take the others along. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

namespace kb::kube {

namespace json = boost::json;

struct ListPage {
  std::string resource_version, continue_token;  // the token is empty on the last page
  std::string api_version, kind;                 // of the items, which may come without
  std::vector<std::string_view> items;           // JSON texts in the text that was given
};

// An object from its text. A member of the outermost object that cannot be parsed, because it nests too deep,
// becomes a text that says why, so that the object is still there. Throws corrupt when it is no object.
json::value parse_object(std::string_view text);
// The same of the object in an event of a watch.
json::value parse_event(std::string_view text);

// Throws corrupt when it is not a list.
ListPage split_list(std::string_view text);

}  // namespace kb::kube
