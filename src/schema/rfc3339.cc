#include "schema/rfc3339.h"

#include <fmt/format.h>

namespace kb::schema {
namespace {

// Takes characters off the front of the text; once something did not fit, ok stays false.
struct Scanner {
  std::string_view rest;
  bool ok = true;

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      ok = ok && !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
      if (!ok) return 0;
      value = value * 10 + (rest[0] - '0');
      rest.remove_prefix(1);
    }
    return value;
  }
  bool accept(std::string_view any_of) {
    if (rest.empty() || any_of.find(rest[0]) == std::string_view::npos) return false;
    rest.remove_prefix(1);
    return true;
  }
  void expect(std::string_view any_of) { ok = accept(any_of) && ok; }
};

std::chrono::microseconds fraction(Scanner& in) {
  std::int64_t micros = 0;
  std::int64_t unit = 100'000;
  micros += in.digits(1) * unit;
  while (in.ok && !in.rest.empty() && in.rest[0] >= '0' && in.rest[0] <= '9') {
    unit /= 10;
    micros += in.digits(1) * unit;
  }
  return std::chrono::microseconds(micros);
}

std::chrono::minutes offset(Scanner& in) {
  if (in.accept("Zz")) return {};
  bool east = in.accept("+");
  if (!east) in.expect("-");
  int hours = in.digits(2);
  in.expect(":");
  int minutes = in.digits(2);
  in.ok = in.ok && hours < 24 && minutes < 60;
  std::chrono::minutes total(hours * 60 + minutes);
  return east ? total : -total;
}

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Scanner in{text};
  int y = in.digits(4);
  in.expect("-");
  int m = in.digits(2);
  in.expect("-");
  int d = in.digits(2);
  in.expect("Tt ");
  int hh = in.digits(2);
  in.expect(":");
  int mm = in.digits(2);
  in.expect(":");
  int ss = in.digits(2);
  microseconds micros = in.accept(".") ? fraction(in) : microseconds(0);
  minutes east = offset(in);
  year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (!in.ok || !in.rest.empty() || !date.ok() || hh > 23 || mm > 59 || ss > 60) return {};
  return sys_days(date) + hours(hh) + minutes(mm) + seconds(ss) + micros - east;
}

std::string format_rfc3339(Timestamp time) {
  using namespace std::chrono;
  auto midnight = floor<days>(time);
  year_month_day date(midnight);
  hh_mm_ss clock(time - midnight);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  auto micros = clock.subseconds().count();
  if (micros % 1000 != 0)
    out += fmt::format(".{:06}", micros);
  else if (micros != 0)
    out += fmt::format(".{:03}", micros / 1000);
  return out + "Z";
}

std::string not_rfc3339(std::string_view text) {
  constexpr std::size_t shown_max = 40;
  return fmt::format("must be a time like 2025-12-10T12:00:00Z, not '{}'", text.substr(0, shown_max));
}

}  // namespace kb::schema
