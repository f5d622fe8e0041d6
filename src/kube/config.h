// Where the API server is and how to be let in: a pod's service account, or a kubeconfig file.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "kube/api.h"
#include "net/http_client.h"

namespace kb::kube {

struct Config {
  std::string server;  // "https://10.96.0.1:443"
  // A list that is longer is asked for in smaller pages: tenants decide how large their objects are.
  HttpSettings http{.answer_bytes_max = 16 << 20};
  std::string token;       // or
  std::string token_file;  // read again every minute: tokens rotate
  std::string default_namespace = "default";
};

// From $KUBERNETES_SERVICE_HOST and _PORT and /var/run/secrets/kubernetes.io/serviceaccount; nothing outside
// of a pod.
std::optional<Config> in_cluster();
// The current context of a file: server, CA (file or data), token, tokenFile, client certificate (file or
// data), namespace, insecure-skip-tls-verify is refused, exec plugins are refused with a hint. Throws invalid
// naming the field, not_found.
Config read_kubeconfig(const std::string& path, const std::string& context = "");
// in_cluster(), else $KUBECONFIG, else ~/.kube/config.
Config default_config();

// Thread-safe.
std::unique_ptr<Api> connect(Config config);

}  // namespace kb::kube
