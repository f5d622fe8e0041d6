// Rows of a result: "  backup id     nightly-20251210-020000". Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kb::cli {

std::string result_row(std::string_view name, const std::string& value);
std::string warning_rows(const std::vector<std::string>& warnings);

}  // namespace kb::cli
