#include "cli/result_rows.h"

#include <fmt/format.h>

namespace kb::cli {

std::string result_row(std::string_view name, const std::string& value) {
  return fmt::format("  {:<13} {}\n", name, value);
}

std::string warning_rows(const std::vector<std::string>& warnings) {
  std::string out;
  for (const auto& warning : warnings) out += result_row("warning", warning);
  return out;
}

}  // namespace kb::cli
