// Paths below one open directory, entered without following a symbolic link, so that nothing outside of the
// root is read or written whatever somebody put into it: by openat2(2) where the kernel has it, else part by
// part. Functions are thread-safe.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/fd.h"
#include "storage/place.h"

namespace kb::storage {

// The root of a store: constant after construction.
class Directory {
 public:
  // Throws not_found, denied, ... when `place` is not a directory that can be opened; denied at a symbolic
  // link below what is trusted.
  explicit Directory(const Place& place);
  // The same; none when nothing is there.
  static std::optional<Directory> open_if_there(const Place& place);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  std::string path_of(std::string_view relative) const;

  // The directory at `relative` ("" is the root); none when it, or a part of the way, is not there or is a
  // file. Throws denied at a symbolic link.
  std::optional<Fd> find(std::string_view relative) const;
  // The same, making what is missing durably (each new directory's parent is synced).
  // None when somebody removed a part of it meanwhile; conflict when a file stands in the way.
  std::optional<Fd> find_or_create(std::string_view relative) const;
  // Removes `relative` and then its parents as long as they are empty. Never fails: what is left is harmless.
  void remove_empty(std::string_view relative) const;

 private:
  enum class Enter {
    find,
    require,
    create
  };  // what a file on the way means: nothing there, invalid, conflict

  Directory(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::optional<Fd> enter(std::string_view relative, Enter how) const;
  std::optional<Fd> walk(std::string_view relative, Enter how) const;
  std::optional<Fd> step(int from, std::string_view reached, Enter how) const;

  std::string path_;
  Fd fd_;
};

// "a/b/c" is "a/b" and "c"; "c" is "" and "c".
struct SplitKey {
  std::string_view parent;
  std::string_view name;
};
SplitKey split_key(std::string_view key);

// What `name` in `directory` is, a link itself and not what it points to; none when it is not there.
std::optional<struct stat> status_of(int directory, const std::string& name, const std::string& path);
// The names in `directory`, without "." and "..", in no order.
std::vector<std::string> names_in(int directory, const std::string& path);

}  // namespace kb::storage
