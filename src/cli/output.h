// What the program says: results on stdout, errors on stderr.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "base/error.h"
#include "cli/arguments.h"

namespace kb::cli {

// Throws denied when the bytes cannot be written (a full disk); a reader that went away is no error.
void write_stdout(std::string_view text);

// A result as a command gives it: the same facts twice.
struct Result {
  std::string text;
  boost::json::value json;
};
void write_result(const Result& result, OutputFormat format);

// "error: ..." and "hint: ..." lines, or one line of JSON with kind, message, hint and exitCode. Newline at
// the end.
std::string error_text(const Error& error, OutputFormat format);
void write_error(const Error& error, OutputFormat format);

// The text without characters that move the cursor or change colours: names come from archives and brokers.
std::string printable(std::string_view text);

// Rows of cells in columns of equal width, two spaces between them; numbers right-aligned. Pure.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) : rows_{std::move(heads)} {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }
  std::string text(std::size_t indent = 0) const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the first has the heads
};

// "2025-12-10T02:00:00Z"
std::string format_time(std::int64_t unix_ms);

}  // namespace kb::cli
