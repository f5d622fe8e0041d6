#include "schema/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace kb::schema {
namespace {

namespace json = boost::json;

constexpr std::string_view core_tag = "tag:yaml.org,2002:";

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_null(std::string_view text) {
  return is_one_of(text, std::array<std::string_view, 5>{"", "~", "null", "Null", "NULL"});
}

std::optional<bool> as_bool(std::string_view text) {
  if (is_one_of(text, std::array<std::string_view, 3>{"true", "True", "TRUE"})) return true;
  if (is_one_of(text, std::array<std::string_view, 3>{"false", "False", "FALSE"})) return false;
  return {};
}

std::size_t digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

template <class T>
std::optional<T> whole_number(std::string_view text, int base) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<double> as_double(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range || error != std::errc() || end != text.data() + text.size())
    return {};
  return value;
}

// [-+]?[0-9]+ | 0o[0-7]+ | 0x[0-9a-fA-F]+
std::optional<json::value> as_integer(std::string_view text) {
  if (text.starts_with("0o") || text.starts_with("0x")) {
    if (auto value = whole_number<std::uint64_t>(text.substr(2), text[1] == 'o' ? 8 : 16))
      return json::value(*value);
    return {};
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  std::string_view unsigned_part = text.substr(text.starts_with('-') ? 1 : 0);
  if (unsigned_part.empty() || digits(unsigned_part) != unsigned_part.size()) return {};
  if (auto value = whole_number<std::int64_t>(text, 10)) return json::value(*value);
  if (auto value = whole_number<std::uint64_t>(text, 10)) return json::value(*value);
  if (auto value = as_double(text)) return json::value(*value);
  return {};
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool looks_like_float(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  std::size_t before = digits(text);
  text.remove_prefix(before);
  std::size_t after = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    after = digits(text);
    text.remove_prefix(after);
  }
  if (before + after == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && digits(text) == text.size();
}

bool is_not_finite(std::string_view text) {
  if (is_one_of(text, std::array<std::string_view, 3>{".nan", ".NaN", ".NAN"})) return true;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return is_one_of(text, std::array<std::string_view, 3>{".inf", ".Inf", ".INF"});
}

std::optional<json::value> resolve_plain(std::string_view text, std::string& problem) {
  if (is_null(text)) return json::value();
  if (auto value = as_bool(text)) return json::value(*value);
  if (auto value = as_integer(text)) return value;
  bool not_a_number = is_not_finite(text);
  if (looks_like_float(text)) {
    if (auto value = as_double(text.substr(text.starts_with('+') ? 1 : 0))) return json::value(*value);
    not_a_number = true;
  }
  if (!not_a_number) return json::value(text);
  problem = fmt::format("{} is not a number that JSON has; put it in quotes if it is text", text);
  return {};
}

bool has_tag(const json::value& value, std::string_view tag) {
  if (tag == "null") return value.is_null();
  if (tag == "bool") return value.is_bool();
  if (tag == "int") return value.is_int64() || value.is_uint64();
  return tag == "float" && value.is_number();
}

}  // namespace

std::optional<json::value> resolve_scalar(const ScalarText& scalar, std::string& problem) {
  if (scalar.tag == "!" || scalar.tag == "tag:yaml.org,2002:str") return json::value(scalar.text);
  if (scalar.tag.empty() && !scalar.plain) return json::value(scalar.text);
  if (scalar.tag.empty()) return resolve_plain(scalar.text, problem);
  bool core = scalar.tag.starts_with(core_tag);
  auto value = core ? resolve_plain(scalar.text, problem) : std::nullopt;
  if (value && has_tag(*value, scalar.tag.substr(core_tag.size()))) return value;
  if (problem.empty()) problem = fmt::format("tag {} is not supported for '{}'", scalar.tag, scalar.text);
  return {};
}

}  // namespace kb::schema
