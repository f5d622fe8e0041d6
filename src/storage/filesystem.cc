#include "storage/filesystem.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

#include "storage/direct.h"
#include "storage/object_key.h"
#include "storage/system_error.h"

namespace kb::storage {
namespace {

constexpr std::size_t bytes_per_read = 8U << 20;  // a stop is noticed in between
// Smaller ranges gain more from the kernel's reading ahead.
constexpr std::size_t direct_read_bytes_min = 512 * 1024;

bool is_reserved(std::string_view first_part) {
  return first_part.starts_with('.') || first_part == "lost+found";
}

void check_file_key(const ObjectKey& key) {
  check_key(key);
  if (is_reserved(key.substr(0, key.find('/'))))
    fail(ErrorKind::invalid, "'{}' cannot be the key of an object in a directory: its first part is reserved",
         key);
}

Directory open_root(const Place& place) {
  try {
    return Directory(place);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    throw Error(error.kind(), error.what(), "create it, or mount the volume there");
  }
}

}  // namespace

struct FilesystemStore::OpenObject {
  Fd fd;
  std::uint64_t bytes;
};

FilesystemStore::FilesystemStore(const Place& place) : root_(open_root(place)), writer_(root_) {}

std::optional<FilesystemStore::OpenObject> FilesystemStore::open(const ObjectKey& key) const {
  auto [parent, name] = split_key(key);
  auto directory = root_.find(parent);
  if (!directory) return std::nullopt;
  // O_NONBLOCK: somebody's FIFO must not stop us
  Fd fd(
      ::openat(directory->get(), std::string(name).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0 && errno == ENOENT) return std::nullopt;
  if (fd.get() < 0 && errno == ELOOP) throw link_error(root_.path_of(key));
  if (fd.get() < 0) throw system_error(errno, "opening", root_.path_of(key));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw system_error(errno, "examining", root_.path_of(key));
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return OpenObject{std::move(fd), static_cast<std::uint64_t>(status.st_size)};
}

// Fills at least `bytes_min` of `into`; the rest as far as the file goes. What O_DIRECT refuses for its form,
// or leaves off the grid, is read through the cache.
void FilesystemStore::read(const Context& ctx, const ObjectKey& key, const OpenObject& object,
                           std::uint64_t offset, std::span<char> into, std::size_t bytes_min) const {
  bool direct = is_direct(object.fd.get());
  for (std::size_t done = 0; done < bytes_min;) {
    ctx.check();
    auto n = ::pread(object.fd.get(), into.data() + done, std::min(into.size() - done, bytes_per_read),
                     static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno != EINVAL || !direct)) throw system_error(errno, "reading", root_.path_of(key));
    if (n == 0) fail(ErrorKind::corrupt, "{} became shorter while it was read", root_.path_of(key));
    done += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    if (direct && (n < 0 || done % Buffer::alignment != 0)) {
      if (!set_direct(object.fd.get(), false)) throw system_error(errno, "reading", root_.path_of(key));
      direct = false;
    }
  }
}

// Reads the aligned range around the one that is wanted, so that the device writes into the buffer itself.
std::shared_ptr<Buffer> FilesystemStore::read_direct(const Context& ctx, const ObjectKey& key,
                                                     const OpenObject& object, ByteRange range) {
  const auto before = range.offset % Buffer::alignment;
  const auto wanted = before + range.length;
  auto buffer = buffers_.take((wanted + Buffer::alignment - 1) / Buffer::alignment * Buffer::alignment);
  set_direct(object.fd.get(), true);
  read(ctx, key, object, range.offset - before, buffer->writable(), wanted);
  buffer->narrow(before, range.length);
  return buffer;
}

std::optional<ObjectInfo> FilesystemStore::head(const Context& ctx, const ObjectKey& key) {
  check_file_key(key);
  ctx.check();
  auto [parent, name] = split_key(key);
  auto directory = root_.find(parent);
  if (!directory) return std::nullopt;
  auto status = status_of(directory->get(), std::string(name), root_.path_of(key));
  if (status && S_ISLNK(status->st_mode)) throw link_error(root_.path_of(key));
  if (!status || !S_ISREG(status->st_mode)) return std::nullopt;
  return ObjectInfo{key, static_cast<std::uint64_t>(status->st_size)};
}

std::optional<std::string> FilesystemStore::get(const Context& ctx, const ObjectKey& key) {
  check_file_key(key);
  ctx.check();
  auto object = open(key);
  if (!object) return std::nullopt;
  std::string bytes(object->bytes, '\0');
  read(ctx, key, *object, 0, bytes, bytes.size());
  return bytes;
}

std::shared_ptr<Buffer> FilesystemStore::get_range(const Context& ctx, const ObjectKey& key,
                                                   ByteRange range) {
  check_file_key(key);
  ctx.check();
  auto object = open(key);
  if (!object) return nullptr;
  check_range(key, range, object->bytes);
  if (range.length >= direct_read_bytes_min) return read_direct(ctx, key, *object, range);
  auto buffer = buffers_.take(range.length);
  read(ctx, key, *object, range.offset, buffer->writable(), range.length);
  return buffer;
}

bool FilesystemStore::put_if_absent(const Context& ctx, const ObjectKey& key,
                                    std::span<const std::string_view> parts) {
  check_file_key(key);
  ctx.check();
  return writer_.create(ctx, key, parts);
}

void FilesystemStore::remove(const Context& ctx, const ObjectKey& key) {
  check_file_key(key);
  ctx.check();
  auto [parent, name] = split_key(key);
  auto directory = root_.find(parent);
  if (!directory) return;
  bool removed = ::unlinkat(directory->get(), std::string(name).c_str(), 0) == 0;
  if (!removed && errno != ENOENT && errno != EISDIR)
    throw system_error(errno, "removing", root_.path_of(key));
  root_.remove_empty(parent);
}

std::vector<ObjectInfo> FilesystemStore::list(const Context& ctx, std::string_view prefix) {
  ctx.check();
  auto slash = prefix.rfind('/');
  bool at_root = slash == std::string_view::npos;
  if (!at_root && !is_valid_key(prefix.substr(0, slash))) return {};
  std::vector<ObjectInfo> objects;
  std::vector<std::string> directories;
  list_directory(ctx, std::string(at_root ? "" : prefix.substr(0, slash)),
                 at_root ? prefix : prefix.substr(slash + 1), objects, directories);
  while (!directories.empty()) {
    auto directory = std::move(directories.back());
    directories.pop_back();
    list_directory(ctx, directory, "", objects, directories);
  }
  std::ranges::sort(objects, {}, &ObjectInfo::key);  // no walk has this order: "a.b" is before "a/b"
  return objects;
}

// Appends what is directly in `directory` and begins with `name_prefix`. What no key can name is not ours.
void FilesystemStore::list_directory(const Context& ctx, const std::string& directory,
                                     std::string_view name_prefix, std::vector<ObjectInfo>& objects,
                                     std::vector<std::string>& directories) const {
  auto opened = root_.find(directory);
  if (!opened) return;
  for (auto& name : names_in(opened->get(), root_.path_of(directory))) {
    ctx.check();
    auto key = directory.empty() ? name : fmt::format("{}/{}", directory, name);
    if (!name.starts_with(name_prefix) || !is_valid_key(key) || (directory.empty() && is_reserved(name)))
      continue;
    auto status = status_of(opened->get(), name, root_.path_of(key));
    if (!status) continue;  // removed meanwhile
    if (S_ISDIR(status->st_mode)) {
      directories.push_back(std::move(key));
    } else if (S_ISREG(status->st_mode)) {
      objects.push_back({std::move(key), static_cast<std::uint64_t>(status->st_size)});
    }
  }
}

}  // namespace kb::storage
