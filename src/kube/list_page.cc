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

// Calls `each` with name and text of the members of the outermost object, until it returns false. Names have
// no escapes in what an API server sends here.
void for_each_member(std::string_view text, auto each) {
  auto at = skip_blanks(text, 0);
  if (at == text.size() || text[at] != '{') return;
  do {
    at = skip_blanks(text, at + 1);
    auto key_end = text.find('"', at + 1);
    if (key_end == std::string_view::npos) return;
    auto colon = skip_blanks(text, key_end + 1);
    if (colon == text.size() || text[colon] != ':') return;
    auto value = skip_blanks(text, colon + 1);
    auto name = text.substr(at + 1, key_end - at - 1);
    at = end_of_value(text, value);
    if (!each(name, text.substr(value, at - value))) return;
  } while (at < text.size() && text[at] == ',');
}

// Where the value of the member `name` of the outermost object begins; npos when there is none.
std::size_t member_of(std::string_view text, std::string_view name) {
  auto found = std::string_view::npos;
  for_each_member(text, [&](std::string_view member, std::string_view value) {
    if (member == name) found = static_cast<std::size_t>(value.data() - text.data());
    return member != name;
  });
  return found;
}

// `parse` for each member, and instead of what it throws the text of that.
json::value parse_members(std::string_view text, auto parse) {
  json::object object;
  for_each_member(text, [&](std::string_view name, std::string_view value) {
    try {
      object[name] = parse(name, value);
    } catch (const Error& error) {
      object[name] = error.what();
    }
    return true;
  });
  return object;
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

json::value parse_object(std::string_view text) {
  try {
    return schema::parse_json(text, "an object", ErrorKind::corrupt);
  } catch (const Error&) {
    if (member_of(text, "metadata") == std::string_view::npos) throw;
    auto parse = [](std::string_view, std::string_view value) {
      return schema::parse_json(value, "cannot be read", ErrorKind::corrupt);
    };
    // managedFields nests as deep as the spec does.
    return parse_members(text, [&](std::string_view name, std::string_view value) {
      return name == "metadata" ? parse_members(value, parse) : parse(name, value);
    });
  }
}

json::value parse_event(std::string_view text) {
  try {
    return schema::parse_json(text, "an event", ErrorKind::corrupt);
  } catch (const Error&) {
    if (member_of(text, "object") == std::string_view::npos) throw;
    return parse_members(text, [](std::string_view, std::string_view value) { return parse_object(value); });
  }
}

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
