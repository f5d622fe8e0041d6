// What a declared type consists of: the vocabulary shared by the visitors of this folder.
//
// A declared type is a struct whose fields() names each member once:
//
//   struct S3Storage {
//     std::string bucket;
//     std::optional<std::string> endpoint;
//     bool path_style = false;
//     void fields(auto& f) {
//       f.required("bucket", bucket, "Bucket that holds the archive.");
//       f("endpoint", endpoint, "Endpoint of an S3-compatible service.");
//       f("pathStyle", path_style, "Put the bucket into the path instead of the host name.");
//     }
//     void check(schema::Check& check) const;  // optional: rules between fields; run by the Reader
//   };
//
// Member initialisers are the defaults. Types of members: bool, integers, double, std::string, Timestamp,
// enums with enum_names, json::value (anything), declared types, and std::optional, std::vector and
// std::map<std::string, T> of those.
#pragma once
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/json/value.hpp>

namespace kb::schema {

namespace json = boost::json;

// A point in time; RFC 3339 in JSON ("2025-12-10T12:00:00Z").
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// Rules for one field. They are checked by the Reader and shown in the documentation; they are not part of
// the OpenAPI schema, since an API server that suddenly refused stored objects would also refuse their status
// updates.
struct Limits {
  std::optional<std::int64_t> min = {}, max = {};  // of numbers, also those in a list or map
  bool non_empty = false;                          // of strings, lists (and strings in them) and maps
};

// A rule between fields in the Common Expression Language, for the API server: a declared type lists its own
// as
//   static constexpr std::array rules{schema::Rule{"!self.a || has(self.b)", "a needs b"}};
// What needs more than CEL, or is checked without an API server too, is said in check().
// ("Validation rules" of https://kubernetes.io/docs/reference/using-api/cel/).
struct Rule {
  std::string_view expression;
  std::string_view message;
};

template <class T>
concept Ruled = requires {
  T::rules;
};

// Enums declare their spelling beside themselves, in the order of the enumerators:
//   constexpr auto enum_names(Compression) { return std::array<std::string_view, 3>{"none", "lz4", "zstd"}; }
// and, when needed, `constexpr bool enum_any_case(E) { return true; }` (upper and lower case are the same)
// and `constexpr bool enum_in_schema(E) { return true; }` (the API server refuses other words, not only we).
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T e) {
  enum_names(e);
};

template <NamedEnum E>
constexpr bool any_case() {
  if constexpr (requires(E e) { enum_any_case(e); }) return enum_any_case(E{});
  return false;
}

template <NamedEnum E>
constexpr bool in_schema() {
  if constexpr (requires(E e) { enum_in_schema(e); }) return enum_in_schema(E{});
  return false;
}

template <NamedEnum E>
std::string_view name_of(E value) {
  return enum_names(value).at(static_cast<std::size_t>(value));
}

template <class T>
struct Unwrapped {
  using type = T;
};
template <class T>
struct Unwrapped<std::optional<T>> {
  using type = T;
};
template <class T>
using unwrapped = typename Unwrapped<T>::type;
template <class T>
concept Optional = !std::is_same_v<unwrapped<T>, T>;

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T>
concept List = is_list<T>;

template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T, std::less<>>> = true;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;
template <class T>
concept Map = is_map<T>;

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

// Stands for any visitor where a concept needs one.
struct AnyVisitor {
  void required(std::string_view, auto&, std::string_view, const Limits& = {}) {}
  void operator()(std::string_view, auto&, std::string_view, const Limits& = {}) {}
};
template <class T>
concept Declared = std::is_class_v<T> && requires(T& t, AnyVisitor& f) {
  t.fields(f);
};

}  // namespace kb::schema
