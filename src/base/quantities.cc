#include "base/quantities.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace kb {

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr double step = 1024;
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / step;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string format_count(std::uint64_t count) {
  std::string digits = fmt::to_string(count);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string format_duration(std::chrono::milliseconds duration) {
  using namespace std::chrono;
  auto total = ceil<seconds>(duration);
  if (total < minutes(1)) return fmt::format("{} s", total.count());
  auto d = floor<days>(total);
  auto h = floor<hours>(total - d);
  auto m = floor<minutes>(total - d - h);
  auto s = total - d - h - m;
  if (d.count() > 0) return fmt::format("{} d {:02} h", d.count(), h.count());
  if (h.count() > 0) return fmt::format("{} h {:02} min", h.count(), m.count());
  return fmt::format("{} min {:02} s", m.count(), s.count());
}

}  // namespace kb
