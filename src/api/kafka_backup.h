// KafkaBackup: what to back up, where to, how and when. Source: the CRD of kafka.oso.sh/v1alpha1; additive
// fields are marked. Defaults are the member initialisers.
#pragma once
#include <array>
#include <cstdint>
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

enum class Compression { none, lz4, zstd };
constexpr auto enum_names(Compression) {
  return std::array<std::string_view, 3>{"none", "lz4", "zstd"};
}

enum class Recompress { never, always };
constexpr auto enum_names(Recompress) {
  return std::array<std::string_view, 2>{"never", "always"};
}
constexpr bool enum_in_schema(Recompress) {
  return true;
}

enum class OnMissingTopic { fail, warn };
constexpr auto enum_names(OnMissingTopic) {
  return std::array<std::string_view, 2>{"fail", "warn"};
}
constexpr bool enum_in_schema(OnMissingTopic) {
  return true;
}

struct Checkpoint {
  bool enabled = true;
  std::uint64_t interval_secs = 30;
  std::optional<VolumeRef> storage;

  void fields(auto& f) {
    f("enabled", enabled, "Write down progress, so that a run that was stopped goes on where it was.");
    f("intervalSecs", interval_secs, "Seconds between two checkpoints.", {.min = 1});
    f("storage", storage, "Accepted; checkpoints are kept with the archive.");
  }
};

struct Retention {
  bool enabled = false;
  std::optional<std::uint32_t> max_age_days;
  std::optional<std::uint32_t> keep_last;
  bool dry_run = false;

  static constexpr std::array rules{
      schema::Rule{"!self.enabled || has(self.maxAgeDays) || has(self.keepLast)",
                   "retention that is enabled needs maxAgeDays or keepLast"},
  };

  void fields(auto& f) {
    f("enabled", enabled, "Delete old backups after each successful run.");
    f("maxAgeDays", max_age_days, "Backups older than this may go.");
    f("keepLast", keep_last, "The newest backups that stay; with `maxAgeDays` they stay whatever their age.");
    f("dryRun", dry_run, "Only count what would go.");
  }
  void check(schema::Check& check) const;
};

struct Metrics {
  bool enabled = true;
  std::uint16_t port = 9090;
  std::string bind_address = "0.0.0.0";
  std::string path = "/metrics";
  std::uint64_t update_interval_ms = 500;
  std::uint64_t max_partition_labels = 100;

  void fields(auto& f) {
    f("enabled", enabled, "Serve metrics while a run lasts.");
    f("port", port, "Port.");
    f("bindAddress", bind_address, "Address to listen on.");
    f("path", path, "Path of the metrics.");
    f("updateIntervalMs", update_interval_ms, "Milliseconds between two updates.");
    f("maxPartitionLabels", max_partition_labels,
      "Continuous: partitions with time series of their own, those that lag most; 0: all.");
  }
};

enum class ConcurrencyPolicy { forbid, replace };
constexpr auto enum_names(ConcurrencyPolicy) {
  return std::array<std::string_view, 2>{"Forbid", "Replace"};
}
constexpr bool enum_in_schema(ConcurrencyPolicy) {
  return true;
}

struct KafkaBackupSpec : JobSettings {
  KafkaCluster kafka_cluster;
  std::vector<std::string> topics;
  std::vector<std::string> exclude_topics;
  Storage storage;
  Compression compression = Compression::zstd;
  std::int32_t compression_level = 3;
  Recompress recompress = Recompress::never;
  std::uint64_t segment_max_bytes = 134217728;
  std::uint64_t segment_max_interval_ms = 60000;
  bool continuous = false;
  bool stop_at_current_offsets = false;
  std::optional<bool> include_offset_headers;
  std::optional<std::string> source_cluster_id;
  std::uint64_t poll_interval_ms = 100;
  std::uint64_t restore_point_interval_secs = 60;
  std::optional<bool> consumer_group_snapshot;
  std::optional<std::string> schedule;
  std::optional<Checkpoint> checkpoint;
  std::optional<RateLimiting> rate_limiting;
  std::optional<CircuitBreaker> circuit_breaker;
  std::optional<Retention> retention;
  bool suspend = false;
  std::optional<Metrics> metrics;
  OnMissingTopic on_missing_topic = OnMissingTopic::fail;
  std::optional<std::string> time_zone;
  std::optional<std::uint32_t> starting_deadline_seconds;
  ConcurrencyPolicy concurrency_policy = ConcurrencyPolicy::forbid;
  std::uint32_t successful_jobs_history_limit = 3;
  std::uint32_t failed_jobs_history_limit = 3;

