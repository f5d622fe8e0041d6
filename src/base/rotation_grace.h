// What a refused secret means. Whoever was let in before may be refused while a secret is being rotated: the
// other side knows the new one some time before the file has it (the kubelet takes up to a minute and a
// half). Whoever was never let in has a wrong secret, and is told at once.
#pragma once
#include <mutex>
#include <optional>

#include "base/context.h"
#include "base/error.h"

namespace kb {

// Thread-safe; one for all that use the same secret.
class RotationGrace {
 public:
  // Shorter than the row of failures that callers bear (RetryPolicy), so that the last word is denied.
  static constexpr auto length = std::chrono::seconds(50);

  void accepted() {
    std::lock_guard lock(mutex_);
    accepted_before_ = true;
    refused_since_.reset();
  }
  // The kind of the error: unavailable, which is tried again, or denied.
  ErrorKind refused(Clock::time_point now = Clock::now()) {
    std::lock_guard lock(mutex_);
    if (!accepted_before_) return ErrorKind::denied;
    if (!refused_since_) refused_since_ = now;
    return now - *refused_since_ < length ? ErrorKind::unavailable : ErrorKind::denied;
  }

 private:
  std::mutex mutex_;
  // guarded by mutex_
  bool accepted_before_ = false;
  std::optional<Clock::time_point> refused_since_;
};

}  // namespace kb
