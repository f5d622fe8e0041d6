#include "cli/engine_progress.h"

namespace kb::cli {
namespace {

ProgressSample sample(const std::string& phase, const engine::ProgressCounters& counters) {
  return {.phase = phase,
          .bytes_done = counters.bytes_done,
          .bytes_total = counters.bytes_total,
          .records_done = counters.records_done,
          .records_total = counters.records_total,
          .partitions_done = counters.partitions_done,
          .partitions_total = counters.partitions_total};
}

}  // namespace

EngineProgress::EngineProgress(const CommonFlags& common, std::string phase,
                               const engine::ProgressCounters& counters)
    : display_({.mode = chosen_progress_mode(common)},
               [phase = std::move(phase), &counters] { return sample(phase, counters); }) {}

ProgressMode chosen_progress_mode(const CommonFlags& common) {
  if (common.progress == "plain") return ProgressMode::plain;
  if (common.progress == "json") return ProgressMode::json;
  if (common.progress == "none") return ProgressMode::none;
  return progress_mode_of_stderr(common.log_format == "json");
}

}  // namespace kb::cli
