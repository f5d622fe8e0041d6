#include "storage/directory.h"

#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>

#include "storage/system_error.h"

namespace kb::storage {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr mode_t directory_mode = 0770;

Fd duplicate(int fd, const std::string& path) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (copy.get() < 0) throw system_error(errno, "opening", path);
  return copy;
}

}  // namespace

SplitKey split_key(std::string_view key) {
  auto slash = key.rfind('/');
  if (slash == std::string_view::npos) return {"", key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

std::optional<struct stat> status_of(int directory, const std::string& name, const std::string& path) {
  struct stat status {};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  throw system_error(errno, "examining", path);
}

std::vector<std::string> names_in(int directory, const std::string& path) {
  int own = ::openat(directory, ".", directory_flags);  // a position of its own; closedir closes it
  std::unique_ptr<DIR, int (*)(DIR*)> entries(own < 0 ? nullptr : ::fdopendir(own), ::closedir);
  if (!entries) throw system_error(errno, "listing", path);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(entries.get());
    if (entry == nullptr && errno != 0) throw system_error(errno, "listing", path);
    if (entry == nullptr) return names;
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

Directory::Directory(std::string path) : path_(std::move(path)), fd_(::open(path_.c_str(), directory_flags)) {
  if (fd_.get() < 0) throw system_error(errno, "opening the directory", path_);
}

std::string Directory::path_of(std::string_view relative) const {
  return relative.empty() ? path_ : fmt::format("{}/{}", path_, relative);
}

// One step down: `reached` is the way from the root to the directory that is entered.
std::optional<Fd> Directory::step(int from, std::string_view reached, bool create) const {
  std::string name(split_key(reached).name);
  Fd next(::openat(from, name.c_str(), directory_flags | O_NOFOLLOW));
  if (next.get() < 0 && errno == ENOENT && create) {
    if (::mkdirat(from, name.c_str(), directory_mode) != 0 && errno != EEXIST && errno != ENOENT)
      throw system_error(errno, "creating the directory", path_of(reached));
    if (::fsync(from) != 0) throw system_error(errno, "syncing the directory of", path_of(reached));
    next = Fd(::openat(from, name.c_str(), directory_flags | O_NOFOLLOW));
  }
  if (next.get() >= 0) return next;
  if (errno == ENOENT) return std::nullopt;
  if (errno != ENOTDIR) throw system_error(errno, "opening the directory", path_of(reached));
  auto status = status_of(from, name, path_of(reached));
  if (status && S_ISLNK(status->st_mode))
    throw system_error(ELOOP, "opening the directory", path_of(reached));
  if (create) fail(ErrorKind::conflict, "{} is a file where a directory should be", path_of(reached));
  return std::nullopt;
}

std::optional<Fd> Directory::walk(std::string_view relative, bool create) const {
  Fd at = duplicate(fd(), path_);
  for (std::size_t end = 0; !relative.empty() && end != std::string_view::npos;) {
    end = relative.find('/', end + 1);
    auto next = step(at.get(), relative.substr(0, end), create);
    if (!next) return std::nullopt;
    at = std::move(*next);
  }
  return at;
}

std::optional<Fd> Directory::find(std::string_view relative) const {
  return walk(relative, false);
}

std::optional<Fd> Directory::find_or_create(std::string_view relative) const {
  return walk(relative, true);
}

void Directory::remove_empty(std::string_view relative) const {
  try {
    while (!relative.empty()) {
      auto [parent, name] = split_key(relative);
      auto directory = find(parent);
      if (!directory || ::unlinkat(directory->get(), std::string(name).c_str(), AT_REMOVEDIR) != 0) return;
      relative = parent;
    }
  } catch (const Error&) {
    return;  // an empty directory more
  }
}

}  // namespace kb::storage
