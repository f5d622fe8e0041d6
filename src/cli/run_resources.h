// Running one resource of a file.
#pragma once
#include <string>
#include <variant>

#include "api/resource.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "storage/place.h"

namespace kb::cli {

// What a resource and the flags of the program come to.
struct ResourceRun {
  const api::Resource& resource;
  storage::Place archive;
  const RunFlags& flags;
  const CommonFlags& common;
};

// Of a KafkaBackup or KafkaRestore: only these are run.
inline const api::KafkaCluster& cluster_of(const api::Resource& resource) {
  if (const auto* backup = std::get_if<api::KafkaBackupSpec>(&resource.spec)) return backup->kafka_cluster;
  return std::get<api::KafkaRestoreSpec>(resource.spec).kafka_cluster;
}

Outcome run_backup(const Context& ctx, const ResourceRun& run);
Outcome run_restore(const Context& ctx, const ResourceRun& run);

}  // namespace kb::cli
