#include "storage/object_key.h"

#include <algorithm>

#include "base/error.h"

namespace kb::storage {
namespace {

bool is_key_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("._=+-").find(c) != std::string_view::npos;
}

}  // namespace

bool is_valid_key_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && std::ranges::all_of(part, is_key_character);
}

bool is_valid_key(std::string_view key) {
  if (key.size() > key_bytes_max) return false;
  for (;;) {
    auto slash = key.find('/');
    if (!is_valid_key_part(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

void check_key(const ObjectKey& key) {
  if (!is_valid_key(key)) fail(ErrorKind::invalid, "'{}' cannot be the key of an object", key);
}

void check_range(const ObjectKey& key, ByteRange range, std::uint64_t object_bytes) {
  if (range.offset > object_bytes || range.length > object_bytes - range.offset)
    fail(ErrorKind::corrupt, "object {} has {} bytes, {} bytes at offset {} were asked for", key,
         object_bytes, range.length, range.offset);
}

}  // namespace kb::storage
