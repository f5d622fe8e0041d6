#include "cli/progress.h"

#include <charconv>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"

namespace kb::cli {
namespace {

constexpr std::size_t columns_default = 80, columns_max = 1000;

Now now() {
  return {Clock::now(), std::chrono::system_clock::now()};
}

void write_to_stderr(std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_to_log(std::string_view lines) {
  while (!lines.empty()) {
    std::size_t end = lines.find('\n');
    LOG_INFO("{}", lines.substr(0, end));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
}

}  // namespace

ProgressMode progress_mode(bool json_logs, bool is_terminal, const char* term) {
  if (json_logs) return ProgressMode::json;
  bool moves_cursor = term && std::string_view(term) != "dumb" && !std::string_view(term).empty();
  return is_terminal && moves_cursor ? ProgressMode::bar : ProgressMode::plain;
}

ProgressMode progress_mode_of_stderr(bool json_logs) {
  return progress_mode(json_logs, ::isatty(STDERR_FILENO) == 1, std::getenv("TERM"));
}

std::size_t terminal_columns() {
  std::size_t columns = 0;
  if (const char* text = std::getenv("COLUMNS"))
    std::from_chars(text, text + std::string_view(text).size(), columns);
  winsize size{};
  if (columns == 0 && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  // One less than the terminal has: a character in the last column makes some terminals go on to the next
  // line.
  return std::min(columns == 0 ? columns_default : columns, columns_max) - 1;
}

Progress::Progress(ProgressOptions options, std::function<ProgressSample()> poll)
    : options_(std::move(options)), poll_(std::move(poll)), display_(options_.mode, options_.line_interval) {
  if (options_.mode == ProgressMode::none) return;
  if (options_.mode == ProgressMode::bar) set_log_hooks({before_log_line, after_log_line, this});
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Progress::~Progress() {
  stop();
  write(display_.erase());
}

void Progress::finish() {
  if (!thread_.joinable()) return;
  stop();
  write(display_.finish(poll_(), now(), options_.columns()));
}

void Progress::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  if (options_.mode == ProgressMode::bar) set_log_hooks({});
}

void Progress::run(const std::stop_token& stop) {
  Duration interval = options_.mode == ProgressMode::bar ? options_.bar_interval : options_.line_interval;
  // Looked at more often than a line is written, so that a phase that ends is seen to end.
  interval = std::min<Duration>(interval, std::chrono::milliseconds(500));
  while (!stop.stop_requested()) {
    ProgressSample sample = poll_();
    std::unique_lock lock(mutex_);
    write(display_.update(sample, now(), options_.columns()));
    stopped_.wait_for(lock, stop, interval, [] { return false; });
  }
}

void Progress::write(std::string_view text) const {
  if (text.empty()) return;
  if (options_.write) return options_.write(text);
  if (options_.mode == ProgressMode::plain) return write_to_log(text);
  write_to_stderr(text);
}

void Progress::before_log_line(void* self) {
  auto& progress = *static_cast<Progress*>(self);
  progress.mutex_.lock();
  progress.write(progress.display_.erase());
}

void Progress::after_log_line(void* self) {
  auto& progress = *static_cast<Progress*>(self);
  progress.write(progress.display_.redraw());
  progress.mutex_.unlock();
}

}  // namespace kb::cli
