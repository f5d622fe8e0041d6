// What a restore will write, worked out from the archive and the resource alone. Pure; printable.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/kafka_restore.h"
#include "archive/index.h"
#include "archive/set.h"
#include "engine/shard.h"

namespace kb::engine {

// A stream of the archive, as far as its set reaches.
struct SourcePartition {
  archive::StreamId stream;
  archive::Bounds bounds;
  std::vector<archive::Block> blocks;  // ascending; the first and last may reach beyond the bounds
};

// One writer writes all of it, in this order: so the number of records written is a position to resume from.
struct TargetPartition {
  std::int32_t partition = 0;
  std::vector<SourcePartition> sources;
  std::uint64_t records_max = 0;  // exact, but for blocks that a bound cuts through
  std::uint64_t raw_bytes = 0;
  int shard = 0;  // who writes it
};

struct TargetTopic {
  std::string name;
  std::vector<std::string> source_topics;
  std::int16_t replication_factor = -1;
  std::map<std::string, std::string> final_configs;  // overrides of the source topic
  std::map<std::string, std::string> load_configs;   // while it is written
  std::string configs_not_captured;  // why final_configs lacks some, or all; empty when it does not
  std::string retention_held;  // why its own retention will not be set; empty when it will, if it has one
  std::vector<TargetPartition> partitions;  // all of them, ascending
};

struct RestorePlan {
  std::string backup_id;
  std::vector<archive::ObjectEntry> objects;  // that blocks refer to
  std::vector<TargetTopic> topics;            // by name
  // Names the producer: the same for the same resource, set and choice of topics, so that a repeated run
  // finds what an earlier one wrote.
  std::string transactional_id;
  int shards = 1;
};

// Throws not_found for topics that the set does not hold, invalid for topic mappings that do not fit, corrupt
// when the index does not cover the set.
RestorePlan plan_restore(const api::KafkaRestoreSpec& spec, const std::string& restore_name,
                         const archive::Set& set, const archive::Index& index, std::int64_t now_ms);

// Divides the target partitions by the bytes to write. The same for the same plan, so that workers who know
// nothing of each other agree. Pure.
void divide_plan(RestorePlan& plan, int shards);
// The name of the shard's producer. Another number of shards is another restore to the brokers: what the one
// wrote is foreign to the other, which refuses it.
std::string transactional_id(const RestorePlan& plan, const Shard& shard);
// Whether any partition of the topic is the shard's.
bool has_share(const TargetTopic& topic, int shard);

// What retention settings would delete of a topic's restored records the moment they are set, for people;
// empty when that is nothing.
std::string doomed_by(const TargetTopic& topic, const std::map<std::string, std::string>& settings,
                      std::int64_t now_ms);

// The settings under which a topic takes old records unchanged, whatever its own are.
std::map<std::string, std::string> load_configs(const std::map<std::string, std::string>& final_configs);

}  // namespace kb::engine
