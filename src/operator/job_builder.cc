#include "operator/job_builder.h"

#include <algorithm>
#include <chrono>
#include <set>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/checksum.h"
#include "operator/labels.h"
#include "operator/run_view.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

namespace json = boost::json;

// Exit codes that trying again does not help (src/base/error.h), and the one of a worker that was asked to
// stop.
json::array exit_codes_that_fail() {
  std::set<int> codes;  // the API server wants them in order
  for (const auto& kind : error_kinds())
    if (kind.kind == ErrorKind::invalid || kind.kind == ErrorKind::not_found ||
        kind.kind == ErrorKind::corrupt)
      codes.insert(kind.exit_code);
  return json::array(codes.begin(), codes.end());
}

json::object pod_failure_policy() {
  json::object evicted{
      {"action", "Ignore"},
      {"onPodConditions", json::array{json::object{{"type", "DisruptionTarget"}, {"status", "True"}}}}};
  auto on_exit = [](std::string_view action, json::array codes) {
    return json::object{
        {"action", action},
        {"onExitCodes",
         json::object{{"containerName", "worker"}, {"operator", "In"}, {"values", std::move(codes)}}}};
  };
  return {{"rules", json::array{std::move(evicted), on_exit("Ignore", {info(ErrorKind::cancelled).exit_code}),
                                on_exit("FailJob", exit_codes_that_fail())}}};
}

