#include "engine/topic_id.h"

#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kb::engine {

std::string to_hex(const kafka::Uuid& id) {
  return fmt::format("{:02x}", fmt::join(id, ""));
}

kafka::Uuid topic_id_of(std::string_view hex) {
  kafka::Uuid id{};
  if (hex.size() != 2 * id.size()) return {};
  for (std::size_t i = 0; i < id.size(); ++i) {
    const auto* digits = hex.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, id[i], 16).ptr != digits + 2) return {};
  }
  return id;
}

}  // namespace kb::engine
