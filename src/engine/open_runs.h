// What continuous backups leave behind when they are killed: runs that are still open.
#pragma once
#include "archive/archive.h"

namespace kb::engine {

// Closes and commits them, so that everything that was durable is in a set. Needs no cluster. A worker that
// is still at such a run is told at its next checkpoint.
void settle_open_runs(const Context& ctx, const archive::Archive& archive);

}  // namespace kb::engine
