// What has become of a run, from its Jobs and pods. Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/job.h"
#include "api/run_status.h"
#include "base/context.h"
#include "operator/job_view.h"

namespace kb::op {

enum class RunState {
  missing,      // there is no Job for what is to be done next
  active,       // it is at work, or waits for a pod
  shards_done,  // every shard is done: the run is to be finished
  unreported,   // the Job succeeded and its report is lost: finishing again gives it
  succeeded,
  failed
};

struct RunView {
  RunState state = RunState::missing;
  std::optional<api::WorkReport> report;  // of a run that succeeded, or of the last failure
  std::string failure;                    // one sentence: why it failed, or why its last attempt did
  std::string waiting;                    // why its pods do not run yet
  std::optional<Timestamp> without_pods;  // since when a Job at work has had none
  std::int64_t failed_attempts = 0;
};

// What to say of a run that is active and does not work yet; "" when it does.
std::string why_it_waits(const RunView& view, Timestamp now);

// A Job that the API server refuses as invalid is asked for again for this long; it may be somebody's
// admission webhook.
inline constexpr Duration refused_job_patience = std::chrono::minutes(5);

std::string finish_job_name(const api::CurrentRun& run);

// `jobs` are those that the resource controls, `pods` those of these jobs.
RunView look_at_run(const api::CurrentRun& run, const std::vector<JobView>& jobs,
                    const std::vector<PodView>& pods);

}  // namespace kb::op
