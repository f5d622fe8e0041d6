#include "archive/document.h"

#include <fmt/format.h>

#include "base/checksum.h"
#include "base/error.h"

namespace kb::archive {
namespace {

constexpr std::string_view magic = "kafka-backup-archive/1";

std::string_view take_until(std::string_view& rest, char end) {
  auto at = rest.find(end);
  auto part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

// The same word with another number.
bool is_newer_magic(std::string_view found) {
  auto word = magic.substr(0, magic.find('/') + 1);
  return found.size() > word.size() && found.starts_with(word) &&
         found.find_first_not_of("0123456789", word.size()) == std::string_view::npos;
}

}  // namespace

std::string seal(std::string_view kind, std::string_view key, const Document& document) {
  auto body = fmt::format("{}\n{}", boost::json::serialize(document.head), document.payload);
  return fmt::format("{} {} {} {}\n{}", magic, kind, key, sha256_hex(body), body);
}

Document unseal(std::string_view kind, std::string_view key, std::string_view bytes) {
  auto rest = bytes;
  auto line = take_until(rest, '\n');
  auto found_magic = take_until(line, ' ');
  if (found_magic != magic) {
    if (is_newer_magic(found_magic))
      throw Error(ErrorKind::invalid, fmt::format("object {}: format {} is not known", key, found_magic),
                  "the archive was written by a newer version of kafka-backup");
    fail(ErrorKind::corrupt, "object {} is not an object of an archive", key);
  }
  auto found_kind = take_until(line, ' ');
  auto found_key = take_until(line, ' ');
  if (found_kind != kind || found_key != key)
    fail(ErrorKind::corrupt, "object {} holds {} {}", key, found_kind, found_key);
  if (line != sha256_hex(rest))
    fail(ErrorKind::corrupt, "object {}: SHA-256 does not match its content", key);
  boost::system::error_code error;
  // Strings are kept as Kafka gave them, and not every broker insists on UTF-8.
  constexpr boost::json::parse_options any_bytes{.allow_invalid_utf8 = true};
  auto head = boost::json::parse(take_until(rest, '\n'), error, {}, any_bytes);
  if (error || !head.is_object()) fail(ErrorKind::corrupt, "object {}: {}", key, error.message());
  return {.head = std::move(head.get_object()), .payload = std::string(rest)};
}

}  // namespace kb::archive
