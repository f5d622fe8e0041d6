// Doc: the rows of a reference table from a declared type; nested fields follow with dotted paths.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/serialize.hpp>
#include <fmt/ranges.h>

#include "schema/field.h"
#include "schema/writer.h"

namespace kb::schema {

struct DocRow {
  std::string field;          // spec.storage.s3.bucket, spec.repartitioning.<key>.strategy
  std::string type;           // "string", "list of string", "`a`, `b`"
  std::string default_value;  // "required", JSON of the default, or empty
  std::string meaning;
};

// A Markdown table; what would end a cell is escaped.
std::string to_markdown(const std::vector<DocRow>& rows);
// The rules of a field as a sentence: "At least 1.", or empty.
std::string sentence(const Limits& limits);

template <class T>
std::string type_name() {
  if constexpr (NamedEnum<T>) return fmt::format("`{}`", fmt::join(enum_names(T{}), "`, `"));
  if constexpr (std::same_as<T, bool>) return "boolean";
  if constexpr (Integer<T>) return "integer";
  if constexpr (std::same_as<T, double>) return "number";
  if constexpr (std::same_as<T, std::string>) return "string";
  if constexpr (std::same_as<T, Timestamp>) return "time (RFC 3339)";
  if constexpr (std::same_as<T, json::value>) return "anything";
  if constexpr (List<T>) return "list of " + type_name<typename T::value_type>();
  if constexpr (Map<T>) return "map of string to " + type_name<typename T::mapped_type>();
  return "object";
}

class Doc {
 public:
  Doc(std::string prefix, std::vector<DocRow>& rows) : prefix_(std::move(prefix)), rows_(rows) {}

  template <class T>
  void required(std::string_view name, T&, std::string_view doc, const Limits& limits = {}) {
    add<unwrapped<T>>(name, doc, limits, "required");
  }
  template <class T>
  void operator()(std::string_view name, T& field, std::string_view doc, const Limits& limits = {}) {
    std::string default_value;
    if constexpr (!Optional<T> && !Declared<T>) default_value = json::serialize(write(field));
    add<unwrapped<T>>(name, doc, limits, std::move(default_value));
  }

 private:
  template <class T>
  void add(std::string_view name, std::string_view doc, const Limits& limits, std::string default_value) {
    std::string path = fmt::format("{}{}", prefix_, name);
    std::string rules = sentence(limits);
    std::string meaning = fmt::format("{}{}{}", doc, doc.empty() || rules.empty() ? "" : " ", rules);
    rows_.push_back({path, type_name<T>(), std::move(default_value), std::move(meaning)});
    nested<T>(path);
  }
  template <class T>
  void nested(const std::string& path) {
    if constexpr (Declared<T>) {
      T value{};
      Doc doc(path + ".", rows_);
      value.fields(doc);
    } else if constexpr (List<T>) {
      nested<typename T::value_type>(path + "[]");
    } else if constexpr (Map<T>) {
      nested<typename T::mapped_type>(path + ".<key>");
    }
  }

  std::string prefix_;
  std::vector<DocRow>& rows_;
};

template <Declared T>
std::vector<DocRow> describe(std::string_view root) {
  std::vector<DocRow> rows;
  T value{};
  Doc doc(root.empty() ? "" : fmt::format("{}.", root), rows);
  value.fields(doc);
  return rows;
}

}  // namespace kb::schema
