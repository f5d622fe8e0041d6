#include "api/cron_schedule.h"

#include <random>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/error.h"

#include <doctest/doctest.h>

namespace kb::api {
namespace {

using namespace std::chrono_literals;

Seconds utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  return Seconds(std::chrono::seconds(cctz::civil_second(year, month, day, hour, minute, second) -
                                      cctz::civil_second(1970, 1, 1)));
}

std::string text(std::optional<Seconds> at) {
  if (!at) return "never";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(at->time_since_epoch().count()));
}

std::string next(const char* schedule, Seconds after, const char* zone = "") {
  return text(CronSchedule::parse(schedule).next(after, load_time_zone(zone)));
}

std::string refusal(const char* schedule) {
  try {
    CronSchedule::parse(schedule);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid);
    return error.what();
  }
  return "accepted";
}

const Seconds wednesday = utc(2025, 12, 10, 12, 0, 0);

TEST_CASE("six and seven fields: seconds first, days of the week from 1, day of month and of week together") {
  CHECK(next("0 0 2 * * *", wednesday) == "2025-12-11 02:00:00");
  CHECK(next("30 15 2 * * ?", wednesday) == "2025-12-11 02:15:30");
  CHECK(next("0 0 2 * * 1", wednesday) == "2025-12-14 02:00:00");  // 1 is Sunday
  CHECK(next("0 0 2 * * Sat", wednesday) == "2025-12-13 02:00:00");
  CHECK(next("0 0 2 * * 7", wednesday) == "2025-12-13 02:00:00");
  CHECK(next("0 0 2 * * MONDAY-Fri", wednesday) == "2025-12-11 02:00:00");
  CHECK(next("0 0 0 13 * Fri", wednesday) == "2026-02-13 00:00:00");  // a Friday that is a 13th
  CHECK(next("0 0 0 1 1 * 2027", wednesday) == "2027-01-01 00:00:00");
  CHECK(next("0 0 0 1 1 * 2027-2030", wednesday) == "2027-01-01 00:00:00");
  CHECK(next("0 0 0 1 1 * 2020", wednesday) == "never");
  CHECK(next("0 0 0 29 feb *", wednesday) == "2028-02-29 00:00:00");
  CHECK(next("0 0 0 31 2 *", wednesday) == "never");
  CHECK(next("*/10 * * * * *", wednesday) == "2025-12-10 12:00:10");
  CHECK(next("0 5/15 * * * *", wednesday) == "2025-12-10 12:05:00");
  CHECK(next("0 0-30/10 13 * * *", wednesday + 63min) == "2025-12-10 13:10:00");
  CHECK(next(" 0\t0  2 *  * *\n", wednesday) == "2025-12-11 02:00:00");
  CHECK(next("59 59 23 31 12 * 2100", wednesday) == "2100-12-31 23:59:59");
  CHECK(next("59 59 23 31 12 *", utc(2100, 12, 31, 23, 59, 59)) == "never");
}

TEST_CASE("five fields: as in crontab(5)") {
  CHECK(next("0 */6 * * *", wednesday) == "2025-12-10 18:00:00");
  CHECK(next("0 2 * * *", wednesday) == "2025-12-11 02:00:00");
  CHECK(next("0 2 * * 0", wednesday) == "2025-12-14 02:00:00");
  CHECK(next("0 2 * * 7", wednesday) == "2025-12-14 02:00:00");
  CHECK(next("0 2 * * 1-5", wednesday) == "2025-12-11 02:00:00");
  CHECK(next("0 0 13 * 5", wednesday) == "2025-12-12 00:00:00");  // a 13th or a Friday
  CHECK(next("0 0 13 * *", wednesday) == "2025-12-13 00:00:00");
  CHECK(next("0 0 */2 * 5", wednesday) == "2025-12-19 00:00:00");  // begins with a star: both, on odd days
}

