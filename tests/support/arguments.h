// The command lines of the test tools: positional words, then `--name value` and `--name` switches in any
// order.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

// The command line is wrong; main prints the usage and ends with 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Constant after construction.
class Arguments {
 public:
  // Throws UsageError for an option that is in neither list, or for a missing value.
  Arguments(int argc, char** argv, const std::set<std::string>& with_value,
            const std::set<std::string>& switches);

  const std::vector<std::string>& words() const { return words_; }
  bool has(const std::string& name) const { return options_.contains(name); }
  std::string text(const std::string& name, const std::string& otherwise) const;
  // A number with an optional suffix k, M or G (powers of 1024).
  long long number(const std::string& name, long long otherwise) const;
  double real(const std::string& name, double otherwise) const;

 private:
  std::vector<std::string> words_;
  std::map<std::string, std::string> options_;
};

long long parse_number(const std::string& text);

// Runs `body`, prints what it throws: 0, 1 for an error, 2 for a wrong command line.
int run_main(std::string_view usage, int (*body)(int, char**), int argc, char** argv);

}  // namespace tool
