// Which ticks of a schedule are due. Pure.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "api/cron_schedule.h"

namespace kb::op {

using api::Seconds;

struct Ticks {
  std::optional<Seconds> due;   // the last tick in (after, now]
  std::uint64_t missed = 0;     // ticks before it in that interval; counted up to missed_max
  std::optional<Seconds> next;  // the first one after now
};
inline constexpr std::uint64_t missed_max = 1000;

// How wrong clocks may be.
inline constexpr auto clock_error_max = std::chrono::hours(24);

Ticks look_at_ticks(const api::CronSchedule& schedule, const cctz::time_zone& zone, Seconds after,
                    Seconds now);

// From when on ticks count, given what the status says.
Seconds ticks_count_after(Seconds created, std::optional<Seconds> last_tick,
                          std::optional<Seconds> schedule_since, Seconds now);

}  // namespace kb::op
