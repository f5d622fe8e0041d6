// The token that lets us in. A pod's token is replaced in its file long before it expires
// (https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken).
#pragma once
#include <mutex>
#include <string>

#include "base/context.h"

namespace kb::kube {

// Thread-safe.
class BearerToken {
 public:
  // One of both, or none.
  BearerToken(std::string token, std::string file);
  // Empty when there is none. From a file it is at most a minute old; while the file cannot be read, the last
  // one counts. Throws not_found when it never could be.
  std::string get();
  // After a 401 for `refused`: whether the file has another one now.
  bool changed_since(const std::string& refused);

 private:
  void read();

  const std::string file_;
  std::mutex mutex_;
  std::string token_;               // guarded by mutex_
  Clock::time_point read_at_ = {};  // guarded by mutex_
};

}  // namespace kb::kube
