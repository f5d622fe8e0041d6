#include "operator/job_builder.h"

#include "operator/labels.h"
#include "operator/run_view.h"
#include "operator/sample_views.h"

#include <doctest/doctest.h>

namespace kb::op {
namespace {

namespace json = boost::json;

struct Request {
  ResourceView resource = sample::resource("KafkaBackup", sample::backup_spec());
  api::CurrentRun run{.backup_id = "nightly-20250601-000000", .job = "kb-nightly-1"};
  api::JobSettings settings;
  api::WorkOrder order{.kind = "KafkaBackup", .resource_namespace = "kafka", .name = "nightly"};
  std::vector<std::string> claims, secrets;
  WorkerDefaults defaults{.image = "worker:1"};

  json::value build() const {
    return build_job({.resource = resource,
                      .run = run,
                      .settings = settings,
                      .order = order,
                      .backoff_limit = 3,
                      .claims = claims,
                      .secrets = secrets},
                     defaults);
  }
  json::value pod() const { return build().at("spec").at("template").at("spec"); }
  json::value worker() const { return pod().at("containers").at(0); }
  void pod_template(std::string_view text) {
    settings.pod_template = schema::read<api::PodTemplate>(json::parse(text), "spec.podTemplate");
  }
};

json::value named(const json::value& list, std::string_view name) {
  for (const auto& item : list.as_array())
    if (item.at("name").as_string() == name) return item;
  return nullptr;
}

TEST_CASE("pods keep to the restricted pod security standard and have no token") {
  const auto pod = Request().pod();
  CHECK(pod.at("automountServiceAccountToken") == false);
  CHECK(pod.at("securityContext").at("runAsNonRoot") == true);
  CHECK(pod.at("securityContext").at("seccompProfile").at("type") == "RuntimeDefault");
  CHECK(pod.at("restartPolicy") == "Never");
  CHECK(pod.at("containers").as_array().size() == 1);
  const auto security = Request().worker().at("securityContext");
  CHECK(security.at("allowPrivilegeEscalation") == false);
  CHECK(security.at("readOnlyRootFilesystem") == true);
  CHECK(security.at("runAsNonRoot") == true);
  CHECK(security.at("capabilities") == json::parse(R"({"drop":["ALL"]})"));
  CHECK(security.at("seccompProfile").at("type") == "RuntimeDefault");
  for (auto* name : {"hostNetwork", "hostPID", "hostIPC", "initContainers"})
    CHECK(!pod.as_object().contains(name));
  for (const auto& volume : pod.at("volumes").as_array()) CHECK(!volume.as_object().contains("hostPath"));
}

TEST_CASE("a Job belongs to its resource and says which run it is") {
  Request request;
  const auto job = request.build();
  const auto owner = job.at("metadata").at("ownerReferences").at(0);
  CHECK(owner.at("uid") == "uid-1");
  CHECK(owner.at("controller") == true);
  CHECK(job.at("metadata").at("namespace") == "kafka");
  CHECK(job.at("metadata").at("labels").at(owner_label) == "uid-1");
  const auto view = read_job(job);
  CHECK(view.run == request.run);
  CHECK(view.owner_uid == "uid-1");
  CHECK(!job.at("spec").as_object().contains("ttlSecondsAfterFinished"));  // not before it is recorded
}

TEST_CASE("the order reaches the pod with its stage and shards") {
  Request request;
  request.run.shards = 3;
  auto order_of = [&] {
    const auto text =
        request.build().at("spec").at("template").at("metadata").at("annotations").at(order_annotation);
    return schema::read_text<api::WorkOrder>(std::string(text.as_string()), "order");
  };
  request.order.spec = request.resource.spec;
  CHECK(order_of().stage == api::WorkStage::run);
  CHECK(order_of().shards == 3);
  request.run.finishing = true;
  CHECK(order_of().stage == api::WorkStage::finish);
  const auto mounts = request.worker().at("volumeMounts");
  CHECK(named(mounts, "kafka-backup-order").at("mountPath") == "/etc/kafka-backup/order");
}

TEST_CASE("only shards of a run that has several are indexed") {
  Request request;
  CHECK(!request.build().at("spec").as_object().contains("completionMode"));
  request.run.shards = 5;
  const auto spec = request.build().at("spec");
  CHECK(spec.at("completionMode") == "Indexed");
  CHECK(spec.at("completions") == 5);
  CHECK(spec.at("parallelism") == 5);
  request.run.finishing = true;
  CHECK(!request.build().at("spec").as_object().contains("completionMode"));
  CHECK(request.build().at("metadata").at("name") == "kb-nightly-1-f");
}

TEST_CASE("limits of a Job are those of the spec, else the kind's") {
  Request request;
  CHECK(request.build().at("spec").at("backoffLimit") == 3);
  CHECK(!request.build().at("spec").as_object().contains("activeDeadlineSeconds"));
  request.settings.backoff_limit = 0;
  request.settings.active_deadline_seconds = 60;
  CHECK(request.build().at("spec").at("backoffLimit") == 0);
  CHECK(request.build().at("spec").at("activeDeadlineSeconds") == 60);
}

TEST_CASE("what trying again does not help fails the Job, and a pod that was evicted is not counted") {
  const auto rules = Request().build().at("spec").at("podFailurePolicy").at("rules").as_array();
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].at("action") == "Ignore");
  CHECK(rules[0].at("onPodConditions").at(0).at("type") == "DisruptionTarget");
  CHECK(rules[2].at("action") == "FailJob");
  for (const auto& code : rules[2].at("onExitCodes").at("values").as_array()) CHECK(code != 0);
}

