// What is said about a restore that was run or planned. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/resource.h"
#include "cli/output.h"
#include "engine/restore.h"

namespace kb::cli {

struct RestoredTopic {
  std::string name;
  std::vector<std::string> sources;
  std::string action;  // create, continue, append
  std::uint64_t partitions = 0;
  std::uint64_t records = 0;  // of the plan; at most, when a bound cuts through a block
  std::uint64_t raw_bytes = 0;
  std::int32_t replication_factor = -1;
  std::int32_t existing_partitions = 0;
  std::uint64_t existing_records = 0;  // offsets between log start and log end
  std::map<std::string, std::string> load_configs, final_configs;
  std::string retention_held;
  void fields(auto& f) {
    f("name", name, "Target topic.");
    f("sources", sources, "Topics of the backup that go into it.");
    f("action", action, "create, continue (an earlier run made it) or append (it exists).");
    f("partitions", partitions, "Partitions that are written.");
    f("records", records, "Records of the plan.");
    f("rawBytes", raw_bytes, "Bytes of their batches.");
    f("replicationFactor", replication_factor, "Of a topic that is created; -1: the broker's default.");
    f("existingPartitions", existing_partitions, "Partitions that were there.");
    f("existingRecords", existing_records, "Offsets between log start and log end that were there.");
    f("loadConfigs", load_configs, "Settings while it is written.");
    f("finalConfigs", final_configs, "Settings afterwards.");
    f("retentionHeld", retention_held, "Why its retention is not set; empty when it is.");
  }
};

struct RestoreResult {
  std::string kind = "KafkaRestore";
  std::string resource_namespace, name;
  std::string outcome;  // planned, restored, shardDone
  int shard = 0, shards = 1;
  bool resumed = false;
  std::string backup_id, location;
  std::vector<RestoredTopic> topics;
  std::uint64_t partitions = 0, planned_records = 0, planned_bytes = 0;
  std::uint64_t records = 0, raw_bytes = 0;  // written by this run
  std::uint64_t records_there = 0;
  std::vector<std::string> warnings;
  void fields(auto& f) {
    f("kind", kind, "Kind of the resource.");
    f("namespace", resource_namespace, "Its namespace.");
    f("name", name, "Its name.");
    f("outcome", outcome, "planned (dryRun), restored or shardDone: its finish is still to come.");
    f("shard", shard, "Of shardDone: which; the figures below are the shard's own.");
    f("shards", shards, "Of shardDone: how many there are.");
    f("resumed", resumed, "Whether an earlier run had written some.");
    f("backupId", backup_id, "The backup.");
    f("location", location, "Where the archive is.");
    f("topics", topics, "The plan by target topic.");
    f("partitions", partitions, "Partitions of the plan.");
    f("plannedRecords", planned_records, "Records of the plan.");
    f("plannedBytes", planned_bytes, "Bytes of their batches.");
    f("records", records, "Records that this run wrote.");
    f("rawBytes", raw_bytes, "Bytes of their batches.");
    f("recordsThere", records_there,
      "Records of the plan that the target holds in the end, whoever wrote them.");
    f("warnings", warnings, "What somebody should look at.");
  }
};

// `report` is that of the resource.
RestoreResult summarize(const api::Resource& resource, const engine::RestoreReport& report,
                        const std::string& location);
Result present(const RestoreResult& result);

}  // namespace kb::cli
