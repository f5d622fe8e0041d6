#include "storage/create_only.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <random>

#include <fcntl.h>

#include "base/log.h"
#include "storage/file_writer.h"
#include "storage/system_error.h"

namespace kb::storage {
namespace {

constexpr mode_t file_mode = 0660;
constexpr int attempts_max = 100;  // to put a file into a directory that others remove when empty
constexpr time_t stale_after_s = 24L * 60 * 60;  // no write lasts that long

std::string unfinished_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

// What link(2) and renameat2(2) say on a file system that does not have them.
bool is_unsupported(int error_number) {
  constexpr std::array numbers{EPERM, EMLINK, EINVAL, EOPNOTSUPP, ENOSYS};
  return std::ranges::find(numbers, error_number) != numbers.end();
}

}  // namespace

// A file that nobody sees; gone when this dies.
class CreateOnlyWriter::Unfinished {
 public:
  Unfinished(int directory, std::string path)
      : directory_(directory),
        path_(std::move(path)),
        name_(unfinished_name()),
        fd_(::openat(directory, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     file_mode)) {
    if (fd_.get() < 0) throw system_error(errno, "creating a file for", path_);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() { ::unlinkat(directory_, name_.c_str(), 0); }

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }  // of the object that it will be

  // 0, or the errno. Over NFS a link() may succeed, be sent again and say that the name exists: then this
  // file has two names.
  int link_to(int directory, const std::string& name) const {
    if (::linkat(directory_, name_.c_str(), directory, name.c_str(), 0) == 0) return 0;
    int error_number = errno;
    struct stat status {};
    bool linked = error_number == EEXIST && ::fstat(fd_.get(), &status) == 0 && status.st_nlink > 1;
    return linked ? 0 : error_number;
  }
  int rename_to(int directory, const std::string& name) const {
    return ::renameat2(directory_, name_.c_str(), directory, name.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  }

 private:
  const int directory_;
  const std::string path_;
  const std::string name_;
  const Fd fd_;
};

bool CreateOnlyWriter::create(const Context& ctx, const std::string& key,
                              std::span<const std::string_view> parts) {
  auto how = prepare();
  Unfinished file(unfinished_->get(), root_.path_of(key));
  write_file(ctx, file.fd(), file.path(), parts);
  if (::fsync(file.fd()) != 0) throw system_error(errno, "syncing", file.path());
  auto [parent, name] = split_key(key);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto directory = root_.find_or_create(parent);
    if (!directory) continue;
    auto created = publish(how, file, directory->get(), name);
    if (!created) continue;
    if (::fsync(directory->get()) != 0) throw system_error(errno, "syncing the directory of", file.path());
    return *created;
  }
  fail(ErrorKind::conflict, "creating {}: something keeps removing its directory", file.path());
}

// Whether the name is ours or was taken; none when the directory was removed meanwhile.
std::optional<bool> CreateOnlyWriter::publish(Publish how, Unfinished& file, int directory,
                                              std::string_view name_view) const {
  std::string name(name_view);
  int error_number = how == Publish::link ? file.link_to(directory, name) : file.rename_to(directory, name);
  if (error_number == 0) return true;
  if (error_number == ENOENT) return std::nullopt;
  if (error_number != EEXIST) throw system_error(error_number, "creating", file.path());
  auto status = status_of(directory, name, file.path());
  if (status && !S_ISREG(status->st_mode))
    fail(ErrorKind::conflict, "creating {}: something that is not an object has this name", file.path());
  return false;
}

CreateOnlyWriter::Publish CreateOnlyWriter::prepare() {
  std::lock_guard lock(mutex_);
  if (how_) return *how_;
  unfinished_ = root_.find_or_create(unfinished_directory);
  if (!unfinished_) throw system_error(ENOENT, "creating the directory", root_.path_of(unfinished_directory));
  sweep();
  how_ = probe();
  return *how_;
}

// A way works when it creates, and refuses to create again.
CreateOnlyWriter::Publish CreateOnlyWriter::probe() const {
  int directory = unfinished_->get();
  auto path = root_.path_of(unfinished_directory);
  auto taken = unfinished_name();
  auto works = [&](auto publish_as) {
    int first = publish_as(Unfinished(directory, path));
    int second = first == 0 ? publish_as(Unfinished(directory, path)) : 0;
    ::unlinkat(directory, taken.c_str(), 0);
    for (int error_number : {first, second})
      if (error_number != 0 && error_number != EEXIST && !is_unsupported(error_number))
        throw system_error(error_number, "creating files in", path);
    return first == 0 && second == EEXIST;
  };
  if (works([&](const Unfinished& file) { return file.link_to(directory, taken); })) return Publish::link;
  if (works([&](const Unfinished& file) { return file.rename_to(directory, taken); })) return Publish::rename;
  throw Error(ErrorKind::invalid,
              fmt::format("the file system of {} cannot create a file only when it is absent", root_.path()),
              "it has neither hard links nor rename without replacement; use a volume that has");
}

void CreateOnlyWriter::sweep() const {
  int directory = unfinished_->get();
  auto path = root_.path_of(unfinished_directory);
  auto now = std::time(nullptr);
  for (const auto& name : names_in(directory, path)) {
    auto status = status_of(directory, name, path);
    if (!status || !S_ISREG(status->st_mode) || status->st_mtime > now - stale_after_s) continue;
    if (::unlinkat(directory, name.c_str(), 0) == 0)
      LOG_INFO("removed {}/{}, which a crashed run left", path, name);
  }
}

}  // namespace kb::storage
