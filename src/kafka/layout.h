// The wire layout of one version of a message as text, to be compared with Kafka's own definitions
// (tests/kafka_layouts.py). The fourth visitor of a field list, see codec.h.
//
//   {int32=-1 string?=null [{int32=0}] <0=int64=-1>}
//   type, ? when it may be null, = default; [] an array; {} a struct; <> its tagged fields by tag;
//   ! what a flexible message writes the old way
#pragma once
#include <map>
#include <string>

#include "kafka/codec.h"

namespace kb::kafka {

class LayoutPrinter {
 public:
  explicit LayoutPrinter(int16_t version) : version_(version) {}

  template <class T>
  void operator()(T& field, Versions in = {}, Versions nullable = {}) {
    if (in.contains(version_)) separate(of_field(field, nullable.contains(version_)));
  }
  template <class T>
  void inflexible(T& field) {
    separate("!" + of_field(field, true));
  }
  template <class T>
  void tagged(uint32_t tag, T& field, Versions in = {}, const T& absent = {}) {
    if (in.contains(version_))
      tags_[tag] = of_field(field, true) + (field == absent ? "" : " initialised otherwise");
  }
  template <Struct M>
  std::string of_struct(M m = {}) const {
    LayoutPrinter inner(version_);
    m.fields(inner);
    std::string tags;
    for (const auto& [tag, layout] : inner.tags_)
      tags += fmt::format("{}{}={}", tags.empty() ? "" : " ", tag, layout);
    if (!tags.empty()) inner.separate("<" + tags + ">");
    return "{" + inner.text_ + "}";
  }

 private:
  template <class T>
  std::string of_field(const T& field, bool nullable) const {
    if constexpr (is_optional<T>::value) {
      using Value = typename T::value_type;
      const std::string type = of_type<Value>() + (nullable ? "?" : "");
      return type + (field ? default_of(*field) : "=null");
    } else {
      return of_type<T>() + (std::is_same_v<T, Records> && nullable ? "?" : "") + default_of(field);
    }
  }
  template <class T>
  std::string of_type() const {
    if constexpr (std::is_enum_v<T>)
      return of_type<std::underlying_type_t<T>>();
    else if constexpr (std::is_same_v<T, bool>)
      return "bool";
    else if constexpr (std::is_integral_v<T>)
      return fmt::format("int{}", 8 * sizeof(T));
    else if constexpr (std::is_same_v<T, double>)
      return "float64";
    else if constexpr (std::is_same_v<T, std::string>)
      return "string";
    else if constexpr (std::is_same_v<T, Bytes>)
      return "bytes";
    else if constexpr (std::is_same_v<T, Records>)
      return "records";
    else if constexpr (std::is_same_v<T, Uuid>)
      return "uuid";
    else if constexpr (is_vector<T>::value)
      return "[" + of_type<typename T::value_type>() + "]";
    else
      return of_struct<T>();
  }
  template <class T>
  static std::string default_of(const T& value) {
    if constexpr (std::is_enum_v<T>)
      return default_of(static_cast<std::underlying_type_t<T>>(value));
    else if constexpr (std::is_arithmetic_v<T>)
      return fmt::format("={}", value);
    else if constexpr (std::is_same_v<T, std::string>)
      return "='" + value + "'";
    else
      return "";  // arrays and structs are empty, bytes and ids have no other default
  }
  void separate(const std::string& layout) { text_ += (text_.empty() ? "" : " ") + layout; }

  const int16_t version_;
  std::string text_;
  std::map<uint32_t, std::string> tags_;
};

// "NAME KEY VERSION flexible|inflexible LAYOUT"
template <class M>
std::string layout_line(std::string_view kind, int16_t version) {
  return fmt::format("{}{} {} {} {} {}", M::api.name, kind, M::api.key, version,
                     version >= M::api.flexible_from ? "flexible" : "inflexible",
                     LayoutPrinter(version).of_struct<M>());
}

}  // namespace kb::kafka
