// Everything that is wrong with one document, each with its place, so that a user can mend it in one go.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"

namespace kb::schema {

// A place in a document, built on the stack while descending and spelled out only for a problem:
// spec.topics[3], spec.topicMapping[orders.v1].
class Path {
 public:
  explicit Path(std::string_view root) : name_(root) {}
  Path field(std::string_view name) const { return {this, name, Step::field, 0}; }
  Path key(std::string_view name) const { return {this, name, Step::key, 0}; }
  Path item(std::size_t index) const { return {this, {}, Step::item, index}; }
  std::string to_string() const;

 private:
  enum class Step { root, field, key, item };
  Path(const Path* parent, std::string_view name, Step step, std::size_t index)
      : parent_(parent), name_(name), step_(step), index_(index) {}

  const Path* parent_ = nullptr;
  std::string_view name_;
  Step step_ = Step::root;
  std::size_t index_ = 0;
};

struct Problem {
  std::string path;
  std::string text;  // reads on from the path: "is required"

  std::string to_string() const { return path + " " + text; }
};

// In the order found. Keeps the first `kept_max` and counts the rest.
class Problems {
 public:
  static constexpr std::size_t kept_max = 100;

  void add(std::string path, std::string text);
  // True when this place, something it holds or something it is held by already has a problem, so that a rule
  // about its value would only be an echo.
  bool touches(std::string_view path) const;

  bool empty() const { return kept_.empty(); }
  std::size_t size() const { return kept_.size() + dropped_; }
  const std::vector<Problem>& kept() const { return kept_; }
  // One line for one problem, else a line for each after a line with their number. `where` (a file name or an
  // object key) may be empty.
  std::string to_string(std::string_view where) const;
  // Throws Error(kind) with that text when there is any problem.
  void throw_if_any(std::string_view where, ErrorKind kind = ErrorKind::invalid) const;

 private:
  std::vector<Problem> kept_;
  std::size_t dropped_ = 0;
};

// Handed to T::check() of a declared type: rules between fields, said in terms of the field's place.
class Check {
 public:
  Check(const Path& at, Problems& problems) : at_(at), problems_(problems) {}

  // `field` is relative ("s3", "azure.endpoint", "topics[2]"); an echo of an earlier problem there is
  // dropped.
  template <class... Args>
  void problem(std::string_view field, fmt::format_string<Args...> text, Args&&... args) {
    add(field, fmt::format(text, std::forward<Args>(args)...));
  }
  std::string path(std::string_view field) const;

 private:
  void add(std::string_view field, std::string text);

  const Path& at_;
  Problems& problems_;
};

// The candidate that was probably meant, or empty when none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace kb::schema
