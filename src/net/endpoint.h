// A server's name and port. Immutable value, thread-safe.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kb {

struct Endpoint {
  std::string host;  // name or address; an IPv6 address without brackets
  int port = 0;      // 1..65535
  bool operator==(const Endpoint&) const = default;
};

// "host:port" or "[IPv6]:port" (RFC 3986 section 3.2.2); throws invalid, naming the text, for anything else.
Endpoint parse_endpoint(std::string_view text);
// Comma-separated, blanks allowed, as Kafka's bootstrap.servers; throws invalid when empty or one is wrong.
std::vector<Endpoint> parse_endpoints(std::string_view text);
std::string to_string(const Endpoint& endpoint);

}  // namespace kb
