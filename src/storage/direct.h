// Reading and writing past the page cache (O_DIRECT, open(2)), where the file system can.
#pragma once
#include <fcntl.h>

namespace kb::storage {

inline bool is_direct(int fd) {
  int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_DIRECT) != 0;
}

// False, and errno, when the file system does not know it.
inline bool set_direct(int fd, bool direct) {
  int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

}  // namespace kb::storage
