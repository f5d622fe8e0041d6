// The file format of kubectl's configuration
// (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/), as far as we read it: what changes how
// the server is reached or who we are, and is not supported, is refused rather than ignored.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "kube/config.h"
#include "schema/field.h"

namespace kb::kube {

struct KubeconfigCluster {
  std::string server, authority_file, authority_data;
  bool skip_verify = false;
  std::optional<std::string> server_name, proxy;
  void fields(auto& f) {
    f.required("server", server, "URL of the API server.");
    f("certificate-authority", authority_file, "File with the certificates to trust.");
    f("certificate-authority-data", authority_data, "The same, as base64.");
    f("insecure-skip-tls-verify", skip_verify, "Refused.");
    f("tls-server-name", server_name, "Refused.");
    f("proxy-url", proxy, "Refused.");
  }
};

struct KubeconfigUser {
  schema::json::value token;  // not a string, so that no error quotes one that looks like a number
  std::string token_file;
  std::string certificate_file, certificate_data, key_file, key_data;
  std::optional<std::string> username, impersonated;
  schema::json::value exec, auth_provider;
  void fields(auto& f) {
    f("token", token, "Bearer token.");
    f("tokenFile", token_file, "File with it; read again every minute.");
    f("client-certificate", certificate_file, "File with the certificate to show.");
    f("client-certificate-data", certificate_data, "The same, as base64.");
    f("client-key", key_file, "File with its key.");
    f("client-key-data", key_data, "The same, as base64.");
    f("username", username, "Refused.");
    f("as", impersonated, "Refused.");
    f("exec", exec, "Refused.");
    f("auth-provider", auth_provider, "Refused.");
  }
};

struct KubeconfigContext {
  std::string cluster, user, default_namespace;
  void fields(auto& f) {
    f.required("cluster", cluster, "Name of a cluster.");
    f("user", user, "Name of a user.");
    f("namespace", default_namespace, "Where objects without a namespace are.");
  }
};

struct KubeconfigFile {
  struct NamedCluster {
    std::string name;
    KubeconfigCluster cluster;
    void fields(auto& f) {
      f.required("name", name, "");
      f.required("cluster", cluster, "");
    }
  };
  struct NamedUser {
    std::string name;
    KubeconfigUser user;
    void fields(auto& f) {
      f.required("name", name, "");
      f("user", user, "");
    }
  };
  struct NamedContext {
    std::string name;
    KubeconfigContext context;
    void fields(auto& f) {
      f.required("name", name, "");
      f.required("context", context, "");
    }
  };
  std::vector<NamedCluster> clusters;
  std::vector<NamedUser> users;
  std::vector<NamedContext> contexts;
  std::string current_context;
  void fields(auto& f) {
    f("clusters", clusters, "");
    f("users", users, "");
    f("contexts", contexts, "");
    f("current-context", current_context, "");
  }
};

// Reads the files that `file` names, relative to the folder of `path`. An empty `context` is the current one.
// Throws invalid naming the field, not_found.
Config config_of(const KubeconfigFile& file, const std::string& path, const std::string& context);

}  // namespace kb::kube
