// Asks workers how far they are. What they say is bounded, untrusted and decides nothing.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/job.h"
#include "net/http_client.h"
#include "operator/job_view.h"

namespace kb::op {

// Thread-safe.
class ProgressReader {
 public:
  ProgressReader();
  // Of the workers that answer within a second together, at most 32 of them; nothing when none does. One that
  // did not is left alone for half a minute: slow answers of one tenant must not keep others waiting.
  std::optional<api::WorkProgress> read(const Context& ctx, const std::vector<PodView>& pods);

 private:
  bool is_left_alone(const std::string& ip);
  void leave_alone(const std::string& ip);

  HttpClient http_;
  std::mutex mutex_;
  std::map<std::string, Clock::time_point> alone_until_;  // by address; guarded by mutex_
};

}  // namespace kb::op
