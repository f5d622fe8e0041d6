#include "api/job.h"

#include "api/resource.h"
#include "schema/schema.h"

#include <doctest/doctest.h>

namespace kb::api {
namespace {

WorkReport long_report() {
  WorkReport report{.outcome = WorkOutcome::failed, .backup_id = std::string(300, 'b')};
  report.error =
      WorkError{.kind = "unavailable", .message = std::string(5000, 'm'), .hint = std::string(5000, 'h')};
  for (int i = 0; i < 50; ++i) report.warnings.push_back(std::string(1000, 'w'));
  report.points.emplace();
  for (std::size_t i = 0; i < restore_points_max; ++i) report.points->newest.push_back(1'700'000'000);
  report.retention = ReportedRetention{.error = std::string(5000, 'r')};
  return report;
}

TEST_CASE("a report fits into a termination message whatever it holds, and says how it ended") {
  auto text = to_termination_message(long_report());
  CHECK(text.size() <= work_report_bytes_max);
  auto read = schema::read_text<WorkReport>(text, "report");
  CHECK(read.outcome == WorkOutcome::failed);
  CHECK(read.error->kind == "unavailable");
  CHECK(read.error->message.ends_with("m..."));
}

TEST_CASE("thirty restore points of a good run fit beside everything else") {
  WorkReport report{.outcome = WorkOutcome::committed,
                    .backup_id = std::string(253, 'n') + "-20251210-020000"};
  report.points = ReportedPoints{.count = 1'000'000, .bytes = ~0ULL, .newest = {}, .oldest = 1'700'000'000};
  for (std::size_t i = 0; i < restore_points_max; ++i) report.points->newest.push_back(1'700'000'000);
  report.retention.emplace();
  auto read = schema::read_text<WorkReport>(to_termination_message(report), "report");
  CHECK(read.points->newest.size() == restore_points_max);
}

TEST_CASE("a text is not cut in the middle of a character") {
  WorkReport report;
  report.error = WorkError{.message = "x"};
  for (int i = 0; i < 1000; ++i) report.error->message += "ä";
  auto message = schema::read_text<WorkReport>(to_termination_message(report), "report").error->message;
  CHECK(message.size() % 2 == 0);  // x, pairs of bytes, three dots
}

// The problems of a KafkaBackup with this podTemplate.
std::string problems_of(const std::string& pod_template) {
  auto yaml = R"({"apiVersion":"kafka.oso.sh/v1alpha1","kind":"KafkaBackup","metadata":{"name":"b"},"spec":{
    "kafkaCluster":{"bootstrapServers":["k:9092"]},"topics":["a"],
    "storage":{"pvc":{"claimName":"c"}},"podTemplate":)" +
              pod_template + "}}";
  try {
    parse_resources(yaml, "file");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_CASE("a pod template stays inside its namespace and leaves the operator's own alone") {
  CHECK(problems_of(R"({"metadata":{"labels":{"team":"a"}},"resources":{"limits":{"memory":"1Gi"}},
    "nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"k","operator":"Exists"}],
    "affinity":{"nodeAffinity":{}},
    "serviceAccountName":"backup","priorityClassName":"low","imagePullSecrets":[{"name":"registry"}],
    "env":[{"name":"AWS_REGION","value":"eu-west-1"}],"volumes":[{"name":"v","configMap":{"name":"c"}}],
    "volumeMounts":[{"name":"v","mountPath":"/etc/other"}]})") == "");
  CHECK(problems_of(R"({"volumes":[{"name":"v","projected":{"sources":[{"secret":{"name":"s"}},
    {"serviceAccountToken":{"audience":"sts.amazonaws.com","path":"token"}}]}}],
    "volumeMounts":[{"name":"v","mountPath":"/var/run/secrets/eks.amazonaws.com/serviceaccount/"}]})") == "");
  CHECK(problems_of(R"({"volumes":[{"name":"v","projected":{"sources":[
    {"serviceAccountToken":{"audience":"kafka.example.com","path":"token"}}]}}],
    "volumeMounts":[{"name":"v","mountPath":"/var/run/secrets/kafka"}]})") == "");
  for (const auto& wrong : {
           std::pair{R"({"volumes":[{"name":"v","hostPath":{"path":"/"}}]})", "spec.podTemplate.volumes[0]"},
           {R"({"volumes":[{"name":"v","nfs":{"server":"x","path":"/"}}]})", "spec.podTemplate.volumes[0]"},
           {R"({"volumes":[{"name":"kafka-backup-order","emptyDir":{}}]})", "spec.podTemplate.volumes[0]"},
           {R"({"volumes":[{"emptyDir":{}}]})", "spec.podTemplate.volumes[0]"},
           {R"({"volumeMounts":[{"name":"v","mountPath":"/volumes/other"}]})",
            "spec.podTemplate.volumeMounts[0]"},
           {R"({"volumeMounts":[{"name":"v","mountPath":"/etc/kafka-backup"}]})",
            "spec.podTemplate.volumeMounts[0]"},
           {R"({"volumeMounts":[{"name":"v","mountPath":"/x/../volumes"}]})",
            "spec.podTemplate.volumeMounts[0]"},
           {R"({"volumeMounts":[{"name":"v","mountPath":"/x","mountPropagation":"Bidirectional"}]})",
            "spec.podTemplate.volumeMounts[0]"},
           {R"({"env":[{"name":"KAFKA_BACKUP_MEMORY_LIMIT","value":"1"}]})", "spec.podTemplate.env[0]"},
           {R"({"metadata":{"labels":{"kafka.oso.sh/kind":"x"}}})", "spec.podTemplate.metadata.labels"},
           {R"({"metadata":{"annotations":{"kafka.oso.sh/order":"x"}}})",
            "spec.podTemplate.metadata.annotations"},
           {R"({"serviceAccountName":"../x"})", "spec.podTemplate.serviceAccountName"},
           {R"({"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}]})",
            "spec.podTemplate.volumes[0]"},
           {R"({"volumes":[{"name":"v","projected":{"sources":[
              {"serviceAccountToken":{"path":"t","audience":"https://kubernetes.default.svc"}}]}}]})",
            "spec.podTemplate.volumes[0]"},
           {R"({"volumes":[{"name":"v","projected":{"sources":[{"podCertificate":{}}]}}]})",
            "spec.podTemplate.volumes[0]"},
           {R"({"volumeMounts":[{"name":"kafka-backup-claim-0","mountPath":"/x"}]})",
            "spec.podTemplate.volumeMounts[0]"},
           {R"({"env":[{"name":"LD_PRELOAD","value":"/x.so"}]})", "spec.podTemplate.env[0]"},
           {R"({"env":[{"name":"JOB_COMPLETION_INDEX","value":"0"}]})", "spec.podTemplate.env[0]"},
           {R"({"env":[{"name":"KRB5_CONFIG","value":"/x"}]})", "spec.podTemplate.env[0]"},
           {R"({"env":[{"name":"GSS_MECH_CONFIG","value":"/x"}]})", "spec.podTemplate.env[0]"},
           {R"({"env":[{"name":"SASL_PATH","value":"/x"}]})", "spec.podTemplate.env[0]"},
           {R"({"volumeMounts":[{"name":"v","mountPath":"/etc/krb5.conf"}]})",
            "spec.podTemplate.volumeMounts[0]"},
           {R"({"volumeMounts":[{"name":"v","mountPath":"/etc/gss/mech.d"}]})",
            "spec.podTemplate.volumeMounts[0]"},
           {R"({"metadata":{"annotations":{
              "container.apparmor.security.beta.kubernetes.io/worker":"unconfined"}}})",
            "spec.podTemplate.metadata.annotations"},
           {R"({"metadata":{"annotations":{"cdi.k8s.io/gpu":"vendor.com/device=all"}}})",
            "spec.podTemplate.metadata.annotations"},
           {R"({"priorityClassName":"system-node-critical"})", "spec.podTemplate.priorityClassName"},
           {R"({"hostNetwork":true})", "spec.podTemplate.hostNetwork"},
       }) {
    const std::string given = wrong.first;
    CAPTURE(given);
    auto problems = problems_of(given);
    CHECK_MESSAGE(problems.find(wrong.second) != std::string::npos, problems);
  }
}

