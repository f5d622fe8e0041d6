// Shows the progress of a run on stderr: a bar on a terminal, lines elsewhere. Log lines written meanwhile do
// not collide with the bar. Showing progress never fails a run: what cannot be written is left out.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

#include "cli/progress_display.h"

namespace kb::cli {

// bar on a terminal that can move its cursor, json where logs are JSON, plain elsewhere.
ProgressMode progress_mode(bool json_logs, bool is_terminal, const char* term);
ProgressMode progress_mode_of_stderr(bool json_logs);

// $COLUMNS, else the width of the terminal at stderr, else 80.
std::size_t terminal_columns();

struct ProgressOptions {
  ProgressMode mode = ProgressMode::plain;
  Duration bar_interval = std::chrono::milliseconds(200);
  Duration line_interval = std::chrono::seconds(5);
  // Where to: lines of plain go to the log unless this is set, everything else to stderr.
  std::function<void(std::string_view)> write = {};
  std::function<std::size_t()> columns = terminal_columns;
};

// One at a time per process (it owns the log hooks while it lives). Thread-safe: no; `poll` is called on the
// display's own thread and must not block or log.
class Progress {
 public:
  Progress(ProgressOptions options, std::function<ProgressSample()> poll);
  // Without finish(): takes the bar away and says no last word.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Stops polling and leaves a last line with average speeds.
  void finish();

 private:
  void run(const std::stop_token& stop);
  void stop();
  void write(std::string_view text) const;
  static void before_log_line(void* self);
  static void after_log_line(void* self);

  const ProgressOptions options_;
  const std::function<ProgressSample()> poll_;
  std::mutex mutex_;  // also held from before_log_line to after_log_line
  std::condition_variable_any stopped_;
  ProgressDisplay display_;  // guarded by mutex_
  std::jthread thread_;      // last: ends before what it uses goes
};

}  // namespace kb::cli
