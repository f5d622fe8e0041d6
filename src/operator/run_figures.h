// What a run did, as the status of a KafkaBackup shows it. Pure.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "api/job.h"
#include "api/kafka_backup_status.h"

namespace kb::op {

// Of one that is complete; `seconds` is how long it took with its pods.
void record_figures(api::KafkaBackupStatus& status, const api::WorkReport& report,
                    const std::string& backup_id, std::chrono::sys_seconds now, double seconds);

void record_retention(api::KafkaBackupStatus& status, const api::ReportedRetention& retention,
                      std::chrono::sys_seconds now);

std::string success_text(const api::KafkaBackupStatus& status);
std::string lost_text(std::uint64_t offsets, const std::string& backup_id);

}  // namespace kb::op
