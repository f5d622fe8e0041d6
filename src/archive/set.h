// What a run was meant to capture (Plan), what it captured (Set), and how a run ended (Decision).
// Every list is one fields() list; the JSON of it is described in docs/archive-format.md.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/captured_access.h"
#include "archive/history.h"
#include "archive/index.h"

namespace kb::archive {

// Who may write into an archive: a resource of a cluster. A resource made again under its name goes on.
struct Owner {
  std::string cluster_uid;  // of the namespace kube-system; empty without Kubernetes
  std::string resource_namespace;
  std::string name;
  bool operator==(const Owner&) const = default;
  void fields(auto& f) {
    f("clusterUid", cluster_uid, "UID of the namespace kube-system; empty without Kubernetes.");
    f("namespace", resource_namespace, "Namespace of the KafkaBackup.");
    f("name", name, "Name of the KafkaBackup.");
  }
};

struct Header {
  std::string archive_id;
  Owner owner;
  std::int64_t created_at_ms = 0;
  void fields(auto& f) {
    f("archiveId", archive_id, "Random, for life.");
    f("owner", owner, "Who may write.");
    f("createdAtMs", created_at_ms, "When.");
  }
};

// One partition of a set: its records are those of the stream with offsets in [start, end).
struct CapturedPartition {
  std::int32_t partition = 0;
  std::string lineage;
  std::int64_t start = 0;  // log_start_offset at capture
  std::int64_t end = 0;    // last_stable_offset at capture
  std::int64_t from = 0;   // where this run began to read; start <= from <= end, or end when nothing is new
  std::int32_t leader_epoch = -1;   // of the last batch before end, as far as known
  std::uint64_t lineage_bytes = 0;  // raw, of all batches ever stored of the lineage
  std::int32_t shard = 0;
  std::string lineage_reason;  // why this run began a new lineage; empty when it continued one
  void fields(auto& f) {
    f("partition", partition, "Number of the partition.");
    f("lineage", lineage, "Backup id of the run that began the lineage.");
    f("start", start, "First offset of the set.");
    f("end", end, "Offset behind the last one of the set.");
    f("from", from, "First offset that this run read.");
    f("leaderEpoch", leader_epoch, "Leader epoch of the last batch.");
    f("lineageBytes", lineage_bytes, "Bytes of all batches stored of the lineage.");
    f("shard", shard, "Shard that reads it.");
    f("lineageReason", lineage_reason, "Why a new lineage began.");
  }
};

struct CapturedTopic {
  std::string name;
  std::string topic_id;  // 32 hexadecimal digits; zeros when the broker has none
  std::int32_t replication_factor = 0;
  std::map<std::string, std::string> configs;  // explicit overrides
  std::string configs_not_captured;            // why some or all of them are missing; empty when none are
  bool compacted = false;
  std::vector<CapturedPartition> partitions;  // all of them, ascending
  void fields(auto& f) {
    f("name", name, "Name.");
    f("topicId", topic_id, "Kafka's topic id.");
    f("replicationFactor", replication_factor, "Replicas of each partition.");
    f("configs", configs, "Explicit topic configuration.");
    f("configsNotCaptured", configs_not_captured, "Why configuration is missing.");
    f("compacted", compacted, "Whether the log cleaner may remove records.");
    f("partitions", partitions, "Captured partitions.");
  }
};

struct CommittedOffset {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  void fields(auto& f) {
    f("topic", topic, "Topic.");
    f("partition", partition, "Partition.");
    f("offset", offset, "Committed offset.");
    f("leaderEpoch", leader_epoch, "Leader epoch that the consumer committed.");
    f("metadata", metadata, "The consumer's own text.");
  }
};

struct CapturedGroup {
  std::string group_id;
  std::string protocol_type;
  std::string type;
  std::string state;
  std::vector<CommittedOffset> offsets;
  std::string not_captured;  // why its offsets are missing; empty when they are not
  void fields(auto& f) {
    f("groupId", group_id, "Group.");
    f("protocolType", protocol_type, "Protocol type, such as consumer.");
    f("type", type, "Type, such as classic or consumer (KIP-848); empty when brokers do not tell.");
    f("state", state, "State at capture.");
    f("offsets", offsets, "Committed offsets.");
    f("notCaptured", not_captured, "Why the offsets are missing.");
  }
};

// A failed listing is "not captured", never "empty".
struct CapturedGroups {
  bool captured = false;
  std::string not_captured;  // why; of those that are captured, why others may be missing
  std::vector<CapturedGroup> groups;
  void fields(auto& f) {
    f("captured", captured, "Whether the groups were listed.");
    f("notCaptured", not_captured, "Why not, or why some may be missing.");
    f("groups", groups, "Consumer groups.");
  }
};

// Where the run stands: the part that a plan and its set have in common.
struct Capture {
  std::string backup_id;
  std::string archive_id;
  std::string kafka_cluster_id;
  std::string source_cluster_id;  // spec.sourceClusterId
  std::int64_t captured_at_ms = 0;
  std::string base;         // backup id of the set this run builds on; empty for none
  std::string base_sha256;  // of that set's document
  std::vector<CapturedTopic> topics;
  std::vector<std::string> missing_topics;
  CapturedGroups groups;
  std::vector<HeldBack> held_back;
  std::optional<CapturedAcls> acls;  // absent: written by a version that did not ask
  std::optional<CapturedQuotas> client_quotas;
  // Of a plan: what is new since the base. Of a set: also what happened during the run. Absent: written by a
  // version that did not record it.
  std::optional<History> history;
  void fields(auto& f) {
    f("backupId", backup_id, "The run.");
    f("archiveId", archive_id, "The archive.");
    f("kafkaClusterId", kafka_cluster_id, "Cluster id that the brokers report.");
    f("sourceClusterId", source_cluster_id, "Cluster id as the resource says.");
    f("capturedAtMs", captured_at_ms,
      "The set has all that the logs had then; 0: a continuous backup has not come that far yet.");
    f("base", base, "Set that this one builds on.");
    f("baseSha256", base_sha256, "SHA-256 of that set.");
    f("topics", topics, "Topics and partitions.");
    f("missingTopics", missing_topics, "Literal topics that did not exist.");
    f("consumerGroups", groups, "Consumer groups.");
    f("heldBack", held_back, "Partitions of which open transactions keep a part from being captured.");
    f("acls", acls, "ACLs that concern the topics, and those of everything but topics.");
    f("clientQuotas", client_quotas, "Client quotas.");
    f("history", history, "What happened to the logs since the base.");
  }
};

// Written once per run, by whichever worker comes first; everyone works from it, also after a restart.
struct Plan {
  Capture capture;
  int shards = 1;
  std::string spec_sha256;  // of what decides the content; another one means another run
  void fields(auto& f) {
    f("capture", capture, "What the run captures.");
    f("shards", shards, "Number of shards.");
    f("specSha256", spec_sha256, "Digest of the settings that decide the content.");
  }
};

// An index object that a set refers to; indexes of one level are merged into one of the next.
struct IndexReference {
  std::string key;
  std::string sha256;  // of the whole object
  std::uint64_t bytes = 0;
  int level = 0;
  std::uint64_t blocks = 0;
  void fields(auto& f) {
    f("key", key, "Name of the index object.");
    f("sha256", sha256, "SHA-256 of the object.");
    f("bytes", bytes, "Its size.");
    f("level", level, "Level of merging.");
    f("blocks", blocks, "Number of blocks.");
  }
};

struct RunTotals {
  std::uint64_t records = 0;
  std::uint64_t raw_bytes = 0;     // of the batches read
  std::uint64_t stored_bytes = 0;  // of the segments written
  std::uint64_t segments = 0;
  std::uint64_t aborted = 0, control = 0, compacted = 0, lost = 0;  // offsets without a record
  void fields(auto& f) {
    f("records", records, "Records stored by this run.");
    f("rawBytes", raw_bytes, "Bytes of their batches.");
    f("storedBytes", stored_bytes, "Bytes of the segments.");
    f("segments", segments, "Segments written.");
    f("aborted", aborted, "Offsets of aborted transactions.");
    f("control", control, "Offsets of transaction markers.");
    f("compacted", compacted, "Offsets that the log cleaner had emptied.");
    f("lost", lost, "Offsets that retention deleted before they were read.");
  }
};

// A committed run. Restores on its own; the records of its indexes outside of its bounds are not part of it.
struct Set {
  Capture capture;
  std::int64_t committed_at_ms = 0;
  RunTotals totals;
  std::vector<IndexReference> indexes;  // at most indexes_max
  void fields(auto& f) {
    f("capture", capture, "What the set holds.");
    f("committedAtMs", committed_at_ms, "When it was committed.");
    f("totals", totals, "What the run stored.");
    f("indexes", indexes, "Where its blocks are listed.");
  }
  std::map<StreamId, Bounds> bounds() const;
};

// Each run is decided once, for ever: as a set, or as abandoned.
struct Decision {
  std::optional<Set> set;
  std::string abandoned;  // why; when there is no set
  void fields(auto& f) {
    f("set", set, "The committed set.");
    f("abandoned", abandoned, "Why the run has no set.");
  }
};

}  // namespace kb::archive
