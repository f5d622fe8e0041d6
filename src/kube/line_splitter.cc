#include "kube/line_splitter.h"

#include "base/error.h"

namespace kb::kube {

void LineSplitter::keep(std::string_view bytes) {
  if (bytes.size() > line_bytes_max_ - begun_.size())
    fail(ErrorKind::invalid, "a line is longer than {} bytes", line_bytes_max_);
  begun_ += bytes;
}

void LineSplitter::add(std::string_view piece) {
  for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    keep(piece.substr(0, end));
    piece.remove_prefix(end + 1);
    finish();
  }
  keep(piece);
}

void LineSplitter::finish() {
  if (!begun_.empty()) line_(begun_);
  begun_ = {};  // one long line must not keep its memory
}

}  // namespace kb::kube
