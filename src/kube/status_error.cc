#include "kube/status_error.h"

#include "base/cut_text.h"
#include "kube/api.h"
#include "schema/schema.h"

namespace kb::kube {
namespace {

constexpr std::size_t message_bytes_max = 1000, foreign_bytes_max = 200;

std::string message_of(std::string_view body) {
  try {
    auto message = text_at(schema::parse_json(body, "status"), "message");
    if (!message.empty()) return cut_text(message, message_bytes_max);
  } catch (const Error&) {
    // A proxy's page, or cut off.
  }
  return cut_text(body, foreign_bytes_max);
}

}  // namespace

ErrorKind kind_of_status(int http_status) {
  switch (http_status) {
    case 401:
    case 403:
      return ErrorKind::denied;
    case 404:
    case 410:
      return ErrorKind::not_found;
    case 408:
      return ErrorKind::timed_out;
    case 409:
      return ErrorKind::conflict;
    case 429:
      return ErrorKind::throttled;
    default:
      return http_status >= 500 ? ErrorKind::unavailable : ErrorKind::invalid;
  }
}

Error error_of(std::string_view doing, int http_status, std::string_view body) {
  auto message = message_of(body);
  while (!message.empty() && (message.back() == '.' || message.back() == '\n')) message.pop_back();
  return {kind_of_status(http_status), fmt::format("{}: {} {}", doing, http_status, message)};
}

}  // namespace kb::kube
