#include "base/backup_id.h"

#include <charconv>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace kb {
namespace {

constexpr std::string_view shape = "-00000000-000000";  // 0 stands for any digit

bool has_shape(std::string_view text) {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == '0' ? !digit : text[i] != shape[i]) return false;
  }
  return true;
}

unsigned number(std::string_view text, std::size_t at, std::size_t digits) {
  unsigned value = 0;
  std::from_chars(text.data() + at, text.data() + at + digits, value);
  return value;
}

}  // namespace

std::string make_backup_id(std::string_view name, std::chrono::sys_seconds time) {
  return fmt::format("{}-{:%Y%m%d-%H%M%S}", name, fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::optional<std::chrono::sys_seconds> time_of_backup_id(std::string_view backup_id) {
  using namespace std::chrono;
  if (backup_id.size() <= shape.size()) return std::nullopt;
  const auto text = backup_id.substr(backup_id.size() - shape.size());
  if (!has_shape(text)) return std::nullopt;
  const year_month_day date{year(static_cast<int>(number(text, 1, 4))), month(number(text, 5, 2)),
                            day(number(text, 7, 2))};
  const auto of_day =
      hours(number(text, 10, 2)) + minutes(number(text, 12, 2)) + seconds(number(text, 14, 2));
  if (!date.ok() || of_day >= days(1)) return std::nullopt;
  return sys_days(date) + of_day;
}

}  // namespace kb
