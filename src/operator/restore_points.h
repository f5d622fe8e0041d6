// What can be restored, as the status of a KafkaBackup shows it. Pure.
#pragma once
#include <string>

#include "api/job.h"
#include "api/kafka_backup_status.h"

namespace kb::op {

// From a report, which has times only; what is known of older points stays. `name` is that of the
// KafkaBackup.
void record_points(api::KafkaBackupStatus& status, const std::string& name, const api::WorkReport& report);

// From a continuous backup's worker while it goes on, also as the last word of one that ended: whatever is
// older than what the status has changes nothing. What it says is no more than a hint where to look: a
// restore reads the archive.
void follow_points(api::KafkaBackupStatus& status, const std::string& name,
                   const api::ReportedPoints& points);

}  // namespace kb::op
