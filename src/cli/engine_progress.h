// The counters of the engine on the display.
#pragma once
#include <string>

#include "cli/arguments.h"
#include "cli/progress.h"
#include "engine/progress_counters.h"

namespace kb::cli {

// Shows the counters from construction on; finish() leaves the last line. `counters` must outlive it.
class EngineProgress {
 public:
  EngineProgress(const CommonFlags& common, std::string phase, const engine::ProgressCounters& counters);
  void finish() { display_.finish(); }

 private:
  Progress display_;
};

ProgressMode chosen_progress_mode(const CommonFlags& common);

}  // namespace kb::cli
