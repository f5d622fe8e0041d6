#include "api/pod_template.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "api/job.h"
#include "api/name_checks.h"

namespace kb::api {
namespace {

namespace json = boost::json;

// Kinds of volumes that stay inside the namespace. hostPath and the like would reach the node.
constexpr std::array<std::string_view, 8> volume_kinds = {"configMap", "secret",    "persistentVolumeClaim",
                                                          "emptyDir",  "projected", "downwardAPI",
                                                          "csi",       "ephemeral"};

// Keys that the operator itself goes by.
bool is_reserved_key(std::string_view key) {
  auto domain = key.substr(0, key.find('/') == std::string_view::npos ? 0 : key.find('/'));
  return domain == "kafka.oso.sh" || domain == "batch.kubernetes.io" || key == "job-name" ||
         key == "controller-uid" || key == "app.kubernetes.io/managed-by";
}

std::string_view text_of(const json::value& object, std::string_view field) {
  const auto* members = object.if_object();
  const auto* value = members ? members->if_contains(field) : nullptr;
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

void check_keys(schema::Check& check, std::string_view field, const std::map<std::string, std::string>& map) {
  for (const auto& [key, value] : map)
    if (is_reserved_key(key)) check.problem(field, "must not set {}: the operator does", key);
}

void check_volume(schema::Check& check, const std::string& at, const json::value& volume) {
  if (text_of(volume, "name").empty()) return check.problem(at, "must have a name");
  if (text_of(volume, "name").starts_with(reserved_volume_prefix))
    return check.problem(at, "must not have a name that begins with {}", reserved_volume_prefix);
  for (const auto& member : volume.get_object())
    if (member.key() != "name" &&
        std::ranges::find(volume_kinds, std::string_view(member.key())) == volume_kinds.end())
      check.problem(at, "must not be of kind {}: a volume must stay in its namespace",
                    std::string_view(member.key()));
}

void check_mount(schema::Check& check, const std::string& at, const json::value& mount) {
  const auto path = text_of(mount, "mountPath");
  for (auto own : {worker_folder, worker_volumes_folder})
    if (path == own || path.starts_with(std::string(own) + "/"))
      check.problem(at, "must not be mounted at {}: the operator mounts there", own);
  if (path.find("..") != std::string_view::npos || !path.starts_with("/"))
    check.problem(at, "must have an absolute mountPath without '..'");
  if (mount.is_object() && mount.get_object().contains("mountPropagation"))
    check.problem(at, "must not have mountPropagation");
}

}  // namespace

void PodMetadata::check(schema::Check& check) const {
  check_keys(check, "labels", labels);
  check_keys(check, "annotations", annotations);
}

void PodTemplate::check(schema::Check& check) const {
  if (service_account_name) check_object_name(check, "serviceAccountName", *service_account_name);
  for (std::size_t i = 0; i < volumes.size(); ++i)
    check_volume(check, fmt::format("volumes[{}]", i), volumes[i]);
  for (std::size_t i = 0; i < volume_mounts.size(); ++i)
    check_mount(check, fmt::format("volumeMounts[{}]", i), volume_mounts[i]);
  for (std::size_t i = 0; i < env.size(); ++i)
    if (text_of(env[i], "name").starts_with(reserved_env_prefix))
      check.problem(fmt::format("env[{}]", i), "must not have a name that begins with {}",
                    reserved_env_prefix);
}

}  // namespace kb::api
