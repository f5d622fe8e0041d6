// The one error type. What went wrong is decided where it is known; what to do about it (retry, exit code,
// condition reason, metric label) is looked up in one table.
#pragma once
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace kb {

enum class ErrorKind {
  cancelled,
  timed_out,
  unavailable,
  throttled,
  denied,
  not_found,
  conflict,
  invalid,
  corrupt,
  internal
};

// One row per kind, in the order of the enumerators; docs/reference/errors.md is generated from it.
struct ErrorKindInfo {
  ErrorKind kind;
  std::string_view name;  // also the metric label
  bool retryable;         // retry() may try the same thing again
  int exit_code;          // of every command of kafka-backup
  std::string_view condition_reason;
  std::string_view meaning;
};
std::span<const ErrorKindInfo> error_kinds();
const ErrorKindInfo& info(ErrorKind kind);

// Thrown for failures; expected outcomes are values. The text says what, where and why without a full stop.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what, std::string hint = {})
      : std::runtime_error(what), kind_(kind), hint_(std::move(hint)) {}
  ErrorKind kind() const { return kind_; }
  bool retryable() const { return info(kind_).retryable; }
  // What the operator can do about it; empty when there is nothing to say.
  const std::string& hint() const { return hint_; }
  // The same error with the caller's context in front: "uploading object x: disk full".
  Error while_doing(std::string_view doing) const {
    return {kind_, fmt::format("{}: {}", doing, what()), hint_};
  }

 private:
  ErrorKind kind_;
  std::string hint_;
};

template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(kind, fmt::format(text, std::forward<Args>(args)...));
}

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace kb

// Our own invariant; always on. A broken one is a bug of this program, never of its input.
// A test includes doctest last (clang-format sees to it): its body then has doctest's CHECK, our headers
// ours.
#ifdef DOCTEST_LIBRARY_INCLUDED
#error "include <doctest/doctest.h> after all other headers"
#endif
#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::kb::check_failed(#condition, __FILE__, __LINE__))