TEST_CASE("claims can be written, secrets are optional and for reading") {
  Request request;
  request.claims = {"archive"};
  request.secrets = {"kafka-tls", "s3.keys"};
  const auto volumes = request.pod().at("volumes"), mounts = request.worker().at("volumeMounts");
  CHECK(named(volumes, "kafka-backup-claim-0").at("persistentVolumeClaim").at("claimName") == "archive");
  CHECK(named(mounts, "kafka-backup-claim-0").at("mountPath") == "/volumes/archive");
  CHECK(named(mounts, "kafka-backup-claim-0").at("readOnly") == false);
  const auto secret = named(volumes, "kafka-backup-secret-1").at("secret");
  CHECK(secret.at("secretName") == "s3.keys");
  CHECK(secret.at("optional") == true);
  CHECK(named(mounts, "kafka-backup-secret-1").at("mountPath") == "/etc/kafka-backup/secrets/s3.keys");
  CHECK(named(mounts, "kafka-backup-secret-1").at("readOnly") == true);
  CHECK(named(mounts, "kafka-backup-tmp").at("mountPath") == "/tmp");
}

TEST_CASE("every part of podTemplate lands in the pod, and none of it replaces what is ours") {
  Request request;
  request.pod_template(R"({
    "metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}},
    "resources":{"limits":{"memory":"2Gi"}},
    "nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"t"}],"affinity":{"nodeAffinity":{}},
    "topologySpreadConstraints":[{"maxSkew":1}],"serviceAccountName":"backup","priorityClassName":"low",
    "imagePullSecrets":[{"name":"registry"}],"hostAliases":[{"ip":"10.0.0.1","hostnames":["kafka"]}],
    "env":[{"name":"AWS_REGION","value":"x"}],"envFrom":[{"configMapRef":{"name":"c"}}],
    "volumes":[{"name":"more","emptyDir":{}}],"volumeMounts":[{"name":"more","mountPath":"/more"}]})");
  request.defaults.image_pull_secrets = {"default-registry"};
  const auto pod = request.pod(), worker = request.worker();
  const auto metadata = request.build().at("spec").at("template").at("metadata");
  CHECK(metadata.at("labels").at("team") == "a");
  CHECK(metadata.at("labels").at(owner_label) == "uid-1");
  CHECK(metadata.at("annotations").at("note") == "b");
  CHECK(metadata.at("annotations").as_object().contains(order_annotation));
  CHECK(worker.at("resources").at("limits").at("memory") == "2Gi");
  CHECK(pod.at("nodeSelector").at("disk") == "ssd");
  CHECK(pod.at("tolerations").as_array().size() == 1);
  CHECK(pod.at("affinity").as_object().contains("nodeAffinity"));
  CHECK(pod.at("topologySpreadConstraints").at(0).at("maxSkew") == 1);
  CHECK(pod.at("serviceAccountName") == "backup");
  CHECK(pod.at("priorityClassName") == "low");
  CHECK(pod.at("imagePullSecrets") == json::parse(R"([{"name":"default-registry"},{"name":"registry"}])"));
  CHECK(pod.at("hostAliases").at(0).at("ip") == "10.0.0.1");
  CHECK(named(worker.at("env"), "AWS_REGION").at("value") == "x");
  CHECK(named(worker.at("env"), "KAFKA_BACKUP_MEMORY_LIMIT").is_object());
  CHECK(worker.at("envFrom").as_array().size() == 1);
  CHECK(named(pod.at("volumes"), "more").is_object());
  CHECK(named(worker.at("volumeMounts"), "more").at("mountPath") == "/more");
}

