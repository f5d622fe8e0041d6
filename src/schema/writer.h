// Writer: a declared struct to JSON, fields in their order. Absent optionals are left out, everything else is
// written, defaults too. 64-bit integers stay exact.
#pragma once
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "schema/field.h"
#include "schema/rfc3339.h"

namespace kb::schema {

template <class T>
json::value write(const T& value);

class Writer {
 public:
  template <class T>
  void required(std::string_view name, T& field, std::string_view doc, const Limits& limits = {}) {
    (*this)(name, field, doc, limits);
  }
  template <class T>
  void operator()(std::string_view name, T& field, std::string_view, const Limits& = {}) {
    if constexpr (Optional<T>) {
      if (field) out_[name] = write(*field);
    } else {
      out_[name] = write(field);
    }
  }
  json::object take() && { return std::move(out_); }

 private:
  json::object out_;
};

template <class T>
json::value write(const T& value) {
  if constexpr (std::same_as<T, json::value>) {
    return value;
  } else if constexpr (NamedEnum<T>) {
    return json::value(name_of(value));
  } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    return json::value(value);
  } else if constexpr (std::same_as<T, Timestamp>) {
    return json::value(format_rfc3339(value));
  } else if constexpr (List<T>) {
    json::array out;
    out.reserve(value.size());
    for (const auto& item : value) out.push_back(write(item));
    return out;
  } else if constexpr (Map<T>) {
    json::object out;
    for (const auto& [key, item] : value) out[key] = write(item);
    return out;
  } else {
    static_assert(Declared<T>, "not a type that can stand in a declared struct");
    Writer writer;
    const_cast<T&>(value).fields(
        writer);  // fields() is one list for readers and writers; a Writer changes nothing
    return std::move(writer).take();
  }
}

}  // namespace kb::schema