TEST_CASE("shorthands") {
  CHECK(next("@hourly", wednesday) == "2025-12-10 13:00:00");
  CHECK(next("@daily", wednesday) == "2025-12-11 00:00:00");
  CHECK(next("@midnight", wednesday) == "2025-12-11 00:00:00");
  CHECK(next("@weekly", wednesday) == "2025-12-14 00:00:00");
  CHECK(next("@monthly", wednesday) == "2026-01-01 00:00:00");
  CHECK(next("@yearly", wednesday) == "2026-01-01 00:00:00");
  CHECK(next("@annually", wednesday) == "2026-01-01 00:00:00");
}

TEST_CASE("what is no schedule is refused, saying which field") {
  struct Row {
    const char* schedule;
    const char* why;
  };
  for (const auto& row : {Row{"", "has 0 fields"},
                          Row{"* * * *", "has 4 fields"},
                          Row{"0 0 2 * * * 2025 x", "has 8 fields"},
                          Row{"@every 5m", "2 fields"},
                          Row{"@Daily", "'@Daily' is not a schedule"},
                          Row{"? 0 2 * * *", "the second field '?'"},
                          Row{"60 0 2 * * *", "60, which is not between 0 and 59"},
                          Row{"0 0 24 * * *", "the hour field '24'"},
                          Row{"0 0 0 0 * *", "the day of month field '0'"},
                          Row{"0 0 0 * 13 *", "the month field '13'"},
                          Row{"0 0 0 * * 0", "the day of week field '0'"},
                          Row{"0 0 0 * * 8", "the day of week field '8'"},
                          Row{"0 0 * * 8", "the day of week field '8'"},
                          Row{"0 0 0 * * FRI-MON", "ends before it begins"},
                          Row{"0 0 22-2 * * *", "ends before it begins"},
                          Row{"0 */0 * * * *", "a step of 0"},
                          Row{"0 0 0 L * *", "'L' where a number"},
                          Row{"0 0 0 15W * *", "'15W' where a number"},
                          Row{"0 0 0 * * 5#3", "'5#3' where a number"},
                          Row{"0 0 0 * * * 1969", "1969"},
                          Row{"0 0 0 * * * 2101", "2101"},
                          Row{"0 1,,2 * * * *", "an empty part"},
                          Row{"0 ,1 * * * *", "an empty part"},
                          Row{"0 -1 * * * *", "the minute field '-1'"},
                          Row{"0 1- * * * *", "the minute field '1-'"},
                          Row{"0 1/ * * * *", "the minute field '1/'"},
                          Row{"0 +1 * * * *", "'+1' where a number"},
                          Row{"0 0 0 * jänner *", "the month field"}}) {
    CAPTURE(row.schedule);
    CHECK_MESSAGE(refusal(row.schedule).find(row.why) != std::string::npos, refusal(row.schedule));
  }
}