  static constexpr std::array rules{
      schema::Rule{"self.topics.size() > 0", "topics must not be empty"},
      schema::Rule{"!(self.continuous && self.stopAtCurrentOffsets)",
                   "continuous and stopAtCurrentOffsets cannot both be true"},
      schema::Rule{"self.compression in ['none', 'lz4', 'zstd']",
                   "compression must be one of none, lz4, zstd"},
      schema::Rule{
          "self.compression != 'zstd' || (self.compressionLevel >= 1 && self.compressionLevel <= 22)",
          "compressionLevel must be between 1 and 22 when compression is zstd"},
  };

  void fields(auto& f) {
    source_fields(f);
    archive_fields(f);
    run_fields(f);
    schedule_fields(f);
    job_fields(f);
  }
  void check(schema::Check& check) const;

 private:
  void source_fields(auto& f) {
    f.required("kafkaCluster", kafka_cluster, "The cluster to read from.");
    f.required("topics", topics, "Topics, by name or with `*` and `?`; internal topics are never included.",
               {.non_empty = true});
    f("excludeTopics", exclude_topics,
      "Topics to leave out of those, by name or with `*` and `?`. Additive.");
    f("onMissingTopic", on_missing_topic, "What a topic that was named and does not exist does to the run.");
    f("sourceClusterId", source_cluster_id, "A name for the cluster, written into the archive.");
    f("consumerGroupSnapshot", consumer_group_snapshot,
      "Record the committed offsets of the consumer groups. Absent: where permitted; true: a failure ends "
      "the run; "
      "false: not at all.");
    f("includeOffsetHeaders", include_offset_headers,
      "Add each record's offset and timestamp as headers. Absent: not added; the archive keeps offsets "
      "exactly.");
  }
  void archive_fields(auto& f) {
    f.required("storage", storage, "Where the archive lives.");
    f("compression", compression, "How what producers left uncompressed is compressed.");
    f("compressionLevel", compression_level, "Level of the compressor; 1 to 22 for zstd.");
    f("recompress", recompress, "Whether batches that producers compressed are compressed anew. Additive.");
    f("segmentMaxBytes", segment_max_bytes,
      "Size at which an object of the archive is closed; at most 64 MiB, and an eighth of the memory for "
      "data.",
      {.min = 1});
    f("segmentMaxIntervalMs", segment_max_interval_ms, "Milliseconds after which it is closed.", {.min = 1});
    f("checkpoint", checkpoint, "Progress that survives a stop.");
    f("retention", retention, "Which old backups go.");
  }
  void run_fields(auto& f) {
    f("schedule", schedule,
      "Cron schedule: `min hour dom month dow`, `sec min hour dom month dow [year]`, or `@daily` and "
      "the "
      "like. One run when absent.");
    f("suspend", suspend, "Start no new runs.");
    f("continuous", continuous, "Go on for ever, following the topics.");
    f("stopAtCurrentOffsets", stop_at_current_offsets,
      "Accepted; a run that is not continuous ends at the offsets found at its start either way.");
    f("pollIntervalMs", poll_interval_ms,
      "Continuous: milliseconds between two looks at a partition that has little new.");
    f("restorePointIntervalSecs", restore_point_interval_secs,
      "Seconds between two restore points, when continuous; without news there is none. Additive.",
      {.min = 1, .max = 86400});
    f("rateLimiting", rate_limiting, "Limits of the load on the cluster. Absent: none but memory.");
    f("circuitBreaker", circuit_breaker, "What to do about brokers that keep failing.");
    f("metrics", metrics, "Metrics of a run.");
  }
  void schedule_fields(auto& f) {
    f("timeZone", time_zone, "Time zone of the schedule, such as Europe/Berlin; UTC when absent. Additive.");
    f("startingDeadlineSeconds", starting_deadline_seconds,
      "A tick that could not be acted on for this many seconds is skipped; absent: never. Of several missed "
      "ticks only the last one counts. Additive.");
    f("concurrencyPolicy", concurrency_policy,
      "What a tick does while a run is in progress: `Forbid` skips the tick, `Replace` stops the run. "
      "Additive.");
    f("successfulJobsHistoryLimit", successful_jobs_history_limit,
      "Finished Jobs that are kept for a look. Additive.");
    f("failedJobsHistoryLimit", failed_jobs_history_limit, "Failed Jobs that are kept for a look. Additive.");
  }
};

}  // namespace kb::api
