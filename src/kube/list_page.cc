#include "kube/list_page.h"

#include "kube/api.h"
#include "schema/schema.h"

namespace kb::kube {
namespace {

// Where the JSON value that begins at `at` ends; the text's end when it does not.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  bool in_string = false;
  for (; at < text.size(); ++at) {
    char c = text[at];
    if (in_string) {
      if (c == '\\')
        ++at;
      else if (c == '"')
        in_string = false;
      continue;
    }
    if (depth == 0 && (c == ',' || c == ']' || c == '}')) return at;
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  }
  return text.size();
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

// Where the value of the member `name` of the outermost object begins; npos when there is none.
std::size_t member_of(std::string_view text, std::string_view name) {
  const auto quoted = fmt::format("\"{}\"", name);
  auto at = skip_blanks(text, 0);
  if (at == text.size() || text[at] != '{') return std::string_view::npos;
  do {
    at = skip_blanks(text, at + 1);
    auto key_end = text.find('"', at + 1);  // the names in a list have no escapes
    if (key_end == std::string_view::npos) break;
    auto colon = skip_blanks(text, key_end + 1);
    if (colon == text.size() || text[colon] != ':') break;
    auto value = skip_blanks(text, colon + 1);
    if (text.substr(at, key_end + 1 - at) == quoted) return value;
    at = end_of_value(text, value);
  } while (at < text.size() && text[at] == ',');
  return std::string_view::npos;
}

// The elements of the array that begins at `at`, which is behind it afterwards.
std::vector<std::string_view> elements(std::string_view text, std::size_t& at) {
  std::vector<std::string_view> found;
  do {
    at = skip_blanks(text, at + 1);
    auto end = end_of_value(text, at);
    if (end > at) found.push_back(text.substr(at, end - at));
    at = end;
  } while (at < text.size() && text[at] == ',');
  if (at == text.size() || text[at] != ']') fail(ErrorKind::corrupt, "a list that does not end");
  ++at;
  return found;
}

}  // namespace

ListPage split_list(std::string_view text) {
  ListPage page;
  std::string rest(text);
  auto begin = member_of(text, "items");
  if (begin != std::string_view::npos && begin < text.size() && text[begin] == '[') {
    auto end = begin;
    page.items = elements(text, end);
    rest = fmt::format("{}[]{}", text.substr(0, begin), text.substr(end));
  }
  auto list = schema::parse_json(rest, "a list", ErrorKind::corrupt);
  page.kind = text_at(list, "kind");
  if (!page.kind.ends_with("List")) fail(ErrorKind::corrupt, "kind {} is not a list", page.kind);
  page.kind.resize(page.kind.size() - std::string_view("List").size());
  page.api_version = text_at(list, "apiVersion");
  page.resource_version = text_at(list, "metadata.resourceVersion");
  page.continue_token = text_at(list, "metadata.continue");
  return page;
}

}  // namespace kb::kube
