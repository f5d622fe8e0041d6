// What an errno of a file operation means for a backup; source: errno(3), open(2), link(2), fsync(2).
//   denied       no room or no right: ENOSPC EDQUOT EFBIG EROFS EACCES EPERM ELOOP. Only the operator can
//   help, so
//                a full disk ends the run at once (resumable) instead of being retried for a minute.
//   corrupt      the medium lost or damaged bytes: EIO EUCLEAN EBADMSG. Never retried: after a failed fsync
//   the
//                kernel may have dropped the pages and say success the next time.
//   unavailable  passes by itself: EAGAIN EINTR EBUSY EMFILE ENFILE ENOMEM, and what network file systems say
//                (ESTALE ETIMEDOUT EHOSTDOWN EHOSTUNREACH ENETDOWN ENETUNREACH ENOTCONN ECONNRESET
//                ECONNREFUSED)
//   invalid      the path cannot be used: ENAMETOOLONG ENOTDIR EXDEV EINVAL EOPNOTSUPP ENOSYS
//   not_found    ENOENT
//   internal     anything else
#pragma once
#include <string_view>

#include "base/error.h"

namespace kb::storage {

// "writing /backups/x: No space left on device", with a hint where the operator can act.
Error system_error(int error_number, std::string_view doing, std::string_view path);
// Of a symbolic link where none is followed: denied.
Error link_error(std::string_view path);

}  // namespace kb::storage
