// How the work of a resource is laid out over Kubernetes Jobs; shared by KafkaBackup and KafkaRestore.
// Additive.
#pragma once
#include <cstdint>
#include <optional>

#include "api/pod_template.h"
#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

inline constexpr std::uint32_t workers_max = 256;

struct JobSettings {
  std::uint32_t workers = 1;
  std::optional<std::uint32_t> backoff_limit;
  std::optional<std::uint32_t> active_deadline_seconds;
  std::uint32_t ttl_seconds_after_finished = 86400;
  std::optional<PodTemplate> pod_template;

  void job_fields(auto& f) {
    f("workers", workers, "Pods that share the work of a run. Additive.", {.min = 1, .max = workers_max});
    f("backoffLimit", backoff_limit,
      "How often a run that failed is tried again, going on where it was, times `workers`; absent: 3 for "
      "backups, 0 for restores. Additive.",
      {.max = 100});
    f("activeDeadlineSeconds", active_deadline_seconds,
      "Seconds after which a run is stopped and failed. Additive.", {.min = 1});
    f("ttlSecondsAfterFinished", ttl_seconds_after_finished,
      "Seconds after which a finished Job is removed, once its outcome is in the status. Additive.");
    f("podTemplate", pod_template, "The pods of the Jobs. Additive.");
  }
};

}  // namespace kb::api
