#include "schema/doc.h"

namespace kb::schema {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string default_cell(std::string_view value) {
  return value.empty() || value == "required" ? std::string(value) : fmt::format("`{}`", value);
}

}  // namespace

std::string sentence(const Limits& limits) {
  std::string_view not_empty = limits.non_empty ? "Not empty." : "";
  if (limits.min && limits.max) return fmt::format("From {} to {}.{}", *limits.min, *limits.max, not_empty);
  if (limits.min) return fmt::format("At least {}.{}", *limits.min, not_empty);
  if (limits.max) return fmt::format("At most {}.{}", *limits.max, not_empty);
  return std::string(not_empty);
}

std::string to_markdown(const std::vector<DocRow>& rows) {
  std::string out = "| Field | Type | Default | Meaning |\n|---|---|---|---|\n";
  for (const DocRow& row : rows)
    out += fmt::format("| `{}` | {} | {} | {} |\n", row.field, cell(row.type),
                       cell(default_cell(row.default_value)), cell(row.meaning));
  return out;
}

}  // namespace kb::schema
