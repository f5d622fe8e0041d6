// The rules for object keys that every driver enforces before it does anything else.
#pragma once
#include <string_view>

#include "storage/object_store.h"

namespace kb::storage {

inline constexpr std::size_t key_bytes_max = 1024;

// Whether `key` keeps the rules written at ObjectKey.
bool is_valid_key(std::string_view key);
// Whether `part` may stand between two slashes.
bool is_valid_key_part(std::string_view part);
// Throws invalid, naming the key, when it breaks the rules.
void check_key(const ObjectKey& key);
// Throws corrupt unless `range` lies within an object of `object_bytes`.
void check_range(const ObjectKey& key, ByteRange range, std::uint64_t object_bytes);

}  // namespace kb::storage
