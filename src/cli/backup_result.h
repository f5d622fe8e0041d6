// What is said about a backup that was run. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/resource.h"
#include "cli/output.h"
#include "engine/backup.h"

namespace kb::cli {

struct NewLineage {
  std::string topic;
  std::int32_t partition = 0;
  std::string reason;
  void fields(auto& f) {
    f("topic", topic, "Topic.");
    f("partition", partition, "Partition.");
    f("reason", reason, "Why it is read afresh.");
  }
};

struct HoleCounts {
  std::uint64_t aborted = 0, control = 0, compacted = 0, lost = 0;
  void fields(auto& f) {
    f("aborted", aborted, "Offsets of aborted transactions.");
    f("control", control, "Offsets of transaction markers.");
    f("compacted", compacted, "Offsets that the log cleaner had emptied.");
    f("lost", lost, "Offsets that retention deleted before they were read.");
  }
};

struct BackupResult {
  std::string kind = "KafkaBackup";
  std::string resource_namespace, name;
  std::string outcome;  // committed, committedBefore, shardDone
  int shard = 0, shards = 1;
  bool resumed = false;
  std::string backup_id, base, location;
  std::uint64_t topics = 0, partitions = 0;
  std::uint64_t records = 0, raw_bytes = 0, stored_bytes = 0, segments = 0;  // of this run
  HoleCounts holes;
  std::vector<NewLineage> new_lineages;
  std::vector<std::string> history;
  std::uint64_t history_warnings = 0;  // of these, worth a look
  bool groups_captured = false;
  std::uint64_t groups = 0;
  std::string acls, client_quotas;  // their number, or why they are not captured
  std::uint64_t held_back_offsets = 0;
  std::optional<engine::RetentionReport> retention;
  std::vector<std::string> warnings;
  void fields(auto& f) {
    f("kind", kind, "Kind of the resource.");
    f("namespace", resource_namespace, "Its namespace.");
    f("name", name, "Its name.");
    f("outcome", outcome, "committed, committedBefore or shardDone: nothing is committed yet.");
    f("shard", shard, "Of shardDone: which; the figures below are the shard's own.");
    f("shards", shards, "Of shardDone: how many there are.");
    f("resumed", resumed, "Whether it went on where an earlier one had been stopped.");
    f("backupId", backup_id, "The backup.");
    f("base", base, "The backup it builds on; empty for the first.");
    f("location", location, "Where the archive is.");
    f("topics", topics, "Topics of the backup.");
    f("partitions", partitions, "Their partitions.");
    f("records", records, "Records that this run stored.");
    f("rawBytes", raw_bytes, "Bytes of their batches.");
    f("storedBytes", stored_bytes, "Bytes of the segments written.");
    f("segments", segments, "Segments written.");
    f("holes", holes, "Offsets of this run without a record.");
    f("newLineages", new_lineages, "Partitions read afresh.");
    f("history", history, "What happened to the logs since the backup before, and during this one.");
    f("groupsCaptured", groups_captured, "Whether consumer groups were recorded.");
    f("groups", groups, "Consumer groups recorded.");
    f("acls", acls, "ACLs recorded, or why not.");
    f("clientQuotas", client_quotas, "Client quotas recorded, or why not.");
    f("heldBackOffsets", held_back_offsets, "Offsets behind open transactions, which are not captured.");
    f("retention", retention, "What spec.retention did; absent when it is not enabled.");
    f("warnings", warnings, "What somebody should look at.");
  }
};

BackupResult summarize(const api::ObjectMeta& metadata, const engine::BackupReport& report,
                       const std::string& location);
Result present(const BackupResult& result);

}  // namespace kb::cli