TEST_CASE("however a path is spelled, nothing is mounted over what the worker relies on") {
  for (const auto* path : {"//volumes",
                           "/volumes/",
                           "/./volumes/c",
                           "/volumes//c",
                           "/etc/./kafka-backup",
                           "//etc/kafka-backup/order",
                           "/etc/kafka-backup/",
                           "/etc",
                           "/etc/",
                           "/",
                           "//",
                           "/.",
                           "/tmp",
                           "/proc",
                           "/proc/self",
                           "/usr/local/bin",
                           "/lib/x86_64-linux-gnu",
                           "/etc/ld.so.preload",
                           "/x/..",
                           "relative",
                           ""}) {
    CAPTURE(path);
    auto problems = problems_of(fmt::format(R"({{"volumeMounts":[{{"name":"v","mountPath":"{}"}}]}})", path));
    CHECK_MESSAGE(problems.find("spec.podTemplate.volumeMounts[0] must") != std::string::npos, problems);
  }
  for (const auto* path : {"/data", "/etc/ssl/certs/", "/volumes2", "/tmpfs", "/var/run/secrets/x"})
    CHECK(problems_of(fmt::format(R"({{"volumeMounts":[{{"name":"v","mountPath":"{}"}}]}})", path)) == "");
}

}  // namespace
}  // namespace kb::api
