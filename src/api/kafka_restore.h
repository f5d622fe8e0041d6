// KafkaRestore: which backup goes where. Source: the CRD of kafka.oso.sh/v1alpha1; additive fields are
// marked. Defaults are the member initialisers.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/job_settings.h"
#include "api/kafka_cluster.h"
#include "api/load_limits.h"
#include "api/storage.h"
#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

// Which backup: by the name of a KafkaBackup, or by the storage it was written to.
struct BackupRef {
  std::optional<std::string> name;
  std::optional<std::string> namespace_name;
  std::optional<std::string> backup_id;
  std::optional<Storage> storage;

  static constexpr std::array rules{
      schema::Rule{"(has(self.name) && self.name != '') || has(self.storage)",
                   "name is required unless storage is given"},
  };

  void fields(auto& f) {
    f("name", name, "The KafkaBackup. May be absent or empty when `storage` is given.");
    f("namespace", namespace_name, "Its namespace; that of the restore when absent.");
    f("backupId", backup_id, "One run of it; the newest complete one when absent.");
    f("storage", storage, "Where the archive lives; that of the KafkaBackup when absent.");
  }
  void check(schema::Check& check) const;
};

// A window of record timestamps. Milliseconds win over times.
struct PointInTime {
  std::optional<std::int64_t> start_timestamp;
  std::optional<std::int64_t> end_timestamp;
  std::optional<schema::Timestamp> start_time;
  std::optional<schema::Timestamp> end_time;

  void fields(auto& f) {
    f("startTimestamp", start_timestamp, "First timestamp, in milliseconds since 1970.");
    f("endTimestamp", end_timestamp, "Last timestamp, in milliseconds since 1970.");
    f("startTime", start_time, "First timestamp as RFC 3339; `startTimestamp` wins.");
    f("endTime", end_time, "Last timestamp as RFC 3339; `endTimestamp` wins.");
  }
  void check(schema::Check& check) const;
};

enum class RepartitioningStrategy { murmur2, automatic };
constexpr auto enum_names(RepartitioningStrategy) {
  return std::array<std::string_view, 2>{"murmur2", "automatic"};
}

struct Repartitioning {
  RepartitioningStrategy strategy = RepartitioningStrategy::murmur2;
  std::int32_t target_partitions = 0;

  void fields(auto& f) {
    f("strategy", strategy, "By the key as Java's producer does, or round robin.");
    f.required("targetPartitions", target_partitions, "Partitions of the target topic.", {.min = 1});
  }
};

struct OffsetReset {
  bool enabled = false;
  std::vector<std::string> consumer_groups;
  std::string strategy = "manual";

  void fields(auto& f) {
    f("enabled", enabled, "Set committed offsets after the restore.");
    f.required("consumerGroups", consumer_groups, "Consumer groups.");
    f("strategy", strategy,
      "`manual` and `dry-run` commit nothing; also `auto`, `timestamp`, `cluster-scan`.");
  }
};

struct Rollback {
  bool snapshot_before_restore = true;
  std::uint32_t snapshot_retention_hours = 24;
  bool auto_rollback_on_failure = false;
  std::optional<VolumeRef> snapshot_storage;

  void fields(auto& f) {
    f("snapshotBeforeRestore", snapshot_before_restore, "Record committed offsets before the restore.");
    f("snapshotRetentionHours", snapshot_retention_hours, "Hours that the record is kept.");
    f("autoRollbackOnFailure", auto_rollback_on_failure, "Put them back when the restore fails.");
    f("snapshotStorage", snapshot_storage, "Where the record is kept.");
  }
};

enum class HeaderPreflight { automatic, full, skip };
constexpr auto enum_names(HeaderPreflight) {
  return std::array<std::string_view, 3>{"auto", "full", "skip"};
}
constexpr bool enum_in_schema(HeaderPreflight) {
  return true;
}

enum class ExistingData { refuse, append };
constexpr auto enum_names(ExistingData) {
  return std::array<std::string_view, 2>{"refuse", "append"};
}
constexpr bool enum_in_schema(ExistingData) {
  return true;
}

