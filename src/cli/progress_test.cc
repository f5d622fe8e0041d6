#include "cli/progress.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>

#include "base/log.h"
#include "base/quantities.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::cli;
using namespace std::chrono_literals;

namespace {

ProgressSample sample_at(std::uint64_t bytes, std::uint64_t records = 0) {
  return {.phase = "backing up",
          .bytes_done = bytes,
          .bytes_total = 1000 << 20,
          .records_done = records,
          .partitions_done = 3,
          .partitions_total = 12};
}

Now at(Duration since_start) {
  return {Clock::time_point(1h + since_start), std::chrono::system_clock::time_point(1765368000s)};
}

// Collects what a Progress writes; wait_for() ends as soon as the text is there.
class Screen {
 public:
  void write(std::string_view text) {
    std::lock_guard lock(mutex_);
    text_ += text;
    changed_.notify_all();
  }
  bool wait_for(std::string_view wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] { return text_.find(wanted) != std::string::npos; });
  }
  std::string text() {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
};

}  // namespace

TEST_CASE("quantities") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1024) == "1.0 KiB");
  CHECK(format_bytes(1536) == "1.5 KiB");
  CHECK(format_bytes((1 << 20) - 1) == "1.0 MiB");
  CHECK(format_bytes(UINT64_MAX) == "16.0 EiB");
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1000) == "1,000");
  CHECK(format_count(1234567) == "1,234,567");
  CHECK(format_duration(0ms) == "0 s");
  CHECK(format_duration(1ms) == "1 s");
  CHECK(format_duration(59s) == "59 s");
  CHECK(format_duration(59s + 1ms) == "1 min 00 s");
  CHECK(format_duration(125s) == "2 min 05 s");
  CHECK(format_duration(3h + 7min + 1s) == "3 h 07 min");
  CHECK(format_duration(98h) == "4 d 02 h");
}

TEST_CASE("the bar shows as much as fits") {
  ProgressSample sample = sample_at(450 << 20, 1234567);
  Speed speed{.bytes_per_sec = 120 << 20, .records_per_sec = 9, .eta = 4584ms};
  CHECK(bar_line(sample, speed, 150) ==
        "backing up [=============>                ] 45%  450.0 MiB of 1.0 GiB  120.0 MiB/s  ETA 5 s  "
        "1,234,567 records  3 of 12 partitions");
  CHECK(bar_line(sample, speed, 79) ==
        "backing up [========>          ] 45%  450.0 MiB of 1.0 GiB  120.0 MiB/s");
  CHECK(bar_line(sample, speed, 40) == "backing up [====>     ] 45%  120.0 MiB/s");
  CHECK(bar_line(sample, speed, 5) == "backi");
  for (std::size_t columns = 1; columns < 200; ++columns)
    CHECK(bar_line(sample, speed, columns).size() <= columns);
}

TEST_CASE("without totals there is no bar, no percentage and no ETA") {
  ProgressSample sample{.phase = "reading", .bytes_done = 5000, .records_done = 10};
  CHECK(bar_line(sample, {}, 100) == "reading  4.9 KiB  10 records");
  CHECK(plain_line(sample, {}) == "reading: 4.9 KiB, 10 records");
  sample.records_total = 40;
  CHECK(plain_line(sample, {}) == "reading: 25%, 4.9 KiB, 10 of 40 records");
}

