// Taking away what is not needed of an object, before it is cached. Pure.
#pragma once
#include <initializer_list>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace kb::op {

// Of an object; anything else stays as it is.
template <class Names = std::initializer_list<std::string_view>>
void keep_only(boost::json::value& value, const Names& names) {
  auto* object = value.if_object();
  if (!object) return;
  boost::json::object kept;
  for (std::string_view name : names)
    if (auto* member = object->if_contains(name)) kept[name] = std::move(*member);
  *object = std::move(kept);
}

}  // namespace kb::op
