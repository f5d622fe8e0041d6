#include "net/endpoint.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace kb {
namespace {

constexpr int port_max = 65535;

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw Error(ErrorKind::invalid, fmt::format("'{}' is not a server address: {}", text, why),
              "write host:port, or [address]:port for an IPv6 address");
}

int parse_port(std::string_view text, std::string_view digits) {
  int port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  bool all_digits = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits.empty()) refuse(text, "the port is missing");
  if (!all_digits || error != std::errc{} || port < 1 || port > port_max)
    refuse(text, fmt::format("'{}' is not a port between 1 and {}", digits, port_max));
  return port;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_';
}

Endpoint parse_bracketed(std::string_view text) {
  auto close = text.find(']');
  if (close == std::string_view::npos) refuse(text, "']' is missing");
  auto host = text.substr(1, close - 1);
  auto after = text.substr(close + 1);
  bool address = host.find(':') != std::string_view::npos &&
                 host.find_first_not_of("0123456789abcdefABCDEF:.") >= std::min(host.find('%'), host.size());
  if (!address) refuse(text, "between the brackets belongs an IPv6 address");
  if (!after.starts_with(':')) refuse(text, "the port is missing");
  return {std::string(host), parse_port(text, after.substr(1))};
}

std::string_view trim(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

Endpoint parse_endpoint(std::string_view text) {
  if (text.find("://") != std::string_view::npos) refuse(text, "a scheme does not belong here");
  if (text.starts_with('[')) return parse_bracketed(text);
  auto colon = text.find(':');
  if (colon == std::string_view::npos) refuse(text, "the port is missing");
  if (text.find(':', colon + 1) != std::string_view::npos) refuse(text, "it has more than one colon");
  auto host = text.substr(0, colon);
  if (host.empty()) refuse(text, "the host is missing");
  if (!std::all_of(host.begin(), host.end(), is_host_character)) refuse(text, "that is not a host name");
  return {std::string(host), parse_port(text, text.substr(colon + 1))};
}

std::vector<Endpoint> parse_endpoints(std::string_view text) {
  std::vector<Endpoint> endpoints;
  for (auto rest = text;;) {
    auto comma = rest.find(',');
    endpoints.push_back(parse_endpoint(trim(rest.substr(0, comma))));
    if (comma == std::string_view::npos) return endpoints;
    rest.remove_prefix(comma + 1);
  }
}

std::string to_string(const Endpoint& endpoint) {
  bool ipv6 = endpoint.host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
              : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

}  // namespace kb
