// Texts that must not be longer than something allows. Pure.
#pragma once
#include <string>
#include <string_view>

namespace kb {

// The text, or its first `bytes_max` bytes at most, not ending in the middle of a UTF-8 character.
std::string cut_text(std::string_view text, std::size_t bytes_max);

}  // namespace kb
