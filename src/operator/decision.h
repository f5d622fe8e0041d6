// What a reconciler is to do about a resource: a value, so that it can be worked out and tested without a
// cluster.
//
// The status is written first, with the resourceVersion that was read; only when that succeeds is the rest
// done. So a run is in the status before its Job exists, and whoever comes after a crash goes on from there.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/job.h"
#include "base/context.h"

namespace kb::op {

struct EventNote {
  bool warning = false;
  std::string reason, message;
};

// A run that ended, for the metrics.
struct FinishedRun {
  bool succeeded = false;
  double seconds = 0;
  std::uint64_t records = 0, bytes = 0;
};

struct Actions {
  bool start_job = false;                // of the status's current run, at its stage
  std::vector<std::string> delete_jobs;  // by name, with their pods
  bool delete_pods_first = false;        // the Jobs to delete stay until their pods have ended
  std::vector<std::string>
      record_jobs;  // finished ones whose outcome is in the status by now: they may expire
  std::vector<EventNote> events;
  std::optional<FinishedRun> finished;
  std::optional<Duration> requeue_after;

  // Whether they are wrong when the status has changed meanwhile, even if this decision leaves it as it is.
  bool need_current_status() const { return start_job || !delete_jobs.empty(); }
};

}  // namespace kb::op
