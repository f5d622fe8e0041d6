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

constexpr std::array<std::string_view, 5> projected_sources = {"configMap", "secret", "downwardAPI",
                                                               "clusterTrustBundle", "serviceAccountToken"};

// Tokens of a service account are for logging in at a cloud or at Kafka. One for the API server would lend
// every right of any account of the namespace to whoever may edit our resources.
bool is_login_audience(std::string_view audience) {
  return audience == "sts.amazonaws.com" || audience == "api://AzureADTokenExchange" ||
         audience.starts_with("//iam.googleapis.com/") ||
         audience.starts_with("https://iam.googleapis.com/") ||
         audience.starts_with("kafka");  // for SASL OAUTHBEARER
}

// Where a container's own files are, and the kernel's.
constexpr std::array<std::string_view, 10> system_folders = {"/bin",   "/boot", "/dev",  "/lib", "/lib32",
                                                             "/lib64", "/proc", "/sbin", "/sys", "/usr"};
constexpr std::array<std::string_view, 3> own_folders = {worker_folder, worker_volumes_folder, "/tmp"};

// Variables that the operator or the Job controller sets, or that load other code into the worker.
constexpr std::array<std::string_view, 9> reserved_variables = {
    reserved_env_prefix,   "LD_", "GLIBC_TUNABLES", "GCONV_PATH", "OPENSSL_", "KRB5", "GSS_", "SASL_",
    "JOB_COMPLETION_INDEX"};

// Keys that the operator itself goes by, and annotations that loosen what a container may do.
bool is_reserved_key(std::string_view key) {
  auto domain = key.substr(0, key.find('/') == std::string_view::npos ? 0 : key.find('/'));
  return domain == "kafka.oso.sh" || domain == "batch.kubernetes.io" || key == "job-name" ||
         key == "controller-uid" || key == "app.kubernetes.io/managed-by" ||
         domain.ends_with("security.beta.kubernetes.io") ||
         domain.ends_with("security.alpha.kubernetes.io") || domain == "cdi.k8s.io" ||
         key.starts_with("io.kubernetes.cri");
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

void check_projected(schema::Check& check, const std::string& at, const json::value& projected) {
  const auto* members = projected.if_object();
  const auto* sources = members ? members->if_contains("sources") : nullptr;
  if (!sources || !sources->is_array()) return;
  for (const auto& source : sources->get_array())
    for (const auto& member : source.is_object() ? source.get_object() : json::object()) {
      const std::string_view kind = member.key();
      if (std::ranges::find(projected_sources, kind) == projected_sources.end())
        check.problem(at, "must not project {}", kind);
      if (kind == "serviceAccountToken" && !is_login_audience(text_of(member.value(), "audience")))
        check.problem(at,
                      "must not project a serviceAccountToken unless its audience is that of a cloud's login "
                      "or begins with kafka");
    }
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
  if (const auto* projected = volume.get_object().if_contains("projected"))
    check_projected(check, at, *projected);
}

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

void check_mount(schema::Check& check, const std::string& at, const json::value& mount) {
  auto path = text_of(mount, "mountPath");
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (auto own : own_folders)
    if (is_below(path, own)) check.problem(at, "must not be mounted at {}: the operator mounts there", own);
  for (auto folder : system_folders)
    if (is_below(path, folder))
      check.problem(at, "must not be mounted at {}: the program and its libraries are those of the image",
                    folder);
  if (path == "/" || path == "/etc" || path.starts_with("/etc/ld.so") || path.starts_with("/etc/krb5") ||
      path.starts_with("/etc/gss"))
    check.problem(at, "must not be mounted at {}: what is there decides which code runs", path);
  // Also what only another spelling of such a path would be: "//volumes", "/./volumes".
  if (!path.starts_with('/') || path.find("..") != std::string_view::npos ||
      path.find("//") != std::string_view::npos || path.find("/./") != std::string_view::npos ||
      path.ends_with("/."))
    check.problem(at, "must have an absolute mountPath without '..', '.' and empty parts");
  if (text_of(mount, "name").starts_with(reserved_volume_prefix))
    check.problem(at, "must not mount a volume whose name begins with {}", reserved_volume_prefix);
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
  if (priority_class_name && priority_class_name->starts_with("system-"))
    check.problem("priorityClassName", "must not be one of the system's, which evict whatever else runs");
  for (std::size_t i = 0; i < volumes.size(); ++i)
    check_volume(check, fmt::format("volumes[{}]", i), volumes[i]);
  for (std::size_t i = 0; i < volume_mounts.size(); ++i)
    check_mount(check, fmt::format("volumeMounts[{}]", i), volume_mounts[i]);
  for (std::size_t i = 0; i < env.size(); ++i)
    for (auto reserved : reserved_variables)
      if (text_of(env[i], "name").starts_with(reserved))
        check.problem(fmt::format("env[{}]", i), "must not have a name that begins with {}", reserved);
}

}  // namespace kb::api