json::object to_json(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

json::array to_json(const std::vector<json::value>& values) {
  return json::array(values.begin(), values.end());
}

json::object default_resources() {
  return {{"requests", json::object{{"cpu", "100m"}, {"memory", "256Mi"}}},
          {"limits", json::object{{"memory", "512Mi"}}}};
}

json::object security_context() {
  return {{"allowPrivilegeEscalation", false},
          {"readOnlyRootFilesystem", true},
          {"runAsNonRoot", true},
          {"capabilities", json::object{{"drop", json::array{"ALL"}}}},
          {"seccompProfile", json::object{{"type", "RuntimeDefault"}}}};
}

json::object pod_security_context(const WorkerDefaults& defaults) {
  json::object out{{"runAsNonRoot", true}, {"seccompProfile", json::object{{"type", "RuntimeDefault"}}}};
  if (defaults.fs_group) {
    out["fsGroup"] = *defaults.fs_group;
    out["fsGroupChangePolicy"] = "OnRootMismatch";
  }
  return out;
}

json::object volume(const std::string& name, std::string_view kind, json::object source) {
  return {{"name", name}, {kind, std::move(source)}};
}

json::object mount(const std::string& name, const std::string& path, bool read_only) {
  return {{"name", name}, {"mountPath", path}, {"readOnly", read_only}};
}

// The volumes of a pod and where its container sees them.
struct Volumes {
  json::array volumes, mounts;
  void add(json::object source, json::object where) {
    volumes.push_back(std::move(source));
    mounts.push_back(std::move(where));
  }
};

Volumes make_volumes(const JobRequest& request, const api::PodTemplate& pod) {
  Volumes all;
  json::object order_file{
      {"path", "order.json"},
      {"fieldRef", json::object{{"fieldPath", fmt::format("metadata.annotations['{}']", order_annotation)}}}};
  all.add(volume("kafka-backup-order", "downwardAPI", {{"items", json::array{std::move(order_file)}}}),
          mount("kafka-backup-order", std::string(api::worker_folder) + "/order", true));
  all.add(volume("kafka-backup-tmp", "emptyDir", {}), mount("kafka-backup-tmp", "/tmp", false));
  // Writable also for restores, which pin the backup that they read. A volume that is read-only itself will
  // do.
  for (std::size_t i = 0; i < request.claims.size(); ++i) {
    auto name = fmt::format("kafka-backup-claim-{}", i);
    all.add(volume(name, "persistentVolumeClaim", {{"claimName", request.claims[i]}}),
            mount(name, fmt::format("{}/{}", api::worker_volumes_folder, request.claims[i]), false));
  }
  // Optional, so that a worker starts and says which secret is missing.
  for (std::size_t i = 0; i < request.secrets.size(); ++i) {
    auto name = fmt::format("kafka-backup-secret-{}", i);
    all.add(volume(name, "secret",
                   {{"secretName", request.secrets[i]}, {"optional", true}, {"defaultMode", 0440}}),
            mount(name, fmt::format("{}/{}", api::worker_secrets_folder, request.secrets[i]), true));
  }
  for (const auto& more : pod.volumes) all.volumes.push_back(more);
  for (const auto& more : pod.volume_mounts) all.mounts.push_back(more);
  return all;
}

json::array environment(const api::PodTemplate& pod) {
  json::array env{json::object{
      {"name", "KAFKA_BACKUP_MEMORY_LIMIT"},
      {"valueFrom", json::object{{"resourceFieldRef", json::object{{"containerName", "worker"},
                                                                   {"resource", "limits.memory"}}}}}}};
  for (const auto& more : pod.env) env.push_back(more);
  // What envFrom brings nobody has checked; what is set here wins.
  if (!pod.env_from.empty())
    for (const auto& [name, value] : {std::pair{"LD_PRELOAD", ""},
                                      {"LD_AUDIT", ""},
                                      {"LD_LIBRARY_PATH", ""},
                                      {"KRB5_CONFIG", "/etc/krb5.conf"}})
      env.push_back(json::object{{"name", name}, {"value", value}});
  return env;
}

json::object container(const api::PodTemplate& pod, const WorkerDefaults& defaults, json::array mounts) {
  auto resources = pod.resources ? *pod.resources : defaults.resources;
  if (resources.is_null()) resources = default_resources();
  json::object out{{"name", "worker"},
                   {"image", defaults.image},
                   {"imagePullPolicy", defaults.image_pull_policy},
                   {"command", json::array{"/usr/local/bin/kafka-backup"}},
                   {"args", json::array{"worker", "--order", api::worker_order_file}},
                   {"env", environment(pod)},
                   {"ports", json::array{json::object{{"name", "progress"},
                                                      {"containerPort", api::worker_progress_port}}}},
                   {"resources", std::move(resources)},
                   {"securityContext", security_context()},
                   {"terminationMessagePolicy", "File"},
                   {"volumeMounts", std::move(mounts)}};
  if (!pod.env_from.empty()) out["envFrom"] = to_json(pod.env_from);
  return out;
}

json::array pull_secrets(const api::PodTemplate& pod, const WorkerDefaults& defaults) {
  json::array names;
  for (const auto& name : defaults.image_pull_secrets) names.push_back(json::object{{"name", name}});
  for (const auto& secret : pod.image_pull_secrets) names.push_back(json::object{{"name", secret.name}});
  return names;
}

void add_placement(json::object& spec, const api::PodTemplate& pod) {
  if (!pod.node_selector.empty()) spec["nodeSelector"] = to_json(pod.node_selector);
  if (!pod.tolerations.empty()) spec["tolerations"] = to_json(pod.tolerations);
  if (pod.affinity) spec["affinity"] = *pod.affinity;
  if (!pod.topology_spread_constraints.empty())
    spec["topologySpreadConstraints"] = to_json(pod.topology_spread_constraints);
  if (!pod.host_aliases.empty()) spec["hostAliases"] = to_json(pod.host_aliases);
  if (pod.priority_class_name) spec["priorityClassName"] = *pod.priority_class_name;
}

json::object pod_spec(const JobRequest& request, const WorkerDefaults& defaults) {
  const auto pod = request.settings.pod_template.value_or(api::PodTemplate{});
  auto volumes = make_volumes(request, pod);
  json::object spec{{"restartPolicy", "Never"},
                    {"automountServiceAccountToken", false},
                    {"enableServiceLinks", false},
                    {"terminationGracePeriodSeconds", 60},
                    {"securityContext", pod_security_context(defaults)},
                    {"containers", json::array{container(pod, defaults, std::move(volumes.mounts))}},
                    {"volumes", std::move(volumes.volumes)}};
  auto account = pod.service_account_name.value_or(defaults.service_account);
  if (!account.empty()) spec["serviceAccountName"] = account;
  if (auto names = pull_secrets(pod, defaults); !names.empty()) spec["imagePullSecrets"] = std::move(names);
  add_placement(spec, pod);
  return spec;
}

json::object own_labels(const ResourceView& resource) {
  return {{managed_by_label, operator_name}, {kind_label, resource.kind}, {owner_label, resource.uid}};
}

std::string order_text(const JobRequest& request) {
  auto order = request.order;
  order.stage = request.run.finishing ? api::WorkStage::finish : api::WorkStage::run;
  order.shards = request.run.shards;
  auto text = schema::write_text(order);
  if (text.size() > api::work_order_bytes_max)
    throw Error(ErrorKind::invalid,
                fmt::format("spec has {} bytes, more than the {} that fit into a Job", text.size(),
                            api::work_order_bytes_max),
                "name topics by a pattern instead of one by one");
  return text;
}

json::object pod_metadata(const JobRequest& request) {
  const auto pod = request.settings.pod_template.value_or(api::PodTemplate{});
  const auto metadata = pod.metadata.value_or(api::PodMetadata{});
  auto labels = to_json(metadata.labels);
  for (const auto& own : own_labels(request.resource)) labels[own.key()] = own.value();
  auto annotations = to_json(metadata.annotations);
  annotations[order_annotation] = order_text(request);
  return {{"labels", std::move(labels)}, {"annotations", std::move(annotations)}};
}

// Labels that the Job controller gives a Job's pods by itself (and refuses from others).
bool is_of_job_controller(std::string_view label) {
  return label.starts_with("batch.kubernetes.io/") || label == "controller-uid" || label == job_name_label;
}

json::object job_of(const ResourceView& resource, const api::CurrentRun& run, json::object spec) {
  json::object owner{{"apiVersion", "kafka.oso.sh/v1alpha1"},
                     {"kind", resource.kind},
                     {"name", resource.key.name},
                     {"uid", resource.uid},
                     {"controller", true},
                     {"blockOwnerDeletion", true}};
  json::object annotations{{owner_name_annotation, resource.key.name},
                           {backup_id_annotation, run.backup_id},
                           {run_annotation, schema::write_text(run)}};
  return {{"apiVersion", "batch/v1"},
          {"kind", "Job"},
          {"metadata", json::object{{"name", run.finishing ? finish_job_name(run) : run.job},
                                    {"namespace", resource.key.resource_namespace},
                                    {"labels", own_labels(resource)},
                                    {"annotations", std::move(annotations)},
                                    {"ownerReferences", json::array{std::move(owner)}}}},
          {"spec", std::move(spec)}};
}

std::string shortened(const std::string& name) {
  constexpr std::size_t length_max = 24;
  auto text = name.substr(0, length_max);
  std::ranges::replace(text, '.', '-');
  while (text.ends_with('-')) text.pop_back();
  return text;
}

}  // namespace

