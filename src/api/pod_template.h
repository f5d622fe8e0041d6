// What a resource may say about the pods that work for it: a chosen part of Kubernetes' PodTemplateSpec.
// Additive. Whoever may create our resources may not be allowed to create pods, so nothing here reaches
// beyond the namespace or the restrictions that the operator puts on every pod.
// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

struct PodMetadata {
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;

  void fields(auto& f) {
    f("labels", labels, "Labels of the pods, beside the operator's own.");
    f("annotations", annotations, "Annotations of the pods.");
  }
  void check(schema::Check& check) const;
};

struct ImagePullSecret {
  std::string name;
  void fields(auto& f) { f.required("name", name, "Secret of type kubernetes.io/dockerconfigjson."); }
};

struct PodTemplate {
  std::optional<PodMetadata> metadata;
  std::optional<schema::json::value> resources;
  std::map<std::string, std::string> node_selector;
  std::vector<schema::json::value> tolerations;
  std::optional<schema::json::value> affinity;
  std::vector<schema::json::value> topology_spread_constraints;
  std::optional<std::string> service_account_name;
  std::optional<std::string> priority_class_name;
  std::vector<ImagePullSecret> image_pull_secrets;
  std::vector<schema::json::value> host_aliases;
  std::vector<schema::json::value> env;
  std::vector<schema::json::value> env_from;
  std::vector<schema::json::value> volumes;
  std::vector<schema::json::value> volume_mounts;

  void fields(auto& f) {
    f("metadata", metadata, "Labels and annotations of the pods.");
    f("resources", resources,
      "Requests and limits of the worker's container; the operator's defaults when absent. The memory limit "
      "decides "
      "how much data is in flight.");
    placement_fields(f);
    f("env", env, "Environment variables of the worker's container.");
    f("envFrom", env_from, "ConfigMaps and Secrets whose keys become environment variables.");
    f("volumes", volumes,
      "More volumes: configMap, secret, persistentVolumeClaim, emptyDir, projected, downwardAPI, csi or "
      "ephemeral.");
    f("volumeMounts", volume_mounts, "Where the worker's container sees them.");
  }
  void check(schema::Check& check) const;

 private:
  void placement_fields(auto& f) {
    f("nodeSelector", node_selector, "Labels that a node must have.");
    f("tolerations", tolerations, "Taints of nodes that do not matter.");
    f("affinity", affinity, "Rules of placement.");
    f("topologySpreadConstraints", topology_spread_constraints, "How the pods of a run are spread.");
    f("serviceAccountName", service_account_name,
      "Service account of the pods: their identity for a cloud's storage. No token for the API server is "
      "mounted.");
    f("priorityClassName", priority_class_name, "Priority class of the pods.");
    f("imagePullSecrets", image_pull_secrets, "Secrets for the registry of the image.");
    f("hostAliases", host_aliases, "Lines of the pods' /etc/hosts.");
  }
};

}  // namespace kb::api
