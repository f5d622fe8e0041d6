// Asks workers how far they are. What they say is bounded, untrusted and decides nothing.
#pragma once
#include <optional>
#include <vector>

#include "api/job.h"
#include "net/http_client.h"
#include "operator/job_view.h"

namespace kb::op {

// Thread-safe.
class ProgressReader {
 public:
  ProgressReader();
  // Of the workers that answer within two seconds together, at most 32 of them; nothing when none does.
  std::optional<api::WorkProgress> read(const Context& ctx, const std::vector<PodView>& pods);

 private:
  HttpClient http_;
};

}  // namespace kb::op
