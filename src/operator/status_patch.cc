#include "operator/status_patch.h"

#include <algorithm>
#include <cmath>

namespace kb::op {
namespace {

namespace json = boost::json;

// Numbers that are equal though one was written as 12 and the other as 12.0. The parser is not exact in the
// last digits of fractions, so what comes back from an API server may be a little off.
bool same(const json::value& a, const json::value& b) {
  if (!a.is_number() || !b.is_number() || (!a.is_double() && !b.is_double())) return a == b;
  constexpr double parser_error = 1e-12;
  const auto x = a.to_number<double>(), y = b.to_number<double>();
  return std::abs(x - y) <= parser_error * std::max(std::abs(x), std::abs(y));
}

}  // namespace

std::optional<json::value> merge_patch_between(const json::value& before, const json::value& after) {
  if (!before.is_object() || !after.is_object())
    return same(before, after) ? std::nullopt : std::optional(after);
  json::object patch;
  for (const auto& member : before.get_object()) {
    const auto* kept = after.get_object().if_contains(member.key());
    if ((!kept || kept->is_null()) && !member.value().is_null()) patch[member.key()] = nullptr;
  }
  for (const auto& member : after.get_object()) {
    if (member.value().is_null()) continue;
    const auto* old = before.get_object().if_contains(member.key());
    if (!old)
      patch[member.key()] = member.value();
    else if (auto change = merge_patch_between(*old, member.value()))
      patch[member.key()] = std::move(*change);
  }
  if (patch.empty()) return std::nullopt;
  return json::value(std::move(patch));
}

}  // namespace kb::op
