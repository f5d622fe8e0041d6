// What a progress display shows, without a clock, a thread or a terminal. Pure; one owner.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"

namespace kb::cli {

// Totals of 0 are unknown: no bar and no ETA then.
struct ProgressSample {
  std::string phase;  // "backing up"; a new one starts rates and ETA afresh
  std::uint64_t bytes_done = 0, bytes_total = 0;
  std::uint64_t records_done = 0, records_total = 0;
  std::uint64_t partitions_done = 0, partitions_total = 0;
};

enum class ProgressMode {
  none,
  bar,    // one line of a terminal, drawn over and over
  plain,  // a line now and then
  json    // the same as a JSON object
};

struct Speed {
  std::uint64_t bytes_per_sec = 0, records_per_sec = 0;
  std::optional<std::chrono::milliseconds> eta;
};

// "backing up [=====>    ] 45%  1.2 GiB of 2.7 GiB  120.0 MiB/s  ETA 12 s  1,234 records  3 of 12
// partitions", from the left as much as fits into `columns`.
std::string bar_line(const ProgressSample& sample, const Speed& speed, std::size_t columns);
std::string plain_line(const ProgressSample& sample, const Speed& speed);
// One object without a newline; `time` is RFC 3339.
std::string json_line(const ProgressSample& sample, const Speed& speed, std::string_view time, bool last);

// Smoothed over about ten seconds, so that neither the start nor a pause long ago counts.
class SpeedEstimate {
 public:
  void start(const ProgressSample& sample, Clock::time_point now);
  void add(const ProgressSample& sample, Clock::time_point now);
  Speed current(const ProgressSample& sample) const;
  // Since start().
  Speed average(const ProgressSample& sample, Clock::time_point now) const;

 private:
  ProgressSample first_, last_;
  Clock::time_point first_time_, last_time_;
  double bytes_per_sec_ = 0, records_per_sec_ = 0;
  bool any_ = false;
};

struct Now {
  Clock::time_point steady;
  std::chrono::system_clock::time_point wall;
};

// Turns samples into what has to be written, newlines and control sequences included.
class ProgressDisplay {
 public:
  // Lines of plain and json come when `line_interval` has passed and when a phase ends.
  ProgressDisplay(ProgressMode mode, Duration line_interval) : mode_(mode), line_interval_(line_interval) {}

  std::string update(const ProgressSample& sample, const Now& now, std::size_t columns);
  // The last line, with average speeds.
  std::string finish(const ProgressSample& sample, const Now& now, std::size_t columns);
  // Takes the bar off the screen, for a log line or for good, and brings it back.
  std::string erase() const;
  std::string redraw() const;

 private:
  std::string end_phase(const ProgressSample& sample, const Now& now, std::size_t columns, bool last);

  const ProgressMode mode_;
  const Duration line_interval_;
  std::optional<ProgressSample> sample_;  // the latest
  SpeedEstimate speed_;
  Clock::time_point line_time_;  // of the last plain or json line
  std::string bar_;              // as it stands on the screen
};

}  // namespace kb::cli