TEST_CASE("100 % is said when all is done, not before, and never more") {
  auto percent_of = [](std::uint64_t done, std::uint64_t total) {
    std::string line = plain_line({.phase = "p", .bytes_done = done, .bytes_total = total}, {});
    return line.substr(3, line.find('%') - 3);
  };
  CHECK(percent_of(999'999'999, 1'000'000'000) == "99");
  CHECK(percent_of(1'000'000'000, 1'000'000'000) == "100");
  CHECK(percent_of(2'000'000'000, 1'000'000'000) == "100");
  CHECK(percent_of(0, 1'000'000'000) == "0");
}

TEST_CASE("JSON lines") {
  CHECK(
      json_line(sample_at(1, 2), {.bytes_per_sec = 3, .records_per_sec = 4, .eta = 5ms}, "T", false) ==
      R"({"time":"T","phase":"backing up","bytesDone":1,"bytesTotal":1048576000,)"
      R"("recordsDone":2,"recordsTotal":0,)"
      R"("partitionsDone":3,"partitionsTotal":12,"bytesPerSec":3,"recordsPerSec":4,"etaMs":5,"last":false})");
  CHECK(json_line({.phase = "a\"\\\n"}, {}, "T", true).find(R"("phase":"a\"\\ ",)") != std::string::npos);
}

TEST_CASE("speed follows a change and ETA follows speed") {
  SpeedEstimate estimate;
  estimate.start(sample_at(0), at(0s).steady);
  CHECK(!estimate.current(sample_at(0)).eta);
  std::uint64_t bytes = 0;
  for (int second = 1; second <= 100; ++second)
    estimate.add(sample_at(bytes += 1 << 20), at(second * 1s).steady);
  CHECK(estimate.current(sample_at(bytes)).bytes_per_sec == doctest::Approx(1 << 20).epsilon(0.01));
  CHECK(estimate.current(sample_at(bytes)).eta->count() == doctest::Approx(900'000).epsilon(0.01));
  for (int second = 101; second <= 160; ++second)
    estimate.add(sample_at(bytes += 5 << 20), at(second * 1s).steady);
  CHECK(estimate.current(sample_at(bytes)).bytes_per_sec == doctest::Approx(5 << 20).epsilon(0.01));
  CHECK(estimate.average(sample_at(bytes), at(160s).steady).bytes_per_sec == (400 << 20) / 160);
  for (int second = 161; second <= 800; ++second) estimate.add(sample_at(bytes), at(second * 1s).steady);
  CHECK(!estimate.current(sample_at(bytes)).eta);  // nothing moves: no promise
}

TEST_CASE("the bar is redrawn when it changed, and steps aside for a log line") {
  ProgressDisplay display(ProgressMode::bar, 5s);
  CHECK(display.erase() == "");
  std::string first = display.update(sample_at(0), at(0s), 79);
  CHECK(first.starts_with("\r\x1b[Kbacking up [>"));
  CHECK(display.update(sample_at(0), at(1s), 79) == "");
  CHECK(display.erase() == "\r\x1b[K");
  CHECK("\r\x1b[K" + display.redraw() == first);
  CHECK(display.update(sample_at(100 << 20), at(2s), 79).find("10%") != std::string::npos);
  std::string last = display.finish(sample_at(1000 << 20), at(10s), 79);
  CHECK(last == "\r\x1b[Kbacking up [===================] 100%  1.0 GiB of 1.0 GiB  100.0 MiB/s\n");
  CHECK(display.erase() == "");
}

TEST_CASE("a phase leaves its last line and the next one starts afresh") {
  ProgressDisplay display(ProgressMode::plain, 5s);
  ProgressSample planning{.phase = "planning"};
  CHECK(display.update(planning, at(0s), 79) == "");
  CHECK(display.update(sample_at(0), at(1s), 79) == "planning: 0 B, 0 records\n");
  CHECK(display.update(sample_at(400 << 20), at(5s), 79) == "");
  CHECK(display.update(sample_at(500 << 20), at(6s), 79)
            .starts_with("backing up: 50%, 500.0 MiB of 1.0 GiB, "));
  CHECK(display.finish(sample_at(1000 << 20), at(11s), 79) ==
        "backing up: 100%, 1.0 GiB of 1.0 GiB, 100.0 MiB/s, 0 records, 3 of 12 partitions\n");
}

TEST_CASE("lines come at their interval, JSON with the time") {
  ProgressDisplay display(ProgressMode::json, 5s);
  int lines = 0;
  for (int second = 0; second < 60; ++second)
    lines +=
        display.update(sample_at(static_cast<std::uint64_t>(second)), at(second * 1s), 79).empty() ? 0 : 1;
  CHECK(lines == 11);
  std::string last = display.finish(sample_at(60), at(60s), 79);
  CHECK(last.starts_with(R"({"time":"2025-12-10T12:00:00Z","phase":"backing up","bytesDone":60,)"));
  CHECK(last.ends_with("\"last\":true}\n"));
}

TEST_CASE("the mode follows the terminal") {
  CHECK(progress_mode(true, true, "xterm") == ProgressMode::json);
  CHECK(progress_mode(false, true, "xterm") == ProgressMode::bar);
  CHECK(progress_mode(false, true, "dumb") == ProgressMode::plain);
  CHECK(progress_mode(false, true, nullptr) == ProgressMode::plain);
  CHECK(progress_mode(false, false, "xterm") == ProgressMode::plain);
  ::setenv("COLUMNS", "60", 1);
  CHECK(terminal_columns() == 59);
  ::setenv("COLUMNS", "many", 1);
  CHECK(terminal_columns() > 0);
  ::unsetenv("COLUMNS");
}

TEST_CASE("a running display polls, and finish() leaves the last state") {
  Screen screen;
  std::atomic<std::uint64_t> bytes = 0;
  Progress progress({.mode = ProgressMode::bar,
                     .bar_interval = 1ms,
                     .write = [&](std::string_view text) { screen.write(text); },
                     .columns = [] { return std::size_t{100}; }},
                    [&] { return sample_at(bytes += 1 << 20); });
  CHECK(screen.wait_for("  3.0 MiB of"));
  bytes = 999 << 20;
  progress.finish();
  CHECK(screen.text().ends_with("\n"));
  CHECK(screen.text().find("100%  1.0 GiB of 1.0 GiB") != std::string::npos);
  std::string before = screen.text();
  progress.finish();  // nothing more to say
  CHECK(screen.text() == before);
}

TEST_CASE("a display that is dropped takes its bar away") {
  Screen screen;
  {
    Progress progress({.mode = ProgressMode::bar,
                       .bar_interval = 1ms,
                       .write = [&](std::string_view text) { screen.write(text); },
                       .columns = [] { return std::size_t{100}; }},
                      [] { return sample_at(5); });
    CHECK(screen.wait_for("backing up"));
  }
  CHECK(screen.text().ends_with("\r\x1b[K"));
}

TEST_CASE("log lines from many threads and the bar take turns") {
  auto logger = spdlog::default_logger();
  set_up_logging("info", LogFormat::text);
  Screen screen;
  {
    Progress progress({.mode = ProgressMode::bar,
                       .bar_interval = 1ms,
                       .write = [&](std::string_view text) { screen.write(text); },
                       .columns = [] { return std::size_t{100}; }},
                      [n = std::uint64_t{0}]() mutable { return sample_at(++n << 20); });
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([] {
        for (int line = 0; line < 5; ++line) LOG_INFO("a log line beside the bar");
      });
    threads.clear();
    CHECK(screen.wait_for("backing up"));
    LOG_INFO("after the first bar");
    CHECK(screen.wait_for("\r\x1b[Kbacking up"));
    progress.finish();
  }
  LOG_INFO("the hooks are gone");
  spdlog::set_default_logger(logger);
  CHECK(screen.text().find("\r\x1b[K\r\x1b[K\r\x1b[K") == std::string::npos);
}
