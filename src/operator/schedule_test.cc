#include "operator/schedule.h"

#include "base/context.h"
#include "schema/rfc3339.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

Seconds at(std::string_view text) {
  return std::chrono::floor<std::chrono::seconds>(*schema::parse_rfc3339(text));
}
std::string text_of(std::optional<Seconds> time) {
  return time ? schema::format_rfc3339(*time) : "none";
}
Ticks look(std::string_view schedule, std::string_view zone, std::string_view after, std::string_view now) {
  return look_at_ticks(api::CronSchedule::parse(schedule), api::load_time_zone(zone), at(after), at(now));
}

TEST_CASE("a tick is due from its second on, once") {
  CHECK(text_of(look("0 2 * * *", "", "2025-06-01T02:00:00Z", "2025-06-02T01:59:59Z").due) == "none");
  CHECK(text_of(look("0 2 * * *", "", "2025-06-01T02:00:00Z", "2025-06-02T02:00:00Z").due) ==
        "2025-06-02T02:00:00Z");
  const auto after = look("0 2 * * *", "", "2025-06-02T02:00:00Z", "2025-06-02T02:00:00Z");
  CHECK(text_of(after.due) == "none");
  CHECK(text_of(after.next) == "2025-06-03T02:00:00Z");
}

TEST_CASE("of several missed ticks the last one is due and the others are counted") {
  const auto ticks = look("0 * * * *", "", "2025-06-01T00:30:00Z", "2025-06-01T05:10:00Z");
  CHECK(text_of(ticks.due) == "2025-06-01T05:00:00Z");
  CHECK(ticks.missed == 4);
  CHECK(text_of(ticks.next) == "2025-06-01T06:00:00Z");
}

TEST_CASE("a schedule of every second and years of absence are cheap and bounded") {
  const auto begun = Clock::now();
  const auto ticks = look("* * * * * *", "Europe/Berlin", "2015-06-01T00:00:00Z", "2025-06-01T00:00:00Z");
  CHECK(text_of(ticks.due) == "2025-06-01T00:00:00Z");
  CHECK(ticks.missed == missed_max);
  CHECK(text_of(look("0 0 29 2 *", "", "1970-01-01T00:00:00Z", "2025-06-01T00:00:00Z").due) ==
        "2024-02-29T00:00:00Z");
  CHECK(Clock::now() - begun < std::chrono::seconds(1));
}

TEST_CASE("an hour that is skipped or comes twice does not lose or double a tick") {
  struct Case {
    const char *schedule, *zone, *after, *now, *due;
    std::uint64_t missed;
    const char* next;
  };
  for (const auto& c : {
           // 02:30 does not exist on 2025-03-30 in Berlin: it is at 03:00, 01:00Z.
           Case{"30 2 * * *", "Europe/Berlin", "2025-03-29T01:30:00Z", "2025-03-30T12:00:00Z",
                "2025-03-30T01:00:00Z", 0, "2025-03-31T00:30:00Z"},
           // It comes twice on 2025-10-26, at 00:30Z and 01:30Z, and counts once.
           Case{"30 2 * * *", "Europe/Berlin", "2025-10-25T00:30:00Z", "2025-10-26T12:00:00Z",
                "2025-10-26T00:30:00Z", 0, "2025-10-27T01:30:00Z"},
           Case{"30 2 * * *", "America/New_York", "2025-03-08T07:30:00Z", "2025-03-09T12:00:00Z",
                "2025-03-09T07:00:00Z", 0, "2025-03-10T06:30:00Z"},
           Case{"30 1 * * *", "America/New_York", "2025-11-01T05:30:00Z", "2025-11-02T06:30:00Z",
                "2025-11-02T05:30:00Z", 0, "2025-11-03T06:30:00Z"},
           // What goes by the hour goes by the time that passes.
           Case{"0 * * * *", "Europe/Berlin", "2025-10-25T23:00:00Z", "2025-10-26T03:00:00Z",
                "2025-10-26T03:00:00Z", 3, "2025-10-26T04:00:00Z"},
       }) {
    CAPTURE(c.schedule);
    CAPTURE(c.zone);
    const auto ticks = look(c.schedule, c.zone, c.after, c.now);
    CHECK(text_of(ticks.due) == c.due);
    CHECK(ticks.missed == c.missed);
    CHECK(text_of(ticks.next) == c.next);
  }
}

TEST_CASE("when clocks go back, what was acted on is not due again") {
  const auto ticks = look("0 * * * *", "", "2025-06-01T05:00:00Z", "2025-06-01T03:10:00Z");
  CHECK(text_of(ticks.due) == "none");
  CHECK(text_of(ticks.next) == "2025-06-01T06:00:00Z");
}

TEST_CASE("ticks count from the creation, the last tick or the last edit") {
  const auto created = at("2025-06-01T00:00:00Z"), now = at("2025-06-05T00:00:00Z");
  const auto tick = at("2025-06-03T00:00:00Z"), edit = at("2025-06-04T00:00:00Z");
  CHECK(ticks_count_after(created, {}, {}, now) == created);
  CHECK(ticks_count_after(created, tick, {}, now) == tick);
  CHECK(ticks_count_after(created, tick, edit, now) == edit);
  CHECK(ticks_count_after(created, edit, tick, now) == edit);
  // The API server's clock may be ahead of ours.
  CHECK(ticks_count_after(at("2025-06-05T00:00:05Z"), {}, {}, now) == now);
}

}  // namespace
}  // namespace kb::op
