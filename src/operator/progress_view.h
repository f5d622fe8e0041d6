// The progress of a run as a status shows it. Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/job.h"
#include "api/run_status.h"

namespace kb::op {

// The end of the year 9999.
inline constexpr std::int64_t unix_seconds_max = 253'402'300'799;

// The workers of a run together; nothing when none answered with figures that can be.
std::optional<api::WorkProgress> add_up(const std::vector<api::WorkProgress>& workers);

api::RunProgress to_run_progress(const api::WorkProgress& progress);

// What keeps a run that goes on from all it should do, to be added to what is said of it; empty when all is
// well.
std::string trouble_of(const api::WorkProgress& progress);

}  // namespace kb::op
