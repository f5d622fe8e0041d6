#include "base/error.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace kb {
namespace {
using enum ErrorKind;

constexpr std::array<ErrorKindInfo, 10> kinds{{
    {cancelled, "cancelled", false, 130, "Interrupted",
     "stopped by a signal; what is durable stays, run again to resume"},
    {timed_out, "timed_out", true, 75, "TimedOut", "a deadline passed while waiting for a broker or a store"},
    {unavailable, "unavailable", true, 69, "Unavailable",
     "a broker or store could not be reached or refused for now; run again to resume"},
    {throttled, "throttled", true, 76, "Throttled", "a broker or store asked for less load"},
    {denied, "denied", false, 77, "Denied", "credentials or permissions are missing"},
    {not_found, "not_found", false, 66, "NotFound",
     "a topic, set, file or secret that was named does not exist"},
    {conflict, "conflict", false, 73, "Conflict",
     "somebody else owns or changed what this run works on; nothing of theirs was touched"},
    {invalid, "invalid", false, 64, "Invalid",
     "the resource, a flag or a value is wrong, or a record does not fit the target"},
    {corrupt, "corrupt", false, 65, "Corrupt",
     "stored or received bytes are damaged; the text names object and place"},
    {internal, "internal", false, 70, "InternalError", "a defect of this program"},
}};
}  // namespace

std::span<const ErrorKindInfo> error_kinds() {
  return kinds;
}

const ErrorKindInfo& info(ErrorKind kind) {
  return kinds.at(static_cast<std::size_t>(kind));
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace kb
