// Test support: the API server that $KUBECONFIG names, started by tests/e2e/kube_client.sh.
#pragma once
#include <cstdlib>
#include <random>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "kube/api.h"
#include "kube/config.h"
#include "server_test_support.h"

namespace kb::kube {

inline constexpr ResourceType config_maps{"", "v1", "configmaps"};

inline Config test_config() {
  return read_kubeconfig(environment("KUBECONFIG"));
}

// Runs what $NAME says in a shell.
inline void run_command(const char* name) {
  if (std::system(environment(name).c_str()) != 0) fail(ErrorKind::unavailable, "${} failed", name);
}

inline void wait_until(const std::function<bool()>& condition) {
  for (auto ctx = soon(); !condition();) ctx.sleep_for(std::chrono::milliseconds(10));
}

// A namespace of this test's own.
struct TestNamespace {
  std::unique_ptr<Api> api = connect(test_config());
  std::string name = fmt::format("test-{}", std::random_device{}());

  TestNamespace() {
    create(soon(), *api, path_of(namespaces, ""),
           {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}});
  }
  std::string path(std::string_view object = {}, const ResourceType& type = config_maps) const {
    return path_of(type, name, object);
  }
  json::value config_map(const std::string& object, const std::string& text,
                         const std::string& owner = "") const {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", object}, {"namespace", name}, {"labels", {{"owner", owner}}}}},
            {"data", {{"text", text}}}};
  }
  std::optional<json::value> add(const std::string& object, const std::string& text = "x",
                                 const std::string& owner = "") {
    return create(soon(), *api, path(), config_map(object, text, owner));
  }
};

}  // namespace kb::kube
