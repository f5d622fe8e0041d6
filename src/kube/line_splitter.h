// Lines out of pieces, each without its newline. Not thread-safe.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace kb::kube {

class LineSplitter {
 public:
  LineSplitter(std::size_t line_bytes_max, const std::function<void(std::string_view)>& line)
      : line_bytes_max_(line_bytes_max), line_(line) {}
  // Throws invalid for a line that is too long.
  void add(std::string_view piece);
  // The last line, when no newline ended it.
  void finish();

 private:
  void keep(std::string_view bytes);

  const std::size_t line_bytes_max_;
  const std::function<void(std::string_view)>& line_;
  std::string begun_;
};

}  // namespace kb::kube
