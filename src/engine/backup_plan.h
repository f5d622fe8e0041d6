// What a run will capture: asked of the cluster once, then written down as the run's plan.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/kafka_backup.h"
#include "archive/set.h"
#include "engine/backup.h"
#include "kafka/admin.h"
#include "kafka/cluster.h"

namespace kb::engine {

// The set a run builds on, and the digest of its document.
struct Base {
  archive::Set set;
  std::string sha256;
};

// What the cluster has of the topics a resource names.
struct ChosenTopics {
  std::vector<kafka::MetadataResponse::Topic> topics;  // by name
  std::vector<std::string> missing;                    // literal names that do not exist
};
// Throws not_found for missing literal topics, unless the resource says to go on without.
ChosenTopics choose_topics_of(const Context& ctx, kafka::Cluster& cluster, const api::KafkaBackupSpec& spec);

// Asks for groups, configs, offsets, open transactions, ACLs and quotas; groups first: a commit cannot then
// be ahead of the end offsets by more than what was consumed in between.
archive::Plan make_plan(const Context& ctx, kafka::Cluster& cluster, const BackupRequest& request,
                        const ChosenTopics& chosen, const std::string& backup_id,
                        const std::string& archive_id, const std::optional<Base>& base, std::int64_t now_ms);

// Divides the plan's partitions by the bytes that are to be read of them, estimated from the size of their
// logs; by offsets when a size is not known. Pure.
void assign_shards(archive::Plan& plan, int shards,
                   const std::map<kafka::TopicPartition, std::uint64_t>& log_bytes);

// Of the settings that decide what a run captures.
std::string spec_digest(const api::KafkaBackupSpec& spec);

struct TopicChoice {
  std::vector<std::string> chosen;   // sorted
  std::vector<std::string> missing;  // literal names that do not exist
};
// Pure.
TopicChoice choose_topics(const std::vector<std::string>& existing, const std::vector<std::string>& patterns,
                          const std::vector<std::string>& excluded);

// Why the set would mix the records of two logs: a topic was deleted, recreated or truncated, and the brokers
// are too old to be asked by topic id (before 3.1). Those that are not cannot mix them up: what happens to a
// log while it is read is then part of the set's history.
std::string plan_broken_by(const Context& ctx, kafka::Cluster& cluster, const archive::Plan& plan);

}  // namespace kb::engine
