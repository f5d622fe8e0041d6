// What of a spec makes a run another one.
#include "base/checksum.h"
#include "operator/backup_decision.h"
#include "schema/schema.h"

namespace kb::op {

std::string run_digest(const api::KafkaBackupSpec& spec) {
  auto value = schema::write(spec);
  // A run that never ends is replaced by every edit that its worker would notice.
  if (spec.continuous) {
    for (auto name : {"suspend", "successfulJobsHistoryLimit", "failedJobsHistoryLimit",
                      "ttlSecondsAfterFinished", "startingDeadlineSeconds", "concurrencyPolicy", "timeZone"})
      value.get_object().stable_erase(name);
    return sha256_hex(schema::serialize(value));
  }
  for (auto name :
       {"schedule", "timeZone", "startingDeadlineSeconds", "concurrencyPolicy", "suspend", "retention",
        "metrics", "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "workers", "backoffLimit",
        "activeDeadlineSeconds", "ttlSecondsAfterFinished", "podTemplate", "rateLimiting", "circuitBreaker"})
    value.get_object().stable_erase(name);  // erase() would move the last one to its place
  return sha256_hex(schema::serialize(value));
}

}  // namespace kb::op
