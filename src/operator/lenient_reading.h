// Reading what somebody else may have written: what can be read counts, the rest keeps its defaults. Pure.
#pragma once
#include "schema/schema.h"

namespace kb::op {

template <class T>
T read_leniently(const schema::json::value& value) {
  T out{};
  schema::Problems ignored;
  if (value.is_object())
    schema::read_into(value, "", out, ignored, {.unknown_fields = schema::UnknownFields::ignore});
  return out;
}

}  // namespace kb::op
