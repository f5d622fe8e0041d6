#include "cli/progress_display.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include "base/quantities.h"

namespace kb::cli {
namespace {

constexpr std::string_view erase_line = "\r\x1b[K";
constexpr std::size_t bar_width_max = 30, bar_width_min = 10;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::uint64_t grown(std::uint64_t from, std::uint64_t to) {
  return to > from ? to - from : 0;
}

std::uint64_t per_second(std::uint64_t amount, double duration) {
  return duration > 0 ? static_cast<std::uint64_t>(static_cast<double>(amount) / duration) : 0;
}

// By bytes where their total is known, else by records.
std::optional<double> fraction(const ProgressSample& sample) {
  auto [done, total] = sample.bytes_total > 0 ? std::pair(sample.bytes_done, sample.bytes_total)
                                              : std::pair(sample.records_done, sample.records_total);
  if (total == 0) return {};
  return static_cast<double>(std::min(done, total)) / static_cast<double>(total);
}

std::optional<std::chrono::milliseconds> eta(const ProgressSample& sample, const Speed& speed) {
  constexpr double longest = 1e12;  // milliseconds; 30 years say nothing
  bool bytes = sample.bytes_total > 0;
  std::uint64_t left =
      bytes ? grown(sample.bytes_done, sample.bytes_total) : grown(sample.records_done, sample.records_total);
  std::uint64_t rate = bytes ? speed.bytes_per_sec : speed.records_per_sec;
  if (rate == 0 || !fraction(sample)) return {};
  double milliseconds = 1000.0 * static_cast<double>(left) / static_cast<double>(rate);
  if (milliseconds > longest) return {};
  return std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds));
}

// Never 100 % before it is all there.
int percent(double fraction) {
  return static_cast<int>(std::floor(fraction * 100));
}

std::string done_of(std::string done, std::uint64_t total, const std::string& total_text,
                    std::string_view unit) {
  std::string out = total > 0 ? fmt::format("{} of {}", done, total_text) : std::move(done);
  return unit.empty() ? out : fmt::format("{} {}", out, unit);
}

std::string bytes_text(const ProgressSample& s) {
  return done_of(format_bytes(s.bytes_done), s.bytes_total, format_bytes(s.bytes_total), "");
}
std::string records_text(const ProgressSample& s) {
  return done_of(format_count(s.records_done), s.records_total, format_count(s.records_total), "records");
}
std::string partitions_text(const ProgressSample& s) {
  return done_of(format_count(s.partitions_done), s.partitions_total, format_count(s.partitions_total),
                 "partitions");
}

std::vector<std::string> texts(const ProgressSample& sample, const Speed& speed) {
  std::vector<std::string> out{bytes_text(sample)};
  if (speed.bytes_per_sec > 0) out.push_back(fmt::format("{}/s", format_bytes(speed.bytes_per_sec)));
  if (speed.eta) out.push_back(fmt::format("ETA {}", format_duration(*speed.eta)));
  out.push_back(records_text(sample));
  if (sample.partitions_total > 0) out.push_back(partitions_text(sample));
  return out;
}

