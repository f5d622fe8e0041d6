// OpenApi: the OpenAPI v3 schema of a declared type, as a CustomResourceDefinition of apiextensions.k8s.io/v1
// takes it (structural: every node has a type). Ranges are those of the integer types, not the Limits (see
// there); enums are listed only where enum_in_schema says so.
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
#pragma once
#include <limits>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "schema/field.h"
#include "schema/writer.h"

namespace kb::schema {

template <class T>
json::object openapi_of();

class OpenApi {
 public:
  template <class T>
  void required(std::string_view name, T&, std::string_view doc, const Limits& = {}) {
    required_.emplace_back(name);
    add<unwrapped<T>>(name, doc);
  }
  template <class T>
  void operator()(std::string_view name, T& field, std::string_view doc, const Limits& = {}) {
    json::object& property = add<unwrapped<T>>(name, doc);
    if constexpr (Optional<T>)
      property["nullable"] = true;
    else
      property["default"] = write(field);
  }
  json::object take() && {
    json::object out{{"type", "object"}, {"properties", std::move(properties_)}};
    if (!required_.empty()) out["required"] = std::move(required_);
    return out;
  }

 private:
  template <class T>
  json::object& add(std::string_view name, std::string_view doc) {
    json::object property = openapi_of<T>();
    if (!doc.empty()) property["description"] = doc;
    return (properties_[name] = std::move(property)).get_object();
  }

  json::object properties_;
  json::array required_;
};

template <Integer T>
json::object openapi_of_integer() {
  json::object out{{"type", "integer"}};
  // The two formats that API servers know; of others they warn whoever installs the definition.
  if (std::is_signed_v<T> && sizeof(T) >= sizeof(std::int32_t))
    out["format"] = fmt::format("int{}", sizeof(T) * 8);
  if (std::is_unsigned_v<T> || sizeof(T) < sizeof(std::int32_t))
    out["minimum"] = std::numeric_limits<T>::min();
  if (sizeof(T) < sizeof(std::int64_t)) out["maximum"] = std::numeric_limits<T>::max();
  return out;
}

template <class T>
json::object openapi_of() {
  if constexpr (std::same_as<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (NamedEnum<T>) {
    json::object out{{"type", "string"}};
    if constexpr (in_schema<T>()) {
      json::array names;
      for (std::string_view name : enum_names(T{})) names.emplace_back(name);
      out["enum"] = std::move(names);
    }
    return out;
  } else if constexpr (Integer<T>) {
    return openapi_of_integer<T>();
  } else if constexpr (std::same_as<T, double>) {
    return {{"type", "number"}, {"format", "double"}};
  } else if constexpr (std::same_as<T, std::string>) {
    return {{"type", "string"}};
  } else if constexpr (std::same_as<T, Timestamp>) {
    return {{"type", "string"}, {"format", "date-time"}};
  } else if constexpr (std::same_as<T, json::value>) {
    return {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  } else if constexpr (List<T>) {
    return {{"type", "array"}, {"items", openapi_of<typename T::value_type>()}};
  } else if constexpr (Map<T>) {
    return {{"type", "object"}, {"additionalProperties", openapi_of<typename T::mapped_type>()}};
  } else {
    static_assert(Declared<T>, "not a type that can stand in a declared struct");
    T value{};
    OpenApi visitor;
    value.fields(visitor);
    auto out = std::move(visitor).take();
    if constexpr (Ruled<T>) {
      json::array rules;
      for (const Rule& rule : T::rules)
        rules.push_back(json::object{{"rule", rule.expression}, {"message", rule.message}});
      out["x-kubernetes-validations"] = std::move(rules);
    }
    return out;
  }
}

}  // namespace kb::schema
