#include "operator/schedule.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace kb::op {
namespace {

using namespace std::chrono_literals;

// Steps back in time until an interval holds a tick, so that a schedule of every second and a year without an
// operator do not take a year's worth of steps.
constexpr std::array<std::chrono::seconds, 7> looks_back = {
    60s, 3600s, 86'400s, 2'678'400s, 31'622'400s, 316'224'000s, 5'000'000'000s};

std::optional<Seconds> last_tick(const api::CronSchedule& schedule, const cctz::time_zone& zone,
                                 Seconds after, Seconds now) {
  for (auto back : looks_back) {
    auto from = std::max(after, now - back);
    std::optional<Seconds> last;
    for (auto tick = schedule.next(from, zone); tick && *tick <= now; tick = schedule.next(*tick, zone))
      last = tick;
    if (last || from == after) return last;
  }
  return std::nullopt;
}

}  // namespace

Ticks look_at_ticks(const api::CronSchedule& schedule, const cctz::time_zone& zone, Seconds after,
                    Seconds now) {
  Ticks ticks;
  if (after < now) ticks.due = last_tick(schedule, zone, after, now);
  if (ticks.due)
    for (auto tick = schedule.next(after, zone); tick && *tick < *ticks.due && ticks.missed < missed_max;
         tick = schedule.next(*tick, zone))
      ++ticks.missed;
  ticks.next = schedule.next(std::max(now, std::min(after, now + clock_error_max)), zone);
  return ticks;
}

Seconds ticks_count_after(Seconds created, std::optional<Seconds> last_tick,
                          std::optional<Seconds> schedule_since, Seconds now) {
  auto after = std::min(created, now);
  for (const auto& time : {last_tick, schedule_since})
    if (time) after = std::max(after, *time);
  return after;
}

}  // namespace kb::op
