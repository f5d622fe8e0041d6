#include "arguments.h"

#include <fmt/core.h>

namespace tool {

Arguments::Arguments(int argc, char** argv, const std::set<std::string>& with_value,
                     const std::set<std::string>& switches) {
  for (int i = 1; i < argc; i++) {
    std::string word = argv[i];
    if (!word.starts_with("--")) {
      words_.push_back(word);
    } else if (switches.contains(word.substr(2))) {
      options_[word.substr(2)] = "";
    } else if (with_value.contains(word.substr(2))) {
      if (i + 1 == argc) throw UsageError(word + " needs a value");
      options_[word.substr(2)] = argv[++i];
    } else {
      throw UsageError("unknown option " + word);
    }
  }
}

std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  auto found = options_.find(name);
  return found == options_.end() ? otherwise : found->second;
}

long long Arguments::number(const std::string& name, long long otherwise) const {
  return has(name) ? parse_number(text(name, "")) : otherwise;
}

double Arguments::real(const std::string& name, double otherwise) const {
  return has(name) ? std::stod(text(name, "")) : otherwise;
}

long long parse_number(const std::string& text) {
  std::size_t used = 0;
  long long value = 0;
  try {
    value = std::stoll(text, &used);
  } catch (const std::exception&) {
    throw UsageError(text + " is not a number");
  }
  std::string suffix = text.substr(used);
  if (suffix.empty()) return value;
  if (suffix == "k") return value << 10;
  if (suffix == "M") return value << 20;
  if (suffix == "G") return value << 30;
  throw UsageError(text + " is not a number");
}

int run_main(std::string_view usage, int (*body)(int, char**), int argc, char** argv) {
  try {
    return body(argc, argv);
  } catch (const UsageError& error) {
    fmt::print(stderr, "{}\n{}", error.what(), usage);
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace tool
