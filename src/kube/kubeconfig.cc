#include "kube/kubeconfig.h"

#include <algorithm>
#include <filesystem>

#include <openssl/evp.h>

#include "base/error.h"
#include "kube/small_file.h"

namespace kb::kube {
namespace {

// One file and where in it we are, for the texts of errors: "users[admin].user".
struct Place {
  const std::string& path;
  std::string at;
  [[noreturn]] void refuse(std::string_view field, std::string_view why, std::string hint = {}) const {
    throw Error(ErrorKind::invalid, fmt::format("{}: {}.{}: {}", path, at, field, why), std::move(hint));
  }
};

template <class Named>
const Named& find_named(const std::vector<Named>& all, const std::string& name, std::string_view list,
                        const std::string& path) {
  auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
  if (found == all.end()) fail(ErrorKind::invalid, "{}: {}: there is none named '{}'", path, list, name);
  return *found;
}

// RFC 4648 section 4
std::string base64_decoded(const std::string& text, const Place& place, std::string_view field) {
  std::string bytes(text.size() / 4 * 3 + 1, '\0');
  int size = text.size() % 4 != 0 ? -1
                                  : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                                    reinterpret_cast<const unsigned char*>(text.data()),
                                                    static_cast<int>(text.size()));
  if (size < 0) place.refuse(field, "is not base64");
  auto padding = text.size() - std::min(text.find_last_not_of('=') + 1, text.size());
  bytes.resize(static_cast<std::size_t>(size) - std::min<std::size_t>(padding, 2));
  return bytes;
}

std::string resolved(const std::string& file, const Place& place) {
  return (std::filesystem::path(place.path).parent_path() / file).string();
}

// The data beside the name of a file wins, as with kubectl.
std::string contents(const std::string& file, const std::string& data, const Place& place,
                     const std::string& field) {
  if (!data.empty()) return base64_decoded(data, place, field + "-data");
  if (file.empty()) return {};
  try {
    return read_small_file(resolved(file, place));
  } catch (const Error& error) {
    throw error.while_doing(fmt::format("{}: {}.{}", place.path, place.at, field));
  }
}

void read_cluster(const KubeconfigCluster& cluster, const Place& place, Config& config) {
  if (!cluster.server.starts_with("https://") && !cluster.server.starts_with("http://"))
    place.refuse("server", fmt::format("'{}' is no http or https URL", cluster.server));
  if (cluster.skip_verify)
    place.refuse("insecure-skip-tls-verify", "is not supported", "give certificate-authority instead");
  if (cluster.server_name) place.refuse("tls-server-name", "is not supported");
  if (cluster.proxy) place.refuse("proxy-url", "is not supported", "set $HTTPS_PROXY instead");
  config.server = cluster.server;
  config.http.ca_pem =
      contents(cluster.authority_file, cluster.authority_data, place, "certificate-authority");
}

void refuse_foreign_ways(const KubeconfigUser& user, const Place& place) {
  const std::string hint = "make a token with `kubectl create token SERVICE_ACCOUNT` and give it as `token`";
  if (!user.exec.is_null()) place.refuse("exec", "plugins are not supported", hint);
  if (!user.auth_provider.is_null()) place.refuse("auth-provider", "is not supported", hint);
  if (user.username) place.refuse("username", "is not supported", hint);
  if (user.impersonated) place.refuse("as", "is not supported", hint);
}

void read_user(const KubeconfigUser& user, const Place& place, Config& config) {
  refuse_foreign_ways(user, place);
  if (!user.token.is_null() && !user.token.is_string())
    place.refuse("token", "must be a string", "put it in quotes");
  if (user.token.is_string()) config.token = user.token.get_string();
  if (config.token.empty() && !user.token_file.empty()) config.token_file = resolved(user.token_file, place);
  config.http.client_cert_pem =
      contents(user.certificate_file, user.certificate_data, place, "client-certificate");
  config.http.client_key_pem = contents(user.key_file, user.key_data, place, "client-key");
  if (config.http.client_cert_pem.empty() != config.http.client_key_pem.empty())
    place.refuse("client-certificate", "and client-key need each other");
}

}  // namespace

Config config_of(const KubeconfigFile& file, const std::string& path, const std::string& context) {
  const auto& wanted = context.empty() ? file.current_context : context;
  if (wanted.empty()) fail(ErrorKind::invalid, "{}: current-context: is required", path);
  const auto& chosen = find_named(file.contexts, wanted, "contexts", path).context;
  Config config;
  const auto& cluster = find_named(file.clusters, chosen.cluster, "clusters", path).cluster;
  read_cluster(cluster, {path, fmt::format("clusters[{}].cluster", chosen.cluster)}, config);
  if (!chosen.user.empty()) {
    const auto& user = find_named(file.users, chosen.user, "users", path).user;
    read_user(user, {path, fmt::format("users[{}].user", chosen.user)}, config);
  }
  if (!chosen.default_namespace.empty()) config.default_namespace = chosen.default_namespace;
  return config;
}

}  // namespace kb::kube
