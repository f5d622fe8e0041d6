#include "base/secret_files.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.h"

namespace kb {
namespace {

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

std::string SecretFiles::path(const SecretKey& key) const {
  return fmt::format("{}/{}/{}", folder_, key.secret, key.key);
}

std::optional<std::string> SecretFiles::read_if_there(const SecretKey& key) const {
  if (folder_.empty())
    throw Error(ErrorKind::not_found,
                fmt::format("{} names key {} of Secret {}, and there is no folder of secrets", key.field,
                            key.key, key.secret),
                fmt::format("give --secrets-dir DIR with a file DIR/{}/{}", key.secret, key.key));
  const auto path = this->path(key);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) return std::nullopt;
    fail(ErrorKind::not_found, "{} of {} cannot be read: {}", path, key.field, std::strerror(error));
  }
  std::string bytes(bytes_max + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file.bad()) fail(ErrorKind::not_found, "{} of {} cannot be read", path, key.field);
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > bytes_max)
    fail(ErrorKind::invalid, "{} of {} has more than {} bytes", path, key.field, bytes_max);
  if (without_line_end(bytes).empty()) fail(ErrorKind::invalid, "{} of {} is empty", path, key.field);
  return bytes;
}

std::string SecretFiles::read(const SecretKey& key) const {
  if (auto bytes = read_if_there(key)) return *std::move(bytes);
  throw Error(ErrorKind::not_found,
              fmt::format("there is no file {}/{}/{}: {} names key {} of Secret {}", folder_, key.secret,
                          key.key, key.field, key.key, key.secret),
              "in Kubernetes: is there such a Secret in the namespace of the resource, with that key?");
}

std::string SecretFiles::read_word(const SecretKey& key) const {
  return without_line_end(read(key));
}

std::optional<std::string> SecretFiles::read_word_if_there(const SecretKey& key) const {
  auto bytes = read_if_there(key);
  if (bytes) bytes = without_line_end(*std::move(bytes));
  return bytes;
}

}  // namespace kb
