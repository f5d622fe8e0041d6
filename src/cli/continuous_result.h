// What is said about a continuous backup when it was stopped. Pure.
#pragma once
#include <cstdint>
#include <string>

#include "api/resource.h"
#include "cli/commands.h"
#include "engine/continuous.h"

namespace kb::cli {

struct ContinuousResult {
  std::string kind = "KafkaBackup";
  std::string resource_namespace, name;
  std::string outcome = "stopped";
  std::string backup_id, location;
  std::uint64_t restore_points = 0;
  std::uint64_t records = 0, raw_bytes = 0, stored_bytes = 0, segments = 0, lost = 0;
  void fields(auto& f) {
    f("kind", kind, "Kind of the resource.");
    f("namespace", resource_namespace, "Its namespace.");
    f("name", name, "Its name.");
    f("outcome", outcome, "stopped: a continuous backup has no other end.");
    f("backupId", backup_id, "The newest restore point; empty when none was made.");
    f("location", location, "Where the archive is.");
    f("restorePoints", restore_points, "Restore points made.");
    f("records", records, "Records stored.");
    f("rawBytes", raw_bytes, "Bytes of their batches.");
    f("storedBytes", stored_bytes, "Bytes of the segments written.");
    f("segments", segments, "Segments written.");
    f("lostOffsets", lost, "Offsets that retention deleted before they were read.");
  }
};

ContinuousResult summarize(const api::ObjectMeta& metadata, const engine::ContinuousReport& report,
                           const std::string& location);
Result present(const ContinuousResult& result);

// As the program's end: cancelled, which is how the program says that it was asked to stop.
Error stopped(const engine::ContinuousReport& report);

}  // namespace kb::cli
