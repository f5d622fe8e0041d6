// Cron schedules in the three forms that users write:
//
//   6 or 7 fields  sec min hour dom month dow [year], as kafka.oso.sh/v1alpha1 has them: dow 1 (Sunday) to 7
//   (Saturday), and a
//                  day must match dom and dow. Years 1970 to 2100.
//   5 fields       min hour dom month dow, as in crontab(5): dow 0 or 7 (Sunday) to 6, and where both dom and
//   dow are
//                  restricted a day must match one of them.
//   @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually)
//
// Each field is a list of `*`, `?` (not for seconds), values, ranges and steps (`5/15`, `0-30/10`); months
// and days of the week also by name, in any case. Ranges do not wrap around; L, W and # are not known.
//
// Ticks are those of a wall clock in a time zone. Where clocks are put forward, ticks that fall into the gap
// are one tick at its end; where they are put back, an hour that comes twice counts once, but for schedules
// whose hour is `*`: they go by the time that passes. Immutable; thread-safe.
#pragma once
#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

namespace kb::api {

using Seconds = std::chrono::sys_seconds;

// Throws Error(invalid) for a name that is not in the time zone database (IANA: "Europe/Berlin"); empty is
// UTC.
cctz::time_zone load_time_zone(std::string_view name);

class CronSchedule {
 public:
  // Throws Error(invalid) that says which field is wrong and how.
  static CronSchedule parse(std::string_view text);

  // The first tick after `after`; nothing when there is none before 2101.
  std::optional<Seconds> next(Seconds after, const cctz::time_zone& zone = cctz::utc_time_zone()) const;

 private:
  static constexpr int year_min = 1970, year_max = 2100;

  bool matches_day(cctz::civil_day day) const;
  std::optional<cctz::civil_second> next_civil(cctz::civil_second after) const;
  std::optional<cctz::civil_second> next_time_of_day(cctz::civil_second from) const;

  std::bitset<60> seconds_, minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_of_month_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;  // 0 is Sunday
  std::bitset<year_max + 1> years_;
  bool either_day_ = false;  // crontab(5): one of dom and dow is enough
  bool every_hour_ = false;
};

}  // namespace kb::api
