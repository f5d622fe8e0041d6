// Requests to a Kubernetes API server as JSON values
// (https://kubernetes.io/docs/reference/using-api/api-concepts/).
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/context.h"
#include "base/error.h"

namespace kb::kube {

namespace json = boost::json;

// "batch", "v1", "jobs". The core group is "".
struct ResourceType {
  std::string_view group, version, plural;
  bool namespaced = true;
};

inline constexpr ResourceType jobs{"batch", "v1", "jobs"};
inline constexpr ResourceType pods{"", "v1", "pods"};
inline constexpr ResourceType events{"", "v1", "events"};
inline constexpr ResourceType namespaces{"", "v1", "namespaces", false};
inline constexpr ResourceType leases{"coordination.k8s.io", "v1", "leases"};
inline constexpr ResourceType persistent_volume_claims{"", "v1", "persistentvolumeclaims"};

// "/apis/batch/v1/namespaces/kafka/jobs/x/status"; an empty namespace means all, an empty name the
// collection.
std::string path_of(const ResourceType& type, std::string_view resource_namespace, std::string_view name = {},
                    std::string_view subresource = {});
// key=value pairs, percent-encoded: "labelSelector=a%3Db&limit=500".
std::string query_of(std::initializer_list<std::pair<std::string_view, std::string_view>> parameters);

struct Request {
  std::string method = "GET";
  std::string path;  // with its query, if any
  std::string body;
  std::string content_type = "application/json";
};

// Where requests go; wrapped for counting and for refusing writes of who is no longer the leader.
class Api {
 public:
  virtual ~Api() = default;
  // The body of a 2xx answer. Throws by status: denied 401 and 403, not_found 404, conflict 409 (also: exists
  // already), invalid 400 and 422, timed_out, throttled 429, unavailable 5xx and no connection; 410 Gone is
  // not_found as well. The text is the message of the server's Status object. Thread-safe.
  virtual std::string send(const Context& ctx, const Request& request) = 0;
  // Gives each line of the answer to `line` as it comes; returns when the server ends it. A line is at most
  // line_bytes_max long (else throws invalid).
  virtual void stream(const Context& ctx, const Request& request,
                      const std::function<void(std::string_view)>& line) = 0;

  static constexpr std::size_t line_bytes_max = 8 << 20;
};

std::optional<json::value> get(const Context& ctx, Api& api, const std::string& path);
// Nothing when an object of that name is there already; conflict is thrown for any other reason.
std::optional<json::value> create(const Context& ctx, Api& api, const std::string& path,
                                  const json::value& object);
// JSON merge patch (RFC 7396). With metadata.resourceVersion in it: throws conflict when the object has
// changed.
json::value merge_patch(const Context& ctx, Api& api, const std::string& path, const json::value& patch,
                        std::string_view field_manager);
// Server-side apply, taking fields over from other managers.
json::value apply(const Context& ctx, Api& api, const std::string& path, const json::value& object,
                  std::string_view field_manager);
json::value replace(const Context& ctx, Api& api, const std::string& path, const json::value& object);

enum class Propagation { background, foreground, orphan };
// False when there is none. With `uid` only the object that has it.
bool remove(const Context& ctx, Api& api, const std::string& path, Propagation propagation,
            std::string_view uid = {});

// What the objects that we read have in common.
struct ObjectKey {
  std::string resource_namespace, name;
  auto operator<=>(const ObjectKey&) const = default;
  std::string to_string() const { return resource_namespace + "/" + name; }
};

// A member of nested objects, "metadata.uid"; null when there is none. Pure.
const json::value* find(const json::value& object, std::string_view dotted_path);
std::string text_at(const json::value& object, std::string_view dotted_path);  // "" when absent or no string
std::int64_t integer_at(const json::value& object, std::string_view dotted_path, std::int64_t otherwise = 0);

}  // namespace kb::kube
