// Base64 and its variant for URLs (RFC 4648 sections 4 and 5). Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace kb {

std::string to_base64(std::string_view bytes);  // padded
// Without padding or line ends, as in a JWT (RFC 7515 section 2); no value for anything else.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace kb
