#include "operator/status_patch.h"

namespace kb::op {
namespace {

namespace json = boost::json;

// Numbers that are equal though one was written as 12 and the other as 12.0.
bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  return a == b;
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