std::string drawn_bar(double fraction, std::size_t width) {
  auto filled = static_cast<std::size_t>(fraction * static_cast<double>(width));
  std::string out(filled, '=');
  if (filled < width) out += '>';
  out.resize(width, ' ');
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

std::string time_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace

std::string bar_line(const ProgressSample& sample, const Speed& speed, std::size_t columns) {
  std::string out = sample.phase.substr(0, columns);
  auto append = [&](const std::string& text) {
    if (out.size() + text.size() <= columns) out += text;
  };
  if (auto part = fraction(sample)) {
    std::size_t width = std::clamp(columns / 4, bar_width_min, bar_width_max);
    append(fmt::format(" [{}]", drawn_bar(*part, width)));
    append(fmt::format(" {}%", percent(*part)));
  }
  for (const std::string& text : texts(sample, speed)) append("  " + text);
  return out;
}

std::string plain_line(const ProgressSample& sample, const Speed& speed) {
  std::string out = sample.phase + ":";
  if (auto part = fraction(sample)) out += fmt::format(" {}%,", percent(*part));
  return fmt::format("{} {}", out, fmt::join(texts(sample, speed), ", "));
}

std::string json_line(const ProgressSample& sample, const Speed& speed, std::string_view time, bool last) {
  std::string out = fmt::format(
      R"({{"time":"{}","phase":"{}","bytesDone":{},"bytesTotal":{},"recordsDone":{},"recordsTotal":{},)"
      R"("partitionsDone":{},"partitionsTotal":{},"bytesPerSec":{},"recordsPerSec":{})",
      time, escaped(sample.phase), sample.bytes_done, sample.bytes_total, sample.records_done,
      sample.records_total, sample.partitions_done, sample.partitions_total, speed.bytes_per_sec,
      speed.records_per_sec);
  if (speed.eta) out += fmt::format(R"(,"etaMs":{})", speed.eta->count());
  return out + fmt::format(R"(,"last":{}}})", last);
}

void SpeedEstimate::start(const ProgressSample& sample, Clock::time_point now) {
  *this = {};
  first_ = last_ = sample;
  first_time_ = last_time_ = now;
}

void SpeedEstimate::add(const ProgressSample& sample, Clock::time_point now) {
  constexpr double memory_seconds = 10;
  double passed = seconds(now - last_time_);
  if (passed <= 0) return;
  double bytes = static_cast<double>(grown(last_.bytes_done, sample.bytes_done)) / passed;
  double records = static_cast<double>(grown(last_.records_done, sample.records_done)) / passed;
  // The first samples weigh as in a plain average, so that the estimate does not creep up from zero.
  double weight = any_ ? 1 - std::exp(-passed / std::min(memory_seconds, seconds(now - first_time_))) : 1;
  bytes_per_sec_ += weight * (bytes - bytes_per_sec_);
  records_per_sec_ += weight * (records - records_per_sec_);
  any_ = true;
  last_ = sample;
  last_time_ = now;
}

Speed SpeedEstimate::current(const ProgressSample& sample) const {
  Speed speed{static_cast<std::uint64_t>(bytes_per_sec_), static_cast<std::uint64_t>(records_per_sec_), {}};
  speed.eta = eta(sample, speed);
  return speed;
}

Speed SpeedEstimate::average(const ProgressSample& sample, Clock::time_point now) const {
  double passed = seconds(now - first_time_);
  return {per_second(grown(first_.bytes_done, sample.bytes_done), passed),
          per_second(grown(first_.records_done, sample.records_done), passed),
          {}};
}

std::string ProgressDisplay::update(const ProgressSample& sample, const Now& now, std::size_t columns) {
  std::string out;
  bool new_phase = !sample_ || sample_->phase != sample.phase;
  if (new_phase) {
    if (sample_) out = end_phase(*sample_, now, columns, false);
    speed_.start(sample, now.steady);
    line_time_ = now.steady;
  } else {
    speed_.add(sample, now.steady);
  }
  sample_ = sample;
  Speed speed = speed_.current(sample);
  if (mode_ == ProgressMode::bar) {
    std::string line = bar_line(sample, speed, columns);
    if (line != bar_) out += fmt::format("{}{}", erase_line, line);
    bar_ = std::move(line);
  } else if (mode_ != ProgressMode::none && now.steady - line_time_ >= line_interval_) {
    line_time_ = now.steady;
    out += mode_ == ProgressMode::json ? json_line(sample, speed, time_text(now.wall), false)
                                       : plain_line(sample, speed);
    out += '\n';
  }
  return out;
}

std::string ProgressDisplay::finish(const ProgressSample& sample, const Now& now, std::size_t columns) {
  std::string out;
  if (sample_ && sample_->phase != sample.phase) out = end_phase(*sample_, now, columns, false);
  if (!sample_ || sample_->phase != sample.phase) speed_.start(sample, now.steady);
  sample_ = sample;
  return out + end_phase(sample, now, columns, true);
}

std::string ProgressDisplay::end_phase(const ProgressSample& sample, const Now& now, std::size_t columns,
                                       bool last) {
  Speed speed = speed_.average(sample, now.steady);
  bar_.clear();
  switch (mode_) {
    case ProgressMode::none:
      return "";
    case ProgressMode::bar:
      return fmt::format("{}{}\n", erase_line, bar_line(sample, speed, columns));
    case ProgressMode::plain:
      return plain_line(sample, speed) + "\n";
    case ProgressMode::json:
      return json_line(sample, speed, time_text(now.wall), last) + "\n";
  }
  return "";
}

std::string ProgressDisplay::erase() const {
  return bar_.empty() ? "" : std::string(erase_line);
}

std::string ProgressDisplay::redraw() const {
  return bar_;
}

}  // namespace kb::cli
