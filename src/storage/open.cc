#include "storage/open.h"

#include <cerrno>
#include <filesystem>

#include "storage/filesystem.h"
#include "storage/retrying.h"
#include "storage/system_error.h"

namespace kb::storage {

std::shared_ptr<ObjectStore> open_filesystem(const std::string& path, const RetryPolicy& policy) {
  return std::make_shared<RetryingStore>(std::make_shared<FilesystemStore>(path), policy);
}

std::shared_ptr<ObjectStore> open_filesystem_if_there(const std::string& path, const RetryPolicy& policy) {
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (error == std::errc::not_a_directory) throw system_error(ENOTDIR, "opening", path);
  if (status.type() == std::filesystem::file_type::not_found) return nullptr;
  return open_filesystem(path, policy);
}

// Walks down from the deepest directory that is there, as for the parents of an object.
void create_directories(const std::string& path) {
  auto absolute = std::filesystem::absolute(path).lexically_normal();
  auto existing = absolute;
  std::error_code ignored;
  while (existing.has_relative_path() && !std::filesystem::exists(existing, ignored))
    existing = existing.parent_path();
  auto missing = absolute.lexically_relative(existing).string();
  if (missing == ".") return;
  if (!missing.empty() && missing.back() == '/') missing.pop_back();
  Directory(existing.string()).find_or_create(missing);
}

}  // namespace kb::storage
