// Reading and writing declared types (see field.h) as JSON: configuration and our own stored documents.
//
//   auto spec = schema::read<KafkaBackupSpec>(value, "spec");                     // throws invalid, all
//   problems auto set = schema::read_text<Set>(bytes, key, {.unknown_fields = UnknownFields::ignore,
//                                                  .error_kind = ErrorKind::corrupt});
//   std::string text = schema::write_text(set);
//
// All functions are pure and thread-safe.
#pragma once
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "schema/reader.h"
#include "schema/writer.h"

namespace kb::schema {

// Reads `in` over what `out` holds; problems are added with paths below `root` (may be empty: paths of the
// document itself). `out` is usable but incomplete when there were any.
template <class T>
void read_into(const json::value& in, std::string_view root, T& out, Problems& problems,
               const ReadOptions& options = {}) {
  read_value(in, Path(root), out, {}, problems, options);
}

// Throws options.error_kind with every problem found.
template <class T>
T read(const json::value& in, std::string_view root, const ReadOptions& options = {}) {
  T out{};
  Problems problems;
  read_into(in, root, out, problems, options);
  problems.throw_if_any("", options.error_kind);
  return out;
}

inline constexpr std::size_t json_depth_max = 64;

// JSON text to value: strict JSON; of a key that stands twice the last counts. Throws Error(kind) that starts
// with `name` (a file or an object key) and says near which byte it went wrong.
json::value parse_json(std::string_view text, std::string_view name, ErrorKind kind = ErrorKind::invalid);

// Both at once; `name` says whose text it is. Throws options.error_kind.
template <class T>
T read_text(std::string_view text, std::string_view name, const ReadOptions& options = {}) {
  T out{};
  Problems problems;
  read_into(parse_json(text, name, options.error_kind), "", out, problems, options);
  problems.throw_if_any(name, options.error_kind);
  return out;
}

// Compact JSON, no newline at the end; the same value always gives the same bytes.
std::string serialize(const json::value& value);

template <class T>
std::string write_text(const T& value) {
  return serialize(write(value));
}

}  // namespace kb::schema
