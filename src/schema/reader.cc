#include "schema/reader.h"

#include <algorithm>
#include <cctype>

namespace kb::schema {
namespace {

constexpr std::size_t quoted_text_max = 60;

std::string describe(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return value.get_bool() ? "true" : "false";
    case json::kind::int64:
      return fmt::format("the number {}", value.get_int64());
    case json::kind::uint64:
      return fmt::format("the number {}", value.get_uint64());
    case json::kind::double_:
      return fmt::format("the number {}", value.get_double());
    case json::kind::string:
      return fmt::format("'{}'", std::string_view(value.get_string()).substr(0, quoted_text_max));
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "a mapping";
  }
  return "something else";
}

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

}  // namespace

void Reader::finish() const {
  if (options_.unknown_fields == UnknownFields::ignore || present_ == in_.size()) return;
  for (const auto& member : in_) {
    std::string_view key = member.key();
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    std::string_view meant = nearest(key, known_);
    problems_.add(at_.field(key).to_string(),
                  meant.empty() ? "is not a known field"
                                : fmt::format("is not a known field (did you mean {}?)", meant));
  }
}

std::string wrong_type(std::string_view wanted, const json::value& got) {
  bool quotes_help = wanted == "a string" && (got.is_number() || got.is_bool());
  return fmt::format("must be {}, not {}{}", wanted, describe(got), quotes_help ? " (put it in quotes)" : "");
}

std::string out_of_range(const Limits& limits, std::int64_t lowest, std::uint64_t highest) {
  std::int64_t min = limits.min.value_or(lowest);
  bool highest_says_nothing = highest > UINT32_MAX && (limits.min || lowest == 0);
  if (!limits.max && highest_says_nothing) return fmt::format("must be an integer of at least {}", min);
  if (!limits.max) return fmt::format("must be an integer between {} and {}", min, highest);
  return fmt::format("must be an integer between {} and {}", min, *limits.max);
}

std::ptrdiff_t find_name(std::string_view word, const std::string_view* names, std::size_t count,
                         bool any_case) {
  auto matches = [&](std::string_view name) {
    return any_case ? std::equal(word.begin(), word.end(), name.begin(), name.end(), same_letter)
                    : word == name;
  };
  const std::string_view* found = std::find_if(names, names + count, matches);
  return found == names + count ? -1 : found - names;
}

}  // namespace kb::schema
