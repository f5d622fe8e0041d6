// Jobs of runs that are over. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "operator/decision.h"
#include "operator/job_view.h"

namespace kb::op {

struct HistoryLimits {
  std::size_t succeeded = 3, failed = 3;
};

// Of the Jobs that are not of `current`: those that ended and are not recorded yet are to be, and of each
// kind only the newest runs stay. Those that are at work go: whoever made them did not lead any more.
void tidy_jobs(const std::vector<JobView>& jobs, const std::optional<api::CurrentRun>& current,
               const HistoryLimits& limits, Actions& actions);

}  // namespace kb::op
