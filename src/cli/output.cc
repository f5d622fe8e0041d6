#include "cli/output.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <unistd.h>

namespace kb::cli {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool is_number(std::string_view cell) {
  return !cell.empty() && cell[0] >= '0' && cell[0] <= '9' &&
         cell.find_first_not_of("0123456789,. KMGTPEiB") == std::string_view::npos;
}

// Right-aligned when every cell below the head is a number.
bool is_number_column(const std::vector<std::vector<std::string>>& rows, std::size_t column) {
  return std::all_of(rows.begin() + 1, rows.end(), [&](const auto& row) {
    return column >= row.size() || row[column].empty() || is_number(row[column]);
  });
}

}  // namespace

void write_stdout(std::string_view text) {
  if (write_all(STDOUT_FILENO, text) || errno == EPIPE) return;
  fail(ErrorKind::denied, "cannot write to standard output: {}", std::strerror(errno));
}

void write_result(const Result& result, OutputFormat format) {
  write_stdout(format == OutputFormat::json ? boost::json::serialize(result.json) + "\n"
                                            : printable(result.text));
}

std::string error_text(const Error& error, OutputFormat format) {
  if (format == OutputFormat::json) {
    boost::json::object out{{"kind", info(error.kind()).name},
                            {"message", error.what()},
                            {"hint", error.hint()},
                            {"exitCode", info(error.kind()).exit_code}};
    return boost::json::serialize(out) + "\n";
  }
  auto text = fmt::format("error: {}\n", printable(error.what()));
  if (!error.hint().empty()) text += fmt::format("hint: {}\n", printable(error.hint()));
  return text;
}

void write_error(const Error& error, OutputFormat format) {
  write_all(STDERR_FILENO, error_text(error, format));
}

std::string printable(std::string_view text) {
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

std::string Table::text(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<bool> right(widths.size());
  for (std::size_t i = 0; i < right.size(); ++i) right[i] = is_number_column(rows_, i);
  std::string out;
  for (const auto& row : rows_) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i)
      line +=
          right[i] ? fmt::format("{:>{}}  ", row[i], widths[i]) : fmt::format("{:<{}}  ", row[i], widths[i]);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::string format_time(std::int64_t unix_ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(unix_ms / 1000)));
}

}  // namespace kb::cli
