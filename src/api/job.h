// What the operator and a worker tell each other. Operator to worker: a WorkOrder, JSON in an annotation of
// the pod, which the pod sees as a file (downward API). Worker to operator: WorkProgress over HTTP while it
// works, and at the end a WorkReport as the container's termination message (at most 4,096 bytes,
// https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/).
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/storage.h"
#include "schema/field.h"

namespace kb::api {

// Where a worker finds what; the operator mounts it there.
inline constexpr std::string_view worker_folder =
    "/etc/kafka-backup";  // order/order.json, secrets/<secret>/<key>
inline constexpr std::string_view worker_order_file = "/etc/kafka-backup/order/order.json";
inline constexpr std::string_view worker_secrets_folder = "/etc/kafka-backup/secrets";
inline constexpr std::string_view worker_volumes_folder = "/volumes";  // <claim>/...
inline constexpr std::string_view reserved_volume_prefix = "kafka-backup-";
inline constexpr std::string_view reserved_env_prefix = "KAFKA_BACKUP_";
inline constexpr int worker_progress_port = 9099;  // spec.metrics.port is 9090 by default

// An order must fit into the annotations of a pod, which may have 256 KiB together.
inline constexpr std::size_t work_order_bytes_max = 200 * 1024;
inline constexpr std::size_t work_report_bytes_max = 3 * 1024;
inline constexpr std::size_t work_progress_bytes_max = 512 * 1024;
inline constexpr std::size_t lagging_partitions_max = 1000;  // in a progress

enum class WorkStage {
  run,    // all of the work, or with several workers a shard of it
  finish  // after the shards: commit or finish, prune, report. Harmless when it is done already
};
constexpr auto enum_names(WorkStage) {
  return std::array<std::string_view, 2>{"run", "finish"};
}

struct WorkOrder {
  std::string kind;
  std::string resource_namespace, name;
  std::string cluster_uid;
  WorkStage stage = WorkStage::run;
  std::int32_t shards = 1;
  std::string backup_id;
  std::string backup_namespace, backup_name;
  std::optional<Storage> backup_storage;
  std::string adopt_archive;
  std::vector<std::string> kept_backup_ids;
  schema::json::value spec;

  void fields(auto& f) {
    f.required("kind", kind, "KafkaBackup or KafkaRestore.");
    f.required("namespace", resource_namespace, "Namespace of the resource.");
    f.required("name", name, "Its name.");
    f("clusterUid", cluster_uid, "UID of the namespace kube-system.");
    f("stage", stage, "Which part of the work.");
    f("shards", shards, "Number of shards; which one a pod does, its JOB_COMPLETION_INDEX says.");
    f("backupId", backup_id, "Backup: the run. Restore: the backup to restore; empty for the newest.");
    f("backupNamespace", backup_namespace, "Restore: namespace of the KafkaBackup whose archive is read.");
    f("backupName", backup_name, "Restore: its name.");
    f("backupStorage", backup_storage, "Restore: where it is; that of backupRef.storage when absent.");
    f("adoptArchive", adopt_archive, "Backup: id of an archive that may be taken over from another owner.");
    f("keptBackupIds", kept_backup_ids, "Backup: what retention must leave, because it is being restored.");
    f.required("spec", spec, "The resource's spec as it stands there.");
  }
};

struct WorkError {
  std::string kind, message, hint;
  void fields(auto& f) {
    f("kind", kind, "A word of docs/reference/errors.md.");
    f("message", message, "What went wrong.");
    f("hint", hint, "What to do about it.");
  }
};

// What the archive holds after the run. The backupId of a point is the name of the KafkaBackup and its time.
struct ReportedPoints {
  std::uint64_t count = 0, bytes = 0;
  std::vector<std::int64_t> newest;  // Unix seconds, newest first, at most restore_points_max
  std::int64_t oldest = 0;           // Unix seconds
  std::int64_t captured = 0;         // Unix seconds
  void fields(auto& f) {
    f("count", count, "Complete backups of the archive.");
    f("bytes", bytes, "Bytes of its segments.");
    f("newest", newest, "The newest, newest first, Unix seconds.");
    f("oldest", oldest, "The oldest, Unix seconds.");
    f("captured", captured, "The newest has all that there was then, Unix seconds; 0: of no time yet.");
  }
};
inline constexpr std::size_t restore_points_max = 30;

struct ReportedRetention {
  std::uint64_t inspected = 0, eligible = 0, deleted = 0, reclaimed_bytes = 0;
  bool dry_run = false;
  std::string error;
  void fields(auto& f) {
    f("inspected", inspected, "Backups looked at.");
    f("eligible", eligible, "Backups that may go.");
    f("deleted", deleted, "Backups deleted.");
    f("reclaimedBytes", reclaimed_bytes, "Bytes freed; in a dry run, to be freed.");
    f("dryRun", dry_run, "Whether it only counted.");
    f("error", error, "Why it failed.");
  }
};

enum class WorkOutcome {
  committed,         // backup: the set exists
  committed_before,  // backup: it existed already
  shard_done,        // the shard's part is stored, or written; nothing is finished yet
  restored,          // restore: everything is at the target
  planned,           // restore, dry run: it would work
  failed,            // see error; what was done stays and can be resumed
  stopped            // asked to stop; can be resumed
};
constexpr auto enum_names(WorkOutcome) {
  return std::array<std::string_view, 7>{"committed", "committedBefore", "shardDone", "restored",
                                         "planned",   "failed",          "stopped"};
}

struct WorkReport {
  WorkOutcome outcome = WorkOutcome::failed;
  std::string backup_id;
  std::uint64_t records = 0, bytes = 0, segments = 0, partitions = 0, lost_offsets = 0;
  std::uint64_t topics = 0, retention_held = 0;
  double seconds = 0;
  std::optional<WorkError> error;
  std::vector<std::string> warnings;
  std::optional<ReportedPoints> points;
  std::optional<ReportedRetention> retention;

