// Which ticks of a schedule are due. Pure.
#pragma once
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

Ticks look_at_ticks(const api::CronSchedule& schedule, const cctz::time_zone& zone, Seconds after,
                    Seconds now);

// From when on ticks count, given what the status says. A last tick that lies more than a day ahead was
// written by a clock that was wrong: it is not believed, or nothing would run for ages.
Seconds ticks_count_after(Seconds created, std::optional<Seconds> last_tick,
                          std::optional<Seconds> schedule_since, Seconds now);

}  // namespace kb::op
