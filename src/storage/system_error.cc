#include "storage/system_error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace kb::storage {
namespace {
using enum ErrorKind;

struct Meaning {
  int error_number;
  ErrorKind kind;
  std::string_view hint;
};

constexpr std::string_view full = "free or add space on the volume, then run again: what is stored stays";
constexpr std::string_view rights =
    "check owner and mode of the directory and the user that runs this program";
constexpr std::string_view medium = "check the disk and the kernel log before running again";
constexpr std::string_view open_files = "raise the limit of open files";

constexpr std::array meanings{
    Meaning{ENOSPC, denied, full},
    Meaning{EDQUOT, denied, full},
    Meaning{EFBIG, denied, "raise the limit of the file size"},
    Meaning{EROFS, denied, "the volume is mounted read-only"},
    Meaning{EACCES, denied, rights},
    Meaning{EPERM, denied, rights},
    Meaning{ELOOP, denied, ""},
    Meaning{EIO, corrupt, medium},
    Meaning{EUCLEAN, corrupt, medium},
    Meaning{EBADMSG, corrupt, medium},
    Meaning{EMFILE, unavailable, open_files},
    Meaning{ENFILE, unavailable, open_files},
    Meaning{EAGAIN, unavailable, ""},
    Meaning{EINTR, unavailable, ""},
    Meaning{EBUSY, unavailable, ""},
    Meaning{ENOMEM, unavailable, ""},
    Meaning{ESTALE, unavailable, ""},
    Meaning{ETIMEDOUT, unavailable, ""},
    Meaning{EHOSTDOWN, unavailable, ""},
    Meaning{EHOSTUNREACH, unavailable, ""},
    Meaning{ENETDOWN, unavailable, ""},
    Meaning{ENETUNREACH, unavailable, ""},
    Meaning{ENOTCONN, unavailable, ""},
    Meaning{ECONNRESET, unavailable, ""},
    Meaning{ECONNREFUSED, unavailable, ""},
    Meaning{ENAMETOOLONG, invalid, ""},
    Meaning{ENOTDIR, invalid, ""},
    Meaning{EXDEV, invalid, "a backup directory must be on one file system"},
    Meaning{EINVAL, invalid, ""},
    Meaning{EOPNOTSUPP, invalid, ""},
    Meaning{ENOSYS, invalid, ""},
    Meaning{ENOENT, not_found, ""},
};

}  // namespace

Error system_error(int error_number, std::string_view doing, std::string_view path) {
  const auto* row = std::ranges::find(meanings, error_number, &Meaning::error_number);
  bool known = row != meanings.end();
  auto text = fmt::format("{} {}: {}", doing, path, std::generic_category().message(error_number));
  return {known ? row->kind : internal, text, std::string(known ? row->hint : "")};
}

Error link_error(std::string_view path) {
  return {denied, fmt::format("{} is a symbolic link; archives are not looked for behind links", path)};
}

}  // namespace kb::storage
