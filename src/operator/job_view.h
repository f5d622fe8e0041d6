// Jobs and their pods as the operator reads them. What a pod says of itself is checked and bounded: whoever
// may create pods in the namespace could have written it. Pure.
// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/job.h"
#include "api/run_status.h"
#include "kube/api.h"
#include "operator/resource_view.h"

namespace kb::op {

enum class JobState { active, complete, failed };

struct JobView {
  std::string name, uid, owner_uid;
  std::optional<api::CurrentRun> run;  // as it was when the Job was made
  Timestamp created{};
  JobState state = JobState::active;
  std::string failure_reason, failure_message;  // of a failed one: BackoffLimitExceeded, DeadlineExceeded...
  std::int64_t failed_pods = 0;
  bool deleting = false;
  bool recorded = false;  // its outcome is in the status of the resource
};

JobView read_job(const kube::json::value& job);
// Takes away what read_job() does not need.
void trim_job(kube::json::value& job);

struct PodView {
  std::string name, job, ip;
  Timestamp created{};
  bool running = false, deleting = false;
  bool terminated = false;
  std::int64_t exit_code = 0;
  std::string terminated_reason;          // OOMKilled, Error...
  std::string waiting;                    // why it does not run yet, for people; empty when it does
  std::optional<api::WorkReport> report;  // its termination message, if it is one
};

PodView read_pod(const kube::json::value& pod);
void trim_pod(kube::json::value& pod);

// UID of the controller of an object; empty for none.
std::string controller_uid(const kube::json::value& object);

}  // namespace kb::op
