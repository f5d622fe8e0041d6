#include "kube/config.h"

#include <cstdlib>
#include <filesystem>

#include "kube/kubeconfig.h"
#include "kube/small_file.h"
#include "net/endpoint.h"
#include "schema/schema.h"
#include "schema/yaml.h"

namespace kb::kube {
namespace {

const std::string service_account = "/var/run/secrets/kubernetes.io/serviceaccount/";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::optional<Config> in_cluster() {
  auto host = environment("KUBERNETES_SERVICE_HOST"), port = environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty() || !std::filesystem::exists(service_account + "token"))
    return std::nullopt;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  Config config{.server = fmt::format("https://{}", to_string(parse_endpoint(host + ":" + port))),
                .token_file = service_account + "token"};
  config.http.ca_pem = read_small_file(service_account + "ca.crt");
  if (std::filesystem::exists(service_account + "namespace"))
    config.default_namespace = read_small_file(service_account + "namespace");
  return config;
}

Config read_kubeconfig(const std::string& path, const std::string& context) {
  auto documents = schema::parse_yaml(read_small_file(path), path);
  if (documents.size() != 1) fail(ErrorKind::invalid, "{}: has {} documents", path, documents.size());
  schema::Problems problems;
  KubeconfigFile file;
  schema::read_into(documents[0].value, "", file, problems,
                    {.unknown_fields = schema::UnknownFields::ignore});
  problems.throw_if_any(path, ErrorKind::invalid);
  return config_of(file, path, context);
}

Config default_config() {
  if (auto config = in_cluster()) return *config;
  auto path = environment("KUBECONFIG");
  if (path.find(':') != std::string::npos)
    throw Error(ErrorKind::invalid, "$KUBECONFIG names several files",
                "name one; `kubectl config view --flatten` merges them");
  if (path.empty()) path = environment("HOME") + "/.kube/config";
  if (!std::filesystem::exists(path))
    throw Error(ErrorKind::not_found, fmt::format("there is no {}, and this is no pod", path),
                "set $KUBECONFIG, or give the pod a service account");
  return read_kubeconfig(path);
}

}  // namespace kb::kube
