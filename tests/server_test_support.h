// Test support: what the tests against real servers of any kind share.
#pragma once
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/context.h"
#include "base/error.h"
#include "base/failure_of.h"

namespace kb {

// Set by the script of tests/e2e that starts the server.
inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (!value) fail(ErrorKind::invalid, "{} is not set: see tests/e2e", name);
  return value;
}

// Far more than a server needs.
inline Context soon() {
  return Context{}.with_timeout(std::chrono::minutes(3));
}

inline bool says(const Error& error, std::string_view text) {
  bool found = std::string_view(error.what()).find(text) != std::string_view::npos;
  if (!found) fmt::print(stderr, "'{}' is not in: {}\n", text, error.what());
  return found;
}

}  // namespace kb
