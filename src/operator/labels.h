// Names by which the operator knows its own objects, and the annotations that people may set on a resource.
#pragma once
#include <string_view>

namespace kb::op {

inline constexpr std::string_view operator_name = "kafka-backup-operator";

// Of Jobs and their pods.
inline constexpr std::string_view managed_by_label = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kind_label = "kafka.oso.sh/kind";
inline constexpr std::string_view owner_label = "kafka.oso.sh/owner-uid";
inline constexpr std::string_view job_name_label = "job-name";  // of pods, by the Job controller
inline constexpr std::string_view owner_name_annotation = "kafka.oso.sh/owner-name";
inline constexpr std::string_view backup_id_annotation = "kafka.oso.sh/backup-id";
inline constexpr std::string_view run_annotation = "kafka.oso.sh/run";  // a CurrentRun as JSON
inline constexpr std::string_view order_annotation = "kafka.oso.sh/order";
inline constexpr std::string_view recorded_annotation =
    "kafka.oso.sh/recorded";  // its outcome is in the status

// Of our resources.
inline constexpr std::string_view run_now_annotation =
    "kafka.oso.sh/run-now";  // a token; each starts one run
inline constexpr std::string_view pause_annotation = "kafka.oso.sh/pause-reconciliation";  // "true"
inline constexpr std::string_view strimzi_pause_annotation = "strimzi.io/pause-reconciliation";
inline constexpr std::string_view adopt_annotation = "kafka.oso.sh/adopt-archive";  // id of an archive
// Of a KafkaBackup: namespaces, separated by commas, whose KafkaRestores may name it.
inline constexpr std::string_view grant_annotation = "kafka.oso.sh/allow-restore-from-namespaces";

}  // namespace kb::op
