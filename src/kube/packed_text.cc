#include "kube/packed_text.h"

#include <lz4.h>

#include "base/error.h"

namespace kb::kube {

PackedText::PackedText(std::string_view text) : size_(text.size()) {
  if (text.size() > LZ4_MAX_INPUT_SIZE) fail(ErrorKind::invalid, "a text of {} bytes", text.size());
  const auto size = static_cast<int>(text.size());
  std::string room(static_cast<std::size_t>(LZ4_compressBound(size)), '\0');
  const int used = LZ4_compress_default(text.data(), room.data(), size, static_cast<int>(room.size()));
  CHECK(used > 0);
  packed_.assign(room, 0, static_cast<std::size_t>(used));  // copied: takes no more memory than it needs
}

std::string PackedText::unpack() const {
  std::string text(size_, '\0');
  const int size = LZ4_decompress_safe(packed_.data(), text.data(), static_cast<int>(packed_.size()),
                                       static_cast<int>(text.size()));
  CHECK(size >= 0 && static_cast<std::size_t>(size) == size_);
  return text;
}

}  // namespace kb::kube
