#include "schema/schema.h"

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

namespace kb::schema {

json::value parse_json(std::string_view text, std::string_view name, ErrorKind kind) {
  json::parse_options options;
  options.max_depth = json_depth_max;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  std::size_t used = parser.write(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error) fail(kind, "{}: not JSON at byte {}: {}", name, used, error.message());
  return parser.release();
}

std::string serialize(const json::value& value) {
  return json::serialize(value);
}

}  // namespace kb::schema
