// Numbers as people read them. Pure.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace kb {

// "999 B", "1.5 KiB", "12.3 GiB": three or four digits and a binary unit.
std::string format_bytes(std::uint64_t bytes);
// "1,234,567"
std::string format_count(std::uint64_t count);
// "8 s", "2 min 05 s", "3 h 07 min", "4 d 02 h"; a part of a second counts as one.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace kb
