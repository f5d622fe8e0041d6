#include "schema/yaml.h"

#include <map>
#include <memory>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <yaml.h>

#include "base/error.h"
#include "schema/yaml_scalar.h"

namespace kb::schema {
namespace {

namespace json = boost::json;

std::string_view text_of(const yaml_char_t* text) {
  return text ? reinterpret_cast<const char*>(text) : std::string_view();
}

struct Event : yaml_event_t {
  Event() : yaml_event_t{} {}
  ~Event() { yaml_event_delete(this); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
};

// One pass over libyaml's events. Recursion is bounded by depth_max.
class Composer {
 public:
  Composer(std::string_view text, std::string_view file_name, const YamlLimits& limits)
      : text_(text), file_name_(file_name), limits_(limits) {
    if (!yaml_parser_initialize(&parser_)) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Composer() { yaml_parser_delete(&parser_); }
  Composer(const Composer&) = delete;
  Composer& operator=(const Composer&) = delete;

  std::vector<YamlDocument> documents();

 private:
  struct Anchor {
    json::value value;
    std::size_t nodes;
  };

  void next(Event& event);
  [[noreturn]] void fail_parser() const;
  [[noreturn]] void fail_at(const yaml_mark_t& mark, std::string_view what, std::string hint = {}) const;

  json::value node(const Event& event, std::size_t depth);
  json::value scalar(const Event& event) const;
  json::value list(std::size_t depth);
  json::value mapping(std::size_t depth);
  std::string key(const Event& event) const;
  json::value alias(const Event& event);
  void count(const yaml_mark_t& mark, std::size_t nodes);

  std::string_view text_, file_name_;
  const YamlLimits& limits_;
  yaml_parser_t parser_{};
  std::map<std::string, Anchor, std::less<>> anchors_;
  std::size_t nodes_ = 0;
};

void Composer::next(Event& event) {
  if (!yaml_parser_parse(&parser_, &event)) fail_parser();
}

void Composer::fail_parser() const {
  if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
  if (parser_.error == YAML_READER_ERROR)
    fail(ErrorKind::invalid, "{}: at byte {}: {}", file_name_, parser_.problem_offset, parser_.problem);
  const yaml_mark_t& mark = parser_.problem_mark;
  bool tab = mark.index < text_.size() && text_[mark.index] == '\t';
  std::string what = parser_.problem ? parser_.problem : "cannot be read as YAML";
  if (parser_.context)
    what += fmt::format(" {} from line {}", parser_.context, parser_.context_mark.line + 1);
  fail_at(mark, what, tab ? "YAML is indented with spaces, not with tabs" : "");
}

void Composer::fail_at(const yaml_mark_t& mark, std::string_view what, std::string hint) const {
  throw Error(ErrorKind::invalid,
              fmt::format("{}:{}:{}: {}", file_name_, mark.line + 1, mark.column + 1, what), std::move(hint));
}

std::vector<YamlDocument> Composer::documents() {
  std::vector<YamlDocument> out;
  for (;;) {
    Event event;
    next(event);
    if (event.type == YAML_STREAM_END_EVENT) return out;
    if (event.type != YAML_DOCUMENT_START_EVENT) continue;  // stream start, document end
    if (out.size() == limits_.documents_max)
      fail_at(event.start_mark, fmt::format("more than {} documents", limits_.documents_max));
    anchors_.clear();
    Event root;
    next(root);
    std::size_t line = root.start_mark.line + 1;
    out.push_back({node(root, 0), line});
  }
}

void Composer::count(const yaml_mark_t& mark, std::size_t nodes) {
  nodes_ += nodes;
  if (nodes_ > limits_.nodes_max) fail_at(mark, fmt::format("more than {} values", limits_.nodes_max));
}

json::value Composer::node(const Event& event, std::size_t depth) {
  const yaml_mark_t mark = event.start_mark;
  if (event.type == YAML_ALIAS_EVENT) return alias(event);
  count(mark, 1);
  if (depth == limits_.depth_max)
    fail_at(mark, fmt::format("nested deeper than {} levels", limits_.depth_max));
  const std::size_t nodes_before = nodes_;
  std::string_view anchor, tag;
  json::value value;
  if (event.type == YAML_SCALAR_EVENT) {
    anchor = text_of(event.data.scalar.anchor);
    value = scalar(event);
  } else if (event.type == YAML_SEQUENCE_START_EVENT) {
    anchor = text_of(event.data.sequence_start.anchor);
    tag = text_of(event.data.sequence_start.tag);
    if (!tag.empty() && tag != YAML_SEQ_TAG) fail_at(mark, fmt::format("tag {} is not supported", tag));
    value = list(depth);
  } else {
    CHECK(event.type == YAML_MAPPING_START_EVENT);
    anchor = text_of(event.data.mapping_start.anchor);
    tag = text_of(event.data.mapping_start.tag);
    if (!tag.empty() && tag != YAML_MAP_TAG) fail_at(mark, fmt::format("tag {} is not supported", tag));
    value = mapping(depth);
  }
  if (!anchor.empty()) anchors_[std::string(anchor)] = {value, nodes_ - nodes_before + 1};
  return value;
}

json::value Composer::scalar(const Event& event) const {
  const auto& data = event.data.scalar;
  ScalarText scalar{.text = {reinterpret_cast<const char*>(data.value), data.length},
                    .tag = text_of(data.tag),
                    .plain = data.style == YAML_PLAIN_SCALAR_STYLE};
  std::string problem;
  auto value = resolve_scalar(scalar, problem);
  if (!value) fail_at(event.start_mark, problem);
  return std::move(*value);
}

json::value Composer::list(std::size_t depth) {
  json::array out;
  for (;;) {
    Event item;
    next(item);
    if (item.type == YAML_SEQUENCE_END_EVENT) return out;
    out.push_back(node(item, depth + 1));
  }
}

json::value Composer::mapping(std::size_t depth) {
  json::object out;
  for (;;) {
    Event name;
    next(name);
    if (name.type == YAML_MAPPING_END_EVENT) return out;
    std::string text = key(name);
    count(name.start_mark, 1);
    if (out.contains(text))
      fail_at(name.start_mark, fmt::format("key '{}' stands twice in this mapping", text));
    Event item;
    next(item);
    out[text] = node(item, depth + 1);
  }
}

std::string Composer::key(const Event& event) const {
  if (event.type != YAML_SCALAR_EVENT) fail_at(event.start_mark, "a key must be plain or quoted text");
  const auto& data = event.data.scalar;
  std::string text(reinterpret_cast<const char*>(data.value), data.length);
  if (text == "<<" && data.style == YAML_PLAIN_SCALAR_STYLE)
    fail_at(event.start_mark, "merge keys (<<) are not supported", "write the fields out");
  return text;
}

json::value Composer::alias(const Event& event) {
  std::string_view name = text_of(event.data.alias.anchor);
  auto found = anchors_.find(name);
  if (found == anchors_.end()) fail_at(event.start_mark, fmt::format("no anchor &{} before this", name));
  count(event.start_mark, found->second.nodes);
  return found->second.value;
}

}  // namespace

std::vector<YamlDocument> parse_yaml(std::string_view text, std::string_view file_name,
                                     const YamlLimits& limits) {
  if (text.size() > limits.bytes_max)
    fail(ErrorKind::invalid, "{}: {} bytes, at most {} are read", file_name, text.size(), limits.bytes_max);
  return Composer(text, file_name, limits).documents();
}

}  // namespace kb::schema
