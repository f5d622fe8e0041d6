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
  // Of all workers of a run together, those that are done included. Nothing when one of them does not answer
  // within a second, and nothing before `progress_interval` has passed since the run was last asked about, or
  // a minute when it did not answer: what is written for an answer comes back as a change of the resource.
  std::optional<api::WorkProgress> read(const Context& ctx, const std::string& run,
                                        const std::vector<PodView>& pods);

 private:
  bool may_ask(const std::string& run);
  void rest(const std::string& run, Duration time);

  HttpClient http_;
  std::mutex mutex_;
  std::map<std::string, Clock::time_point> ask_again_;  // by run; guarded by mutex_
};

}  // namespace kb::op
