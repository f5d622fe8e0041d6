// Amounts of memory as Kubernetes writes them. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace kb::cli {

// "128Mi", "1Gi", "500M", "65536"; none for anything else and for what does not fit.
std::optional<std::uint64_t> parse_byte_size(std::string_view text);

}  // namespace kb::cli
