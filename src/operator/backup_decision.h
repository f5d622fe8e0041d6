// Reconciling a KafkaBackup: from what is there to what is to be done. Pure; thread-safe.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/kafka_backup.h"
#include "api/kafka_backup_status.h"
#include "operator/decision.h"
#include "operator/job_view.h"
#include "operator/resource_view.h"

namespace kb::op {

struct BackupInput {
  const ResourceView& resource;
  std::optional<api::KafkaBackupSpec> spec;   // none when there are problems
  std::string problems;                       // of the spec, one sentence
  std::string start_error;                    // why its Job could not be made the last time
  bool job_is_refused = false;                // for ever: it is invalid
  std::vector<JobView> jobs;                  // that the resource controls
  std::vector<PodView> pods;                  // of those jobs
  std::optional<api::WorkProgress> progress;  // of the current run, all its pods together
  Timestamp now{};
};

struct BackupDecision {
  api::KafkaBackupStatus status;
  Actions actions;
};

BackupDecision decide_backup(const BackupInput& input);

// SHA-256 of the part of a spec that decides what a run stores: a one-shot backup runs once for each.
std::string run_digest(const api::KafkaBackupSpec& spec);

inline constexpr Duration progress_interval = std::chrono::seconds(5);
inline constexpr Duration reconcile_interval_max = std::chrono::minutes(10);

}  // namespace kb::op