std::string job_name(const ResourceView& resource, std::chrono::sys_seconds time) {
  return fmt::format("{}-{}-{}-{:%Y%m%d%H%M%S}", resource.kind == "KafkaRestore" ? "kr" : "kb",
                     shortened(resource.key.name), sha256_hex(resource.uid).substr(0, 8),
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

json::object build_job(const JobRequest& request, const WorkerDefaults& defaults) {
  const auto& settings = request.settings;
  const bool indexed = request.run.shards > 1 && !request.run.finishing;
  // Of all pods of the Job together: an outage takes one try of each.
  const auto backoff = settings.backoff_limit.value_or(request.backoff_limit) *
                       static_cast<std::uint32_t>(indexed ? request.run.shards : 1);
  json::object spec{
      {"backoffLimit", backoff},
      {"podFailurePolicy", pod_failure_policy()},
      {"template", json::object{{"metadata", pod_metadata(request)}, {"spec", pod_spec(request, defaults)}}}};
  if (indexed) {
    spec["completionMode"] = "Indexed";
    spec["completions"] = spec["parallelism"] = request.run.shards;
  }
  if (settings.active_deadline_seconds) spec["activeDeadlineSeconds"] = *settings.active_deadline_seconds;
  return job_of(request.resource, request.run, std::move(spec));
}

json::object build_finish_job(const ResourceView& resource, const api::CurrentRun& run,
                              const json::value& first_job) {
  constexpr std::uint32_t backoff_limit = 3;  // it is quick, and harmless to repeat
  const auto* pod = kube::find(first_job, "spec.template");
  if (!pod || !pod->is_object()) fail(ErrorKind::invalid, "Job {} has no pod template", run.job);
  auto labels = texts_at(*pod, "metadata.labels");
  std::erase_if(labels, [](const auto& label) { return is_of_job_controller(label.first); });
  auto annotations = texts_at(*pod, "metadata.annotations");
  auto& order_text = annotations[std::string(order_annotation)];
  auto order = schema::read_text<api::WorkOrder>(order_text, "the order of Job " + run.job);
  order.stage = api::WorkStage::finish;
  order_text = schema::write_text(order);
  const auto* pod_spec = kube::find(*pod, "spec");
  json::object spec{
      {"backoffLimit", backoff_limit},
      {"podFailurePolicy", pod_failure_policy()},
      {"template", json::object{{"metadata", json::object{{"labels", to_json(labels)},
                                                          {"annotations", to_json(annotations)}}},
                                {"spec", pod_spec ? *pod_spec : json::value(json::object())}}}};
  return job_of(resource, run, std::move(spec));
}

json::object recorded_patch(const api::JobSettings& settings) {
  return {{"metadata", json::object{{"annotations", json::object{{recorded_annotation, "true"}}}}},
          {"spec", json::object{{"ttlSecondsAfterFinished", settings.ttl_seconds_after_finished}}}};
}

json::object build_claim(const ResourceView& resource, const api::PvcStorage& pvc) {
  const auto create = pvc.create.value_or(api::PvcCreate{});
  json::array modes(create.access_modes.begin(), create.access_modes.end());
  json::object spec{{"accessModes", std::move(modes)},
                    {"resources", json::object{{"requests", json::object{{"storage", create.size}}}}}};
  if (create.storage_class_name) spec["storageClassName"] = *create.storage_class_name;
  // No owner reference: the data outlives the resource.
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", json::object{{"name", pvc.claim_name},
                                    {"namespace", resource.key.resource_namespace},
                                    {"labels", json::object{{managed_by_label, operator_name}}}}},
          {"spec", std::move(spec)}};
}

}  // namespace kb::op
