// Reader: JSON to a declared struct. Never throws for what the document says; every problem is collected with
// its path. Not thread-safe; one Reader per JSON object, made by read_value().
#pragma once
#include <limits>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/ranges.h>

#include "schema/field.h"
#include "schema/problems.h"
#include "schema/rfc3339.h"

namespace kb::schema {

enum class UnknownFields { refuse, ignore };

struct ReadOptions {
  UnknownFields unknown_fields = UnknownFields::refuse;
  ErrorKind error_kind = ErrorKind::invalid;  // thrown by read() and read_text(); corrupt for our own objects
};

template <class T>
void read_value(const json::value& in, const Path& at, T& out, const Limits& limits, Problems& problems,
                const ReadOptions& options);

class Reader {
 public:
  Reader(const json::object& in, const Path& at, Problems& problems, const ReadOptions& options)
      : in_(in), at_(at), problems_(problems), options_(options) {}

  template <class T>
  void required(std::string_view name, T& field, std::string_view doc, const Limits& limits = {}) {
    const json::value* value = in_.if_contains(name);
    if (!value || value->is_null()) problems_.add(at_.field(name).to_string(), "is required");
    (*this)(name, field, doc, limits);
  }

  // null is the same as absent: the member keeps its initialiser.
  template <class T>
  void operator()(std::string_view name, T& field, std::string_view, const Limits& limits = {}) {
    known_.push_back(name);
    const json::value* value = in_.if_contains(name);
    if (value) ++present_;
    if (!value || value->is_null()) return;
    if constexpr (Optional<T>)
      read_value(*value, at_.field(name), field.emplace(), limits, problems_, options_);
    else
      read_value(*value, at_.field(name), field, limits, problems_, options_);
  }

  // After the last field: names those of the object that nobody asked for.
  void finish() const;

 private:
  const json::object& in_;
  const Path& at_;
  Problems& problems_;
  const ReadOptions& options_;
  std::vector<std::string_view> known_;
  std::size_t present_ = 0;
};

// "must be a string, not the number 5"
std::string wrong_type(std::string_view wanted, const json::value& got);
// `lowest` and `highest` are those of the C++ type, for where `limits` says nothing.
std::string out_of_range(const Limits& limits, std::int64_t lowest, std::uint64_t highest);
// Position of the word in names, -1 when it is none of them.
std::ptrdiff_t find_name(std::string_view word, const std::string_view* names, std::size_t count,
                         bool any_case);

template <Integer T>
void read_integer(const json::value& in, const Path& at, T& out, const Limits& limits, Problems& problems) {
  using Bounds = std::numeric_limits<T>;
  boost::system::error_code not_exact;
  if (!in.is_number()) return problems.add(at.to_string(), wrong_type("an integer", in));
  T value = in.to_number<T>(not_exact);
  if (in.is_double() && not_exact == json::error::not_exact)
    return problems.add(at.to_string(), wrong_type("an integer", in));
  if (not_exact || (limits.min && std::cmp_less(value, *limits.min)) ||
      (limits.max && std::cmp_greater(value, *limits.max)))
    return problems.add(at.to_string(), out_of_range(limits, Bounds::min(), Bounds::max()));
  out = value;
}

template <NamedEnum E>
void read_enum(const json::value& in, const Path& at, E& out, Problems& problems) {
  static constexpr auto names = enum_names(E{});
  if (!in.is_string()) return problems.add(at.to_string(), wrong_type("a string", in));
  std::string_view word = in.get_string();
  auto found = find_name(word, names.data(), names.size(), any_case<E>());
  if (found < 0)
    return problems.add(at.to_string(),
                        fmt::format("must be one of {}, not '{}'", fmt::join(names, ", "), word));
  out = static_cast<E>(found);
}

template <List T>
void read_list(const json::value& in, const Path& at, T& out, const Limits& limits, Problems& problems,
               const ReadOptions& options) {
  if (!in.is_array()) return problems.add(at.to_string(), wrong_type("a list", in));
  const json::array& items = in.get_array();
  if (limits.non_empty && items.empty()) return problems.add(at.to_string(), "must not be empty");
  out.clear();
  out.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    typename T::value_type value{};
    read_value(items[i], at.item(i), value, limits, problems, options);
    out.push_back(std::move(value));
  }
}

template <Map T>
void read_map(const json::value& in, const Path& at, T& out, const Limits& limits, Problems& problems,
              const ReadOptions& options) {
  if (!in.is_object()) return problems.add(at.to_string(), wrong_type("a mapping", in));
  if (limits.non_empty && in.get_object().empty()) return problems.add(at.to_string(), "must not be empty");
  out.clear();
  for (const auto& [key, value] : in.get_object())
    read_value(value, at.key(key), out[std::string(key)], limits, problems, options);
}

template <Declared T>
void read_struct(const json::value& in, const Path& at, T& out, Problems& problems,
                 const ReadOptions& options) {
  if (!in.is_object()) return problems.add(at.to_string(), wrong_type("a mapping", in));
  Reader reader(in.get_object(), at, problems, options);
  out.fields(reader);
  reader.finish();
  if constexpr (requires(Check & check) { out.check(check); }) {
    Check check(at, problems);
    out.check(check);
  }
}

template <class T>
void read_value(const json::value& in, const Path& at, T& out, const Limits& limits, Problems& problems,
                const ReadOptions& options) {
  if constexpr (std::same_as<T, json::value>) {
    out = in;
  } else if constexpr (std::same_as<T, bool>) {
    if (!in.is_bool()) return problems.add(at.to_string(), wrong_type("true or false", in));
    out = in.get_bool();
  } else if constexpr (NamedEnum<T>) {
    read_enum(in, at, out, problems);
  } else if constexpr (Integer<T>) {
    read_integer(in, at, out, limits, problems);
  } else if constexpr (std::same_as<T, double>) {
    if (!in.is_number()) return problems.add(at.to_string(), wrong_type("a number", in));
    out = in.to_number<double>();
  } else if constexpr (std::same_as<T, std::string>) {
    if (!in.is_string()) return problems.add(at.to_string(), wrong_type("a string", in));
    if (limits.non_empty && in.get_string().empty()) return problems.add(at.to_string(), "must not be empty");
    out = std::string_view(in.get_string());
  } else if constexpr (std::same_as<T, Timestamp>) {
    if (!in.is_string()) return problems.add(at.to_string(), wrong_type("a time in RFC 3339", in));
    auto parsed = parse_rfc3339(in.get_string());
    if (!parsed) return problems.add(at.to_string(), not_rfc3339(in.get_string()));
    out = *parsed;
  } else if constexpr (List<T>) {
    read_list(in, at, out, limits, problems, options);
  } else if constexpr (Map<T>) {
    read_map(in, at, out, limits, problems, options);
  } else {
    static_assert(Declared<T>, "not a type that can stand in a declared struct");
    read_struct(in, at, out, problems, options);
  }
}

}  // namespace kb::schema
