#include "kube/small_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.h"

namespace kb::kube {

std::string read_small_file(const std::string& path) {
  constexpr std::size_t bytes_max = 1 << 20;
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorKind::not_found, "{} cannot be read: {}", path, std::strerror(errno));
  std::string bytes(bytes_max + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file.bad()) fail(ErrorKind::not_found, "{} cannot be read", path);
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > bytes_max) fail(ErrorKind::invalid, "{} has more than {} bytes", path, bytes_max);
  return bytes;
}

}  // namespace kb::kube
