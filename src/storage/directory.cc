#include "storage/directory.h"

#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

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

// The directory at `relative`, and errno when it cannot be opened, or not in this way: old kernels and strict
// filters of system calls have none. Keeps to what is below `from` and follows no link.
Fd open_beneath(int from, std::string_view relative) {
  open_how how{};
  how.flags = directory_flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, from, std::string(relative).c_str(), &how, sizeof how)));
}

Fd open_trusted(const std::string& path) {
  Fd fd(::open(path.c_str(), directory_flags));
  if (fd.get() < 0) throw system_error(errno, "opening the directory", path);
  return fd;
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

Directory::Directory(const Place& place) : path_(place.trusted), fd_(open_trusted(place.trusted)) {
  auto entered = enter(place.below, Enter::require);
  path_ = place.path();
  if (!entered) throw system_error(ENOENT, "opening the directory", path_);
  fd_ = std::move(*entered);
}

std::optional<Directory> Directory::open_if_there(const Place& place) {
  struct stat status {};
  if (::stat(place.trusted.c_str(), &status) != 0 && errno == ENOENT) return std::nullopt;
  auto entered = Directory(Place(place.trusted)).enter(place.below, Enter::require);
  if (!entered) return std::nullopt;
  return Directory(place.path(), std::move(*entered));
}

std::string Directory::path_of(std::string_view relative) const {
  return relative.empty() ? path_ : fmt::format("{}/{}", path_, relative);
}

// One step down: `reached` is the way from the root to the directory that is entered.
std::optional<Fd> Directory::step(int from, std::string_view reached, Enter how) const {
  std::string name(split_key(reached).name);
  Fd next(::openat(from, name.c_str(), directory_flags | O_NOFOLLOW));
  if (next.get() < 0 && errno == ENOENT && how == Enter::create) {
    if (::mkdirat(from, name.c_str(), directory_mode) != 0 && errno != EEXIST && errno != ENOENT)
      throw system_error(errno, "creating the directory", path_of(reached));
    if (::fsync(from) != 0) throw system_error(errno, "syncing the directory of", path_of(reached));
    next = Fd(::openat(from, name.c_str(), directory_flags | O_NOFOLLOW));
  }
  if (next.get() >= 0) return next;
  if (errno == ENOENT) return std::nullopt;
  if (errno != ENOTDIR) throw system_error(errno, "opening the directory", path_of(reached));
  auto status = status_of(from, name, path_of(reached));
  if (status && S_ISLNK(status->st_mode)) throw link_error(path_of(reached));
  if (how == Enter::find) return std::nullopt;
  fail(how == Enter::create ? ErrorKind::conflict : ErrorKind::invalid,
       "{} is a file where a directory should be", path_of(reached));
}

// What is there is entered at once. Whatever else it is, the walk finds out, and where.
std::optional<Fd> Directory::enter(std::string_view relative, Enter how) const {
  if (!relative.empty())
    if (auto entered = open_beneath(fd(), relative); entered.get() >= 0) return entered;
  return walk(relative, how);
}

std::optional<Fd> Directory::walk(std::string_view relative, Enter how) const {
  Fd at = duplicate(fd(), path_);
  for (std::size_t end = 0; !relative.empty() && end != std::string_view::npos;) {
    end = relative.find('/', end + 1);
    auto next = step(at.get(), relative.substr(0, end), how);
    if (!next) return std::nullopt;
    at = std::move(*next);
  }
  return at;
}

std::optional<Fd> Directory::find(std::string_view relative) const {
  return enter(relative, Enter::find);
}

std::optional<Fd> Directory::find_or_create(std::string_view relative) const {
  return enter(relative, Enter::create);
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
