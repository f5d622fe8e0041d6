// Writing the content of a new file. Large contents go past the page cache (O_DIRECT, open(2)) where the file
// system can: writing back 1 GB of cached pages costs the writer about 1 CPU second, writing it directly a
// sixth of that, and nobody's cache is pushed out (docs/decisions/0003-direct-writes.md).
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/context.h"

namespace kb::storage {

// Contents at least this large are written directly.
inline constexpr std::size_t direct_bytes_min = 1024 * 1024;

// Writes all of `parts` from the start of the empty file `fd`; `path` is for messages. Not synced. Throws as
// storage/system_error.h says.
void write_file(const Context& ctx, int fd, const std::string& path, std::span<const std::string_view> parts);

}  // namespace kb::storage
