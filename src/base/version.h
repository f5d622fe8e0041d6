// The version of all programs of this project.
#pragma once
#include <string_view>

namespace kb {

inline constexpr std::string_view program_version = "0.1.0";

}  // namespace kb