TEST_CASE("what the operator was told of workers holds where the resource says nothing") {
  Request request;
  CHECK(request.worker().at("image") == "worker:1");
  CHECK(request.worker().at("resources").at("limits").at("memory") == "512Mi");
  CHECK(!request.pod().as_object().contains("serviceAccountName"));
  request.defaults.resources = json::parse(R"({"limits":{"memory":"1Gi"}})");
  request.defaults.service_account = "worker";
  CHECK(request.worker().at("resources").at("limits").at("memory") == "1Gi");
  CHECK(request.pod().at("serviceAccountName") == "worker");
}

TEST_CASE("an order that does not fit is refused with what to do") {
  Request request;
  request.order.spec = json::value(std::string(api::work_order_bytes_max, 'x'));
  try {
    request.build();
    FAIL("it was accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid);
    CHECK(std::string(error.what()).find("more than the 204800 that fit into a Job") != std::string::npos);
    CHECK(error.hint() == "name topics by a pattern instead of one by one");
  }
}

TEST_CASE("names fit into 63 characters with every index, and differ for resources that begin alike") {
  auto resource = sample::resource("KafkaBackup", "{}");
  const std::chrono::sys_seconds time(std::chrono::seconds(1748736000));
  CHECK(job_name(resource, time) ==
        "kb-nightly-" + job_name(resource, time).substr(11, 8) + "-20250601000000");
  for (const std::string& name :
       {std::string(253, 'a'), std::string("orders.eu-west.prod.--.x-and-more"), std::string("a")}) {
    resource.key.name = name;
    resource.uid = "1";
    const auto first = job_name(resource, time);
    CHECK((first + "-f-255-abcde").size() <= 63);
    CHECK(first.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
    resource.uid = "2";
    CHECK(job_name(resource, time) != first);
    CHECK(job_name(resource, time + std::chrono::seconds(1)) > job_name(resource, time));
  }
}

TEST_CASE("the claim outlives its resource") {
  const auto pvc = schema::read<api::PvcStorage>(
      json::parse(
          R"({"claimName":"archive","create":{"enabled":true,"size":"7Gi","storageClassName":"fast"}})"),
      "pvc");
  const json::value claim = build_claim(sample::resource("KafkaBackup", "{}"), pvc);
  CHECK(!claim.at("metadata").as_object().contains("ownerReferences"));
  CHECK(claim.at("metadata").at("name") == "archive");
  CHECK(claim.at("spec").at("resources").at("requests").at("storage") == "7Gi");
  CHECK(claim.at("spec").at("storageClassName") == "fast");
}

}  // namespace
}  // namespace kb::op
