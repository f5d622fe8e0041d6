#include "api/names.h"

#include <algorithm>
#include <charconv>

namespace kb::api {
namespace {

constexpr std::size_t topic_size_max = 249;
constexpr std::size_t label_size_max = 63;
constexpr std::size_t path_size_max = 1024;
constexpr std::size_t subdomain_size_max = 253;
constexpr std::size_t backup_id_size_max = 300;  // a subdomain and the time of the run

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_name_character(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

bool is_label(std::string_view text) {
  return !text.empty() && is_lower_or_digit(text.front()) && is_lower_or_digit(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_ipv6_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

}  // namespace

bool is_topic_name(std::string_view text) {
  return !is_glob(text) && is_topic_pattern(text);
}

bool is_topic_pattern(std::string_view text) {
  return !text.empty() && text.size() <= topic_size_max && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_name_character(c) || c == '*' || c == '?'; });
}

bool is_glob(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

bool topic_matches(std::string_view pattern, std::string_view topic) {
  // One star is remembered at a time: a later star may take whatever an earlier one could.
  std::size_t p = 0, t = 0, star = std::string_view::npos, star_end = 0;
  while (t < topic.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == topic[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_end;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool is_object_name(std::string_view text) {
  if (text.size() > subdomain_size_max) return false;
  for (;;) {
    std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_namespace_name(std::string_view text) {
  return text.size() <= label_size_max && is_label(text);
}

bool is_secret_key(std::string_view text) {
  return !text.empty() && text.size() <= subdomain_size_max && text != "." && !text.starts_with("..") &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_backup_id(std::string_view text) {
  return !text.empty() && text.size() <= backup_id_size_max && text[0] != '.' &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_confined_path(std::string_view text) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (text.size() > path_size_max || text.starts_with('/') || std::ranges::any_of(text, is_control))
    return false;
  for (;;) {
    std::size_t slash = text.find('/');
    if (text.substr(0, slash) == "..") return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_host_and_port(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return false;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    std::string_view address = host.substr(1, host.size() - 2);
    return std::all_of(address.begin(), address.end(), is_ipv6_character);
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), is_name_character);
}

}  // namespace kb::api