struct KafkaRestoreSpec : JobSettings {
  BackupRef backup_ref;
  KafkaCluster kafka_cluster;
  std::vector<std::string> topics;
  std::map<std::string, std::string> topic_mapping;
  std::map<std::string, std::int32_t> partition_mapping;
  std::map<std::string, Repartitioning> repartitioning;
  std::optional<PointInTime> pitr;
  std::optional<OffsetReset> offset_reset;
  std::optional<Rollback> rollback;
  std::optional<RateLimiting> rate_limiting;
  std::optional<CircuitBreaker> circuit_breaker;
  bool dry_run = false;
  std::uint64_t produce_batch_size = 1000;
  std::int16_t produce_acks = -1;
  std::int32_t produce_timeout_ms = 30000;
  bool purge_topics = false;
  ExistingData existing_data = ExistingData::refuse;
  bool auto_consumer_groups = false;
  bool create_topics = false;
  std::optional<std::int16_t> default_replication_factor;
  std::optional<bool> include_original_offset_header;
  bool strip_offset_headers = false;
  HeaderPreflight header_preflight = HeaderPreflight::automatic;

  static constexpr std::array rules{
      schema::Rule{"!(self.purgeTopics && self.existingData == 'append')",
                   "purgeTopics: true and existingData: append exclude each other"},
      schema::Rule{"!(has(self.workers) && self.workers > 1 && self.existingData == 'append')",
                   "workers above 1 and existingData: append exclude each other"},
  };

  void fields(auto& f) {
    selection_fields(f);
    target_fields(f);
    produce_fields(f);
    offset_fields(f);
    job_fields(f);
  }
  void check(schema::Check& check) const;

 private:
  void selection_fields(auto& f) {
    f.required("backupRef", backup_ref, "The backup to restore from.");
    f("topics", topics, "Topics of the backup, by name or with `*` and `?`; empty is all.");
    f("pitr", pitr, "Only records of a window of time.");
  }
  void target_fields(auto& f) {
    f.required("kafkaCluster", kafka_cluster, "The cluster to write to.");
    f("topicMapping", topic_mapping, "New names: source topic to target topic.");
    f("partitionMapping", partition_mapping, "New partitions: source partition to target partition.");
    f("repartitioning", repartitioning, "Target topics whose records are spread anew over partitions.");
    f("createTopics", create_topics, "Create target topics that do not exist.");
    f("defaultReplicationFactor", default_replication_factor,
      "Replication factor of topics that are created; that of the source when absent.");
    f("purgeTopics", purge_topics, "Delete the records of the target topics first.");
    f("existingData", existing_data, "What to do about a target topic that has records. Additive.");
    f("dryRun", dry_run, "Ask the target, print the plan, change nothing.");
  }
  void produce_fields(auto& f) {
    f("produceBatchSize", produce_batch_size, "Records that small batches are merged into one up to.",
      {.min = 1});
    f("produceAcks", produce_acks, "Replicas that must have a batch: -1 all, 1 the leader, 0 none.",
      {.min = -1, .max = 1});
    f("produceTimeoutMs", produce_timeout_ms, "Milliseconds a broker may take to have them.", {.min = 1});
    f("rateLimiting", rate_limiting, "Limits of the load on the cluster. Absent: none but memory.");
    f("circuitBreaker", circuit_breaker, "What to do about brokers that keep failing.");
    f("includeOriginalOffsetHeader", include_original_offset_header,
      "Add each record's source offset as a header. Absent: not added.");
    f("stripOffsetHeaders", strip_offset_headers, "Take away headers that a backup added.");
    f("headerPreflight", header_preflight,
      "Accepted; no archive of this version keeps offsets in headers, so none is looked through.");
  }
  void offset_fields(auto& f) {
    f("offsetReset", offset_reset, "Committed offsets of consumer groups after the restore.");
    f("autoConsumerGroups", auto_consumer_groups,
      "Restore the committed offsets of all groups in the backup.");
    f("rollback", rollback, "Committed offsets before the restore, to go back to. Absent: not recorded.");
  }
};

}  // namespace kb::api