TEST_CASE("a wall clock in a time zone") {
  CHECK(next("0 2 * * *", wednesday, "Europe/Berlin") == "2025-12-11 01:00:00");
  CHECK(next("0 2 * * *", wednesday, "Asia/Kolkata") == "2025-12-10 20:30:00");
  CHECK(next("0 2 * * *", wednesday, "America/New_York") == "2025-12-11 07:00:00");
  for (const char* zone : {"Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "UTC\n"})
    CHECK_THROWS_AS(load_time_zone(zone), Error);
}

// Europe/Berlin: forward at 2025-03-30 01:00 UTC (02:00 becomes 03:00), back at 2025-10-26 01:00 UTC (03:00
// becomes 02:00).
TEST_CASE("clocks put forward: what falls into the gap comes once, at its end") {
  const char* berlin = "Europe/Berlin";
  CHECK(next("30 2 * * *", utc(2025, 3, 29, 12), berlin) == "2025-03-30 01:00:00");
  CHECK(next("*/10 2 * * *", utc(2025, 3, 29, 12), berlin) == "2025-03-30 01:00:00");
  CHECK(next("*/10 2 * * *", utc(2025, 3, 30, 1), berlin) == "2025-03-31 00:00:00");
  CHECK(next("0 3 * * *", utc(2025, 3, 29, 12), berlin) == "2025-03-30 01:00:00");
  CHECK(next("0 * * * *", utc(2025, 3, 30, 0, 30), berlin) == "2025-03-30 01:00:00");
  CHECK(next("0 * * * *", utc(2025, 3, 30, 1), berlin) == "2025-03-30 02:00:00");
  CHECK(next("30 3 * * *", utc(2025, 3, 30, 0, 59), berlin) == "2025-03-30 01:30:00");
}

TEST_CASE("clocks put back: the hour that comes twice counts once, but for schedules of every hour") {
  const char* berlin = "Europe/Berlin";
  CHECK(next("30 2 * * *", utc(2025, 10, 25, 12), berlin) == "2025-10-26 00:30:00");
  CHECK(next("30 2 * * *", utc(2025, 10, 26, 0, 30), berlin) == "2025-10-27 01:30:00");
  CHECK(next("*/20 2 * * *", utc(2025, 10, 26, 0, 40), berlin) == "2025-10-27 01:00:00");
  CHECK(next("*/20 2 * * *", utc(2025, 10, 26, 1, 10), berlin) == "2025-10-27 01:00:00");
  CHECK(next("0 3 * * *", utc(2025, 10, 26, 0, 40), berlin) == "2025-10-26 02:00:00");
  CHECK(next("0 * * * *", utc(2025, 10, 26, 0), berlin) == "2025-10-26 01:00:00");
  CHECK(next("0 * * * *", utc(2025, 10, 26, 1), berlin) == "2025-10-26 02:00:00");
  CHECK(next("*/30 * * * *", utc(2025, 10, 26, 1), berlin) == "2025-10-26 01:30:00");
}

// An oracle that looks at every second, in zones with odd offsets and changes, and knows nothing of our
// search.
TEST_CASE("no tick is left out, none is added, whatever the schedule and the zone") {
  std::mt19937 random(7);
  auto draw = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (const char* name : {"", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata",
                           "Africa/Casablanca"}) {
    auto zone = load_time_zone(name);
    for (int round = 0; round < 12; ++round) {
      const int minute = draw(60), step = 1 + draw(29), hour = draw(24);
      const bool every_hour = draw(2) == 0;
      const auto schedule = every_hour ? fmt::format("{} {}-59/{} * * * *", draw(60), minute, step)
                                       : fmt::format("{} {}-59/{} {} * * *", draw(60), minute, step, hour);
      const int second = std::stoi(schedule);
      CAPTURE(std::string(name));
      CAPTURE(schedule);
      const auto begin =
          Seconds(utc(2025, draw(2) == 0 ? 3 : 10, 20 + draw(10), draw(24), draw(60), draw(60)));
      const auto cron = CronSchedule::parse(schedule);
      std::vector<Seconds> wanted, found;
      std::optional<cctz::civil_second> furthest;
      auto civil_at = [&](Seconds at) {
        return cctz::convert(cctz::time_point<cctz::seconds>(at.time_since_epoch()), zone);
      };
      // What the clock had shown before it was put back does not count again.
      for (auto at = begin - 3h; at <= begin; at += 1s)
        furthest = furthest ? std::max(*furthest, civil_at(at)) : civil_at(at);
      for (auto at = begin + 1s; at < begin + 50h; at += 1s) {
        const auto now = civil_at(at), before = civil_at(at - 1s);
        bool due = false;
        auto matches = [&](cctz::civil_second c) {
          return c.second() == second && (every_hour || c.hour() == hour) && c.minute() >= minute &&
                 (c.minute() - minute) % step == 0;
        };
        for (auto c = std::max(before + 1, now - 7200); c <= now; ++c)
          due |= matches(c) && (every_hour || c > *furthest);
        if (now <= before && every_hour) due = matches(now);
        furthest = std::max(*furthest, now);
        if (due) wanted.push_back(at);
      }
      for (auto at = cron.next(begin, zone); at && *at < begin + 50h; at = cron.next(*at, zone))
        found.push_back(*at);
      REQUIRE(found.size() == wanted.size());
      for (std::size_t i = 0; i < found.size(); ++i) CHECK(text(found[i]) == text(wanted[i]));
    }
  }
}

}  // namespace
}  // namespace kb::api
