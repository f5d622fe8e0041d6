// Documents whose JSON is a declared type.
#pragma once
#include <optional>
#include <string>

#include "archive/document.h"
#include "schema/reader.h"
#include "schema/writer.h"
#include "storage/object_store.h"

namespace kb::archive {

template <class T>
T parse_document(std::string_view kind, const std::string& key, std::string_view bytes) {
  T value;
  schema::Problems problems;
  // Unknown fields are ignored: what a newer version adds must not break an older reader of the same format.
  schema::read_value(boost::json::value(unseal(kind, key, bytes).head), schema::Path(kind), value, {},
                     problems,
                     {.unknown_fields = schema::UnknownFields::ignore, .error_kind = ErrorKind::corrupt});
  problems.throw_if_any("object " + key, ErrorKind::corrupt);
  return value;
}

// Empty when there is no such object.
template <class T>
std::optional<T> read_document(const Context& ctx, storage::ObjectStore& store, std::string_view kind,
                               const std::string& key) {
  auto bytes = store.get(ctx, key);
  if (!bytes) return std::nullopt;
  return parse_document<T>(kind, key, *bytes);
}

// Creates the object, or gives what somebody else put there first.
template <class T>
T put_or_read(const Context& ctx, storage::ObjectStore& store, std::string_view kind, const std::string& key,
              const T& value) {
  auto bytes = seal(kind, key, {.head = schema::write(value).get_object()});
  if (store.put_if_absent(ctx, key, bytes)) return value;
  auto found = read_document<T>(ctx, store, kind, key);
  if (!found) fail(ErrorKind::unavailable, "object {} exists and cannot be read", key);
  return std::move(*found);
}

}  // namespace kb::archive
