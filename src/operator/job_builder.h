// The Job of a run, as it is sent to the API server. Pure.
#pragma once
#include <string>

#include "api/job.h"
#include "api/job_settings.h"
#include "api/run_status.h"
#include "operator/resource_view.h"
#include "operator/settings.h"

namespace kb::op {

struct JobRequest {
  const ResourceView& resource;
  const api::CurrentRun& run;
  const api::JobSettings& settings;
  const api::WorkOrder& order;       // stage and shards are set from the run
  std::uint32_t backoff_limit = 0;   // when the resource says nothing
  std::vector<std::string> claims;   // mounted at /volumes/<claim>
  std::vector<std::string> secrets;  // mounted at /etc/kafka-backup/secrets/<secret>
};

// "kb-nightly-1a2b3c4d-20251210020000": at most 53 characters, unique for resource and time; Indexed Jobs use
// it in host names.
std::string job_name(const ResourceView& resource, std::chrono::sys_seconds time);

// Throws invalid when the order does not fit into an annotation.
boost::json::object build_job(const JobRequest& request, const WorkerDefaults& defaults);

// The last Job of a run, from its first one: it goes by the same order and in the same kind of pod, whatever
// the resource says by now. Throws invalid, corrupt when the first one has been tampered with.
boost::json::object build_finish_job(const ResourceView& resource, const api::CurrentRun& run,
                                     const boost::json::value& first_job);

// For a Job whose outcome is in the status: from then on it may expire.
boost::json::object recorded_patch(const api::JobSettings& settings);

// The claim of spec.storage.pvc.create.
boost::json::object build_claim(const ResourceView& resource, const api::PvcStorage& pvc);

}  // namespace kb::op
