#include "storage/place.h"

#include "base/error.h"

namespace kb::storage {

Place::Place(std::string trusted_path, std::string_view below_it) : trusted(std::move(trusted_path)) {
  for (auto rest = below_it; !rest.empty();) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
    if (part == "..") fail(ErrorKind::invalid, "'{}' leads out of {}", below_it, trusted);
    if (part.empty() || part == ".") continue;
    if (!below.empty()) below += '/';
    below += part;
  }
}

std::string Place::path() const {
  return below.empty() ? trusted : trusted + (trusted.ends_with('/') ? "" : "/") + below;
}

}  // namespace kb::storage
