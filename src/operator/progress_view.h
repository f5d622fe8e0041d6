// The progress of a run as a status shows it. Pure.
#pragma once
#include <optional>
#include <vector>

#include "api/job.h"
#include "api/run_status.h"

namespace kb::op {

// The workers of a run together; nothing when none answered.
std::optional<api::WorkProgress> add_up(const std::vector<api::WorkProgress>& workers);

api::RunProgress to_run_progress(const api::WorkProgress& progress);

}  // namespace kb::op