  void fields(auto& f) {
    f.required("outcome", outcome, "How it ended.");
    f("backupId", backup_id, "The backup made or restored.");
    f("records", records, "Records stored or written by the run.");
    f("bytes", bytes, "Backup: bytes stored. Restore: bytes of the batches written.");
    f("segments", segments, "Segments written or read.");
    f("partitions", partitions, "Partitions of the backup or restore.");
    f("topics", topics, "Its topics.");
    f("retentionHeld", retention_held,
      "Restored topics whose own retention was not set, because it would delete.");
    f("lostOffsets", lost_offsets, "Offsets that retention deleted before they were read.");
    f("seconds", seconds, "How long this worker worked.");
    f("error", error, "What went wrong.");
    f("warnings", warnings, "What somebody should look at.");
    f("points", points, "What can be restored.");
    f("retention", retention, "What retention did.");
  }
};

struct PartitionLag {
  std::string topic;
  std::int32_t partition = 0;
  std::uint64_t records = 0;

  void fields(auto& f) {
    f.required("topic", topic, "The topic.");
    f.required("partition", partition, "The partition.");
    f.required("records", records, "Offsets that are not read yet.");
  }
};

// A broker, or the storage, whose circuit breaker is not closed.
struct LeftAlonePeer {
  std::string peer, failure;

  void fields(auto& f) {
    f.required("peer", peer, "host:port of a broker, or where the storage is.");
    f("failure", failure, "What failed last.");
  }
};

struct WorkProgress {
  std::string phase, topic;
  std::uint64_t partitions_done = 0, partitions_total = 0, records_done = 0, records_total = 0,
                bytes_done = 0, bytes_total = 0, checkpoints = 0;
  double seconds = 0;
  std::int64_t checkpoint_s = 0;
  std::vector<LeftAlonePeer> left_alone;
  std::uint64_t held_back_offsets = 0, hanging_transactions = 0;  // of a backup
  // of a continuous backup
  std::optional<ReportedPoints> points;
  std::uint64_t lost_offsets = 0, lag_records = 0;
  std::vector<PartitionLag> lagging;
  std::optional<ReportedRetention> retention;
  std::int64_t retention_s = 0;

  void fields(auto& f) {
    f("phase", phase, "What is being done.");
    f("topic", topic, "Restore: a topic that is being written.");
    f("partitionsDone", partitions_done, "Partitions that are finished.");
    f("partitionsTotal", partitions_total, "Partitions of this worker.");
    f("recordsDone", records_done, "Records, or offsets, that are done.");
    f("recordsTotal", records_total, "Of how many.");
    f("bytesDone", bytes_done, "Bytes of batches that are done.");
    f("bytesTotal", bytes_total, "Of how many; 0 when not known.");
    f("checkpoints", checkpoints, "Checkpoints written.");
    f("seconds", seconds, "How long this worker has been working.");
    f("checkpointTime", checkpoint_s, "When the last checkpoint was written, Unix seconds; 0 for none.");
    f("leftAlone", left_alone, "Brokers and storages whose circuit breaker is not closed.");
    f("heldBackOffsets", held_back_offsets, "Backup: offsets behind open transactions, not captured.");
    f("hangingTransactions", hanging_transactions,
      "Backup: partitions whose open transaction nobody seems to be going to end.");
    f("points", points, "Continuous backup: what can be restored.");
    f("lostOffsets", lost_offsets,
      "Continuous backup: offsets that retention deleted before this worker read them.");
    f("lagRecords", lag_records, "Continuous backup: offsets that are not read yet.");
    f("lagging", lagging, "Continuous backup: the partitions that lag most, those first.");
    f("retention", retention, "Continuous backup: what retention did last.");
    f("retentionTime", retention_s, "When, Unix seconds.");
  }
};

// The report as a termination message: what is too long is cut, newest points and warnings first, so that the
// outcome is always there. Pure.
std::string to_termination_message(WorkReport report);

}  // namespace kb::api
