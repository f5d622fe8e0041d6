// Ids of runs: <name of the KafkaBackup>-YYYYMMDD-HHMMSS, the time in UTC. Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace kb {

std::string make_backup_id(std::string_view name, std::chrono::sys_seconds time);
// The time in an id; nothing when it does not end in one.
std::optional<std::chrono::sys_seconds> time_of_backup_id(std::string_view backup_id);

}  // namespace kb
