#include "kube/api.h"

#include <algorithm>

#include "schema/schema.h"

namespace kb::kube {
namespace {

// RFC 3986 section 2.3
bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (char c : text)
    if (is_unreserved(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::string with_query(const std::string& path, const std::string& query) {
  return path + (path.find('?') == std::string::npos ? "?" : "&") + query;
}

json::value send_object(const Context& ctx, Api& api, const Request& request) {
  auto path = std::string_view(request.path).substr(0, request.path.find('?'));
  return schema::parse_json(api.send(ctx, request), fmt::format("the answer to {} {}", request.method, path),
                            ErrorKind::corrupt);
}

std::string_view name_of(Propagation propagation) {
  switch (propagation) {
    case Propagation::background:
      return "Background";
    case Propagation::foreground:
      return "Foreground";
    case Propagation::orphan:
      return "Orphan";
  }
  return {};
}

}  // namespace

std::string path_of(const ResourceType& type, std::string_view resource_namespace, std::string_view name,
                    std::string_view subresource) {
  auto path = type.group.empty() ? fmt::format("/api/{}", type.version)
                                 : fmt::format("/apis/{}/{}", type.group, type.version);
  if (type.namespaced && !resource_namespace.empty())
    path += "/namespaces/" + percent_encoded(resource_namespace);
  path += fmt::format("/{}", type.plural);
  if (!name.empty()) path += "/" + percent_encoded(name);
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  return path;
}

std::string query_of(std::initializer_list<std::pair<std::string_view, std::string_view>> parameters) {
  std::string query;
  for (const auto& [key, value] : parameters) {
    if (!query.empty()) query += '&';
    query += percent_encoded(key) + "=" + percent_encoded(value);
  }
  return query;
}

std::optional<json::value> get(const Context& ctx, Api& api, const std::string& path) {
  try {
    return send_object(ctx, api, {.path = path});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

std::optional<json::value> create(const Context& ctx, Api& api, const std::string& path,
                                  const json::value& object) {
  try {
    return send_object(ctx, api, {.method = "POST", .path = path, .body = schema::serialize(object)});
  } catch (const Error& error) {
    // There are other conflicts (a quota that changed meanwhile), so the server is asked which one it is.
    auto name = text_at(object, "metadata.name");
    if (error.kind() != ErrorKind::conflict || name.empty()) throw;
    auto collection = path.substr(0, path.find('?'));
    if (!get(ctx, api, collection + "/" + percent_encoded(name))) throw;
    return std::nullopt;
  }
}

json::value merge_patch(const Context& ctx, Api& api, const std::string& path, const json::value& patch,
                        std::string_view field_manager) {
  return send_object(ctx, api,
                     {.method = "PATCH",
                      .path = with_query(path, query_of({{"fieldManager", field_manager}})),
                      .body = schema::serialize(patch),
                      .content_type = "application/merge-patch+json"});
}

json::value apply(const Context& ctx, Api& api, const std::string& path, const json::value& object,
                  std::string_view field_manager) {
  return send_object(
      ctx, api,
      {.method = "PATCH",
       .path = with_query(path, query_of({{"fieldManager", field_manager}, {"force", "true"}})),
       .body = schema::serialize(object),
       .content_type = "application/apply-patch+yaml"});
}

json::value replace(const Context& ctx, Api& api, const std::string& path, const json::value& object) {
  return send_object(ctx, api, {.method = "PUT", .path = path, .body = schema::serialize(object)});
}

bool remove(const Context& ctx, Api& api, const std::string& path, Propagation propagation,
            std::string_view uid) {
  json::object options{
      {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", name_of(propagation)}};
  if (!uid.empty()) options["preconditions"] = {{"uid", uid}};
  try {
    api.send(ctx, {.method = "DELETE", .path = path, .body = schema::serialize(options)});
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) return false;
    if (error.kind() != ErrorKind::conflict || uid.empty()) throw;
    auto found = get(ctx, api, path);
    if (found && text_at(*found, "metadata.uid") == uid) throw;
    return false;
  }
}

const json::value* find(const json::value& object, std::string_view dotted_path) {
  const json::value* at = &object;
  for (auto rest = dotted_path; at && !rest.empty();) {
    auto dot = std::min(rest.find('.'), rest.size());
    const auto* members = at->if_object();
    at = members ? members->if_contains(rest.substr(0, dot)) : nullptr;
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return at && at->is_null() ? nullptr : at;
}

std::string text_at(const json::value& object, std::string_view dotted_path) {
  const auto* found = find(object, dotted_path);
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

std::int64_t integer_at(const json::value& object, std::string_view dotted_path, std::int64_t otherwise) {
  const auto* found = find(object, dotted_path);
  const auto* integer = found ? found->if_int64() : nullptr;
  return integer ? *integer : otherwise;
}

}  // namespace kb::kube
