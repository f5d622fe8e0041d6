// Reconciling a KafkaRestore: from what is there to what is to be done. Pure; thread-safe.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/kafka_restore.h"
#include "api/kafka_restore_status.h"
#include "operator/backup_source.h"
#include "operator/decision.h"
#include "operator/job_view.h"

namespace kb::op {

struct RestoreInput {
  const ResourceView& resource;
  std::optional<api::KafkaRestoreSpec> spec;  // none when there are problems
  std::string problems;
  std::variant<BackupSource, NoSource> source;  // looked at when a run is to start
  std::string start_error;                      // why its Job could not be made the last time
  bool job_is_refused = false;                  // for ever: it is invalid
  std::vector<JobView> jobs;
  std::vector<PodView> pods;
  std::optional<api::WorkProgress> progress;
  Timestamp now{};
};

struct RestoreDecision {
  api::KafkaRestoreStatus status;
  Actions actions;
};

// A restore runs once. One that failed runs again when its spec is edited, one that was a dry run too; one
// that is complete only by the annotation kafka.oso.sh/run-now, whatever happens to its spec: writing into
// topics again is nothing that an edit should do by the way.
RestoreDecision decide_restore(const RestoreInput& input);

}  // namespace kb::op
