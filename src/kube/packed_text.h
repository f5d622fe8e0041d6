// A text that is kept in less memory than it is long: JSON of one kind repeats itself.
#pragma once
#include <string>
#include <string_view>

namespace kb::kube {

// Immutable; thread-safe.
class PackedText {
 public:
  explicit PackedText(std::string_view text);  // throws Error(invalid) when it is longer than 1.9 GiB
  std::string unpack() const;

 private:
  std::string packed_;  // a block of https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
  std::size_t size_;    // of the text
};

}  // namespace kb::kube
