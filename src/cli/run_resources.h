// Running one resource of a file.
#pragma once
#include <string>

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

Outcome run_backup(const Context& ctx, const ResourceRun& run);
Outcome run_restore(const Context& ctx, const ResourceRun& run);

}  // namespace kb::cli
