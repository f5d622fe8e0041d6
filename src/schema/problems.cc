#include "schema/problems.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace kb::schema {
namespace {

bool holds(std::string_view outer, std::string_view inner) {
  return inner.size() > outer.size() && inner.starts_with(outer) &&
         (inner[outer.size()] == '.' || inner[outer.size()] == '[');
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string Path::to_string() const {
  std::string out = parent_ ? parent_->to_string() : std::string(name_);
  switch (step_) {
    case Step::root:
      break;
    case Step::field:
      out += (out.empty() ? "" : ".");
      out += name_;
      break;
    case Step::key:
      out += fmt::format("[{}]", name_);
      break;
    case Step::item:
      out += fmt::format("[{}]", index_);
      break;
  }
  return out;
}

void Problems::add(std::string path, std::string text) {
  if (kept_.size() == kept_max)
    ++dropped_;
  else
    kept_.push_back({std::move(path), std::move(text)});
}

bool Problems::touches(std::string_view path) const {
  return std::any_of(kept_.begin(), kept_.end(), [&](const Problem& p) {
    return p.path == path || holds(p.path, path) || holds(path, p.path);
  });
}

std::string Problems::to_string(std::string_view where) const {
  std::string prefix = where.empty() ? "" : fmt::format("{}: ", where);
  if (size() == 1) return prefix + kept_.front().to_string();
  std::string out = fmt::format("{}{} problems:", prefix, size());
  for (const Problem& p : kept_) out += "\n  " + p.to_string();
  if (dropped_ > 0) out += fmt::format("\n  and {} more", dropped_);
  return out;
}

void Problems::throw_if_any(std::string_view where, ErrorKind kind) const {
  if (!empty()) throw Error(kind, to_string(where));
}

std::string Check::path(std::string_view field) const {
  return field.empty() ? at_.to_string() : at_.field(field).to_string();
}

void Check::add(std::string_view field, std::string text) {
  std::string where = path(field);
  if (!problems_.touches(where)) problems_.add(std::move(where), std::move(text));
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t word_size_max = 64;  // nobody mistypes more than that, and distance() is quadratic
  if (word.size() > word_size_max) return {};
  std::string_view best;
  std::size_t best_distance = (word.size() <= 3 ? 1 : std::max<std::size_t>(2, word.size() / 3)) + 1;
  for (std::string_view candidate : candidates) {
    std::size_t d = distance(lower(word), lower(candidate));
    if (d < best_distance) best = candidate, best_distance = d;
  }
  return best;
}

}  // namespace kb::schema
