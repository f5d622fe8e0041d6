#include "api/cron_schedule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"

namespace kb::api {
namespace {

constexpr std::array<std::string_view, 12> month_names{"january",   "february", "march",    "april",
                                                       "may",       "june",     "july",     "august",
                                                       "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> day_names{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};

struct FieldKind {
  std::string_view name;
  int min, max;
  std::span<const std::string_view> words = {};
  int first_word = 0;  // value of words[0]
  bool question_mark = true;
};

constexpr FieldKind second_field{.name = "second", .min = 0, .max = 59, .question_mark = false};
constexpr FieldKind minute_field{"minute", 0, 59};
constexpr FieldKind hour_field{"hour", 0, 23};
constexpr FieldKind day_of_month_field{"day of month", 1, 31};
constexpr FieldKind month_field{"month", 1, 12, month_names, 1};
constexpr FieldKind day_of_week_field{"day of week", 1, 7, day_names, 1};
constexpr FieldKind unix_day_of_week_field{"day of week", 0, 7, day_names, 0};
constexpr FieldKind year_field{"year", 1970, 2100};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  while (true) {
    auto begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    auto length = std::min(text.find_first_of(separators), text.size());
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

class FieldParser {
 public:
  FieldParser(const FieldKind& kind, std::string_view text) : kind_(kind), text_(text) {}

  // Calls set(value) for every value that the field allows.
  template <class Set>
  void parse(Set set) {
    if (text_.starts_with(',') || text_.ends_with(',') || text_.find(",,") != std::string_view::npos)
      wrong("has an empty part");
    for (auto part : split(text_, ",")) parse_part(part, set);
  }

 private:
  template <class Set>
  void parse_part(std::string_view part, Set& set) {
    auto slash = part.find('/');
    auto range = part.substr(0, slash);
    int step = 1;
    if (slash != std::string_view::npos) {
      step = number(part.substr(slash + 1));
      if (step < 1) wrong("has a step of 0");
    }
    int first = kind_.min, last = kind_.max;
    auto dash = range.find('-');
    if (range == "*" || (range == "?" && kind_.question_mark)) {
      // all of them
    } else if (dash != std::string_view::npos) {
      first = value(range.substr(0, dash));
      last = value(range.substr(dash + 1));
      if (last < first) wrong("has a range that ends before it begins");
    } else {
      first = value(range);
      if (slash == std::string_view::npos) last = first;
    }
    for (int v = first; v <= last; v += step) set(v);
  }

  int number(std::string_view text) {
    int out = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || text[0] == '-')
      wrong(fmt::format("has '{}' where a number is expected", text));
    return out;
  }

  int value(std::string_view text) {
    auto word = lower(text);
    for (std::size_t i = 0; i < kind_.words.size(); ++i)
      if (word == kind_.words[i] || word == kind_.words[i].substr(0, 3))
        return kind_.first_word + static_cast<int>(i);
    int out = number(text);
    if (out < kind_.min || out > kind_.max)
      wrong(fmt::format("has {}, which is not between {} and {}", out, kind_.min, kind_.max));
    return out;
  }

  [[noreturn]] void wrong(std::string_view why) {
    fail(ErrorKind::invalid, "the {} field '{}' {}", kind_.name, text_, why);
  }

  const FieldKind& kind_;
  std::string_view text_;
};

template <std::size_t n>
void parse_into(std::bitset<n>& bits, const FieldKind& kind, std::string_view text) {
  FieldParser(kind, text).parse([&](int value) { bits.set(static_cast<std::size_t>(value)); });
}

std::string_view expand(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> shorthands{
      {{"@hourly", "0 * * * *"},
       {"@daily", "0 0 * * *"},
       {"@midnight", "0 0 * * *"},
       {"@weekly", "0 0 * * 0"},
       {"@monthly", "0 0 1 * *"},
       {"@yearly", "0 0 1 1 *"},
       {"@annually", "0 0 1 1 *"}}};
  for (const auto& [name, fields] : shorthands)
    if (word == name) return fields;
  throw Error(ErrorKind::invalid, fmt::format("'{}' is not a schedule", word),
              "@hourly, @daily, @weekly, @monthly and @yearly are");
}

bool is_any(std::string_view field) {
  return field.starts_with('*') || field.starts_with('?');
}

Seconds to_instant(cctz::civil_second civil, std::chrono::seconds offset) {
  return Seconds(std::chrono::seconds(civil - cctz::civil_second(1970, 1, 1))) - offset;
}

cctz::civil_second to_civil(Seconds instant, std::chrono::seconds offset) {
  return cctz::civil_second(1970, 1, 1) + (instant.time_since_epoch() + offset).count();
}

std::chrono::seconds offset_at(const cctz::time_zone& zone, Seconds at) {
  return std::chrono::seconds(zone.lookup(cctz::time_point<cctz::seconds>(at.time_since_epoch())).offset);
}

// Clocks are put forward or back: they would show `from`, and show `to`.
struct ClockChange {
  Seconds at;
  cctz::civil_second from, to;
  bool is_back() const { return to < from; }
};

// The first after `at`; transitions that change only the zone's name are none.
std::optional<ClockChange> change_after(const cctz::time_zone& zone, Seconds at) {
  cctz::time_zone::civil_transition found;
  while (zone.next_transition(cctz::time_point<cctz::seconds>(at.time_since_epoch()), &found)) {
    at = to_instant(found.from, offset_at(zone, at));
    if (found.from != found.to) return ClockChange{at, found.from, found.to};
  }
  return std::nullopt;
}

// The last at or before `at`.
std::optional<ClockChange> change_before(const cctz::time_zone& zone, Seconds at) {
  cctz::time_zone::civil_transition found;
  at += std::chrono::seconds(1);
  while (zone.prev_transition(cctz::time_point<cctz::seconds>(at.time_since_epoch()), &found)) {
    at = Seconds(zone.lookup(found.to).trans.time_since_epoch());
    if (found.from != found.to) return ClockChange{at, found.from, found.to};
  }
  return std::nullopt;
}

}  // namespace

cctz::time_zone load_time_zone(std::string_view name) {
  cctz::time_zone zone = cctz::utc_time_zone();
  // The loader would take a path.
  const bool is_name =
      name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
          std::string_view::npos &&
      !name.starts_with('/');
  if (!name.empty() && (!is_name || !cctz::load_time_zone(std::string(name), &zone)))
    throw Error(ErrorKind::invalid, fmt::format("'{}' is not a time zone", name),
                "names look like Europe/Berlin");
  return zone;
}

CronSchedule CronSchedule::parse(std::string_view text) {
  auto fields = split(text, " \t\r\n");
  if (fields.size() == 1 && fields[0].starts_with('@')) fields = split(expand(fields[0]), " ");
  if (fields.size() < 5 || fields.size() > 7)
    throw Error(ErrorKind::invalid, fmt::format("'{}' has {} fields", text, fields.size()),
                "5 are min hour dom month dow; 6 or 7 are sec min hour dom month dow [year]");
  const bool is_unix = fields.size() == 5;
  if (is_unix) fields.insert(fields.begin(), "0");
  CronSchedule out;
  parse_into(out.seconds_, second_field, fields[0]);
  parse_into(out.minutes_, minute_field, fields[1]);
  parse_into(out.hours_, hour_field, fields[2]);
  parse_into(out.days_of_month_, day_of_month_field, fields[3]);
  parse_into(out.months_, month_field, fields[4]);
  const int sunday = is_unix ? 0 : 1;
  FieldParser(is_unix ? unix_day_of_week_field : day_of_week_field, fields[5]).parse([&](int value) {
    out.weekdays_.set(static_cast<std::size_t>((value - sunday) % 7));
  });
  parse_into(out.years_, year_field, fields.size() == 7 ? fields[6] : "*");
  out.either_day_ = is_unix && !is_any(fields[3]) && !is_any(fields[5]);
  out.every_hour_ = out.hours_.all();
  return out;
}

bool CronSchedule::matches_day(cctz::civil_day day) const {
  // cctz counts from Monday.
  const auto weekday = (static_cast<std::size_t>(cctz::get_weekday(day)) + 1) % 7;
  const bool of_month = days_of_month_[static_cast<std::size_t>(day.day())], of_week = weekdays_[weekday];
  return months_[static_cast<std::size_t>(day.month())] &&
         (either_day_ ? of_month || of_week : of_month && of_week);
}

// At or after `from`, on the same day.
std::optional<cctz::civil_second> CronSchedule::next_time_of_day(cctz::civil_second from) const {
  auto first_from = [](const auto& bits, int at) {
    for (auto i = static_cast<std::size_t>(at); i < bits.size(); ++i)
      if (bits[i]) return static_cast<int>(i);
    return -1;
  };
  int hour = first_from(hours_, from.hour());
  int minute = hour == from.hour() ? first_from(minutes_, from.minute()) : first_from(minutes_, 0);
  int second = 0;
  if (hour == from.hour() && minute == from.minute()) {
    second = first_from(seconds_, from.second());
    if (second < 0) minute = minute < 59 ? first_from(minutes_, minute + 1) : -1;
  }
  if (hour >= 0 && minute < 0) {
    hour = hour < 23 ? first_from(hours_, hour + 1) : -1;
    minute = first_from(minutes_, 0);
  }
  if (hour < 0) return std::nullopt;
  if (hour != from.hour() || minute != from.minute()) second = first_from(seconds_, 0);
  return cctz::civil_second(from.year(), from.month(), from.day(), hour, minute, second);
}

std::optional<cctz::civil_second> CronSchedule::next_civil(cctz::civil_second after) const {
  auto from = std::max(after + 1, cctz::civil_second(year_min, 1, 1));
  for (auto day = cctz::civil_day(from); day.year() <= year_max;) {
    if (!years_[static_cast<std::size_t>(day.year())]) {
      day = cctz::civil_day(day.year() + 1, 1, 1);
    } else if (!months_[static_cast<std::size_t>(day.month())]) {
      day = cctz::civil_day(cctz::civil_month(day) + 1);
    } else {
      if (matches_day(day))
        if (auto found = next_time_of_day(std::max(from, cctz::civil_second(day)))) return found;
      ++day;
    }
    from = std::max(from, cctz::civil_second(day));
  }
  return std::nullopt;
}

std::optional<Seconds> CronSchedule::next(Seconds after, const cctz::time_zone& zone) const {
  auto at = after;
  auto shown = to_civil(at, offset_at(zone, at));  // ticks count that the clock shows behind this
  if (auto back = change_before(zone, at); back && !every_hour_ && back->is_back())
    shown = std::max(shown, back->from - 1);
  while (auto candidate = next_civil(shown)) {
    const auto change = change_after(zone, at);
    if (!change || *candidate < change->from) return to_instant(*candidate, offset_at(zone, at));
    if (*candidate < change->to) return change->at;  // it falls into the gap
    at = change->at;
    shown = change->is_back() && !every_hour_ ? change->from - 1 : change->to - 1;
  }
  return std::nullopt;
}

}  // namespace kb::api
