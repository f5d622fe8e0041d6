// What runs ask of a cluster besides data: each question batched and routed to the brokers that can answer
// it, its retriable per-item errors asked again with fresh metadata until the cluster's retry policy gives
// up. Thread-safe as Cluster is. Errors name topic, partition or group.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "kafka/cluster.h"
#include "kafka/group_coordinators.h"
#include "kafka/messages_configs.h"
#include "kafka/messages_fetch.h"

namespace kb::kafka {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

// ---- offsets: one request per leader, not per partition

enum class OffsetAt { earliest, latest };
// `latest` is the last stable offset with read_committed, else the high watermark. `earliest` is the log
// start.
std::map<TopicPartition, std::int64_t> list_offsets(const Context& ctx, Cluster& cluster,
                                                    const std::vector<TopicPartition>& partitions,
                                                    OffsetAt at, IsolationLevel isolation);
std::int64_t list_offset(const Context& ctx, Cluster& cluster, const std::string& topic,
                         std::int32_t partition, OffsetAt at);
// The first offset whose record has the timestamp or a later one; the end offset where there is none.
std::map<TopicPartition, std::int64_t> list_offsets_at_time(const Context& ctx, Cluster& cluster,
                                                            const std::vector<TopicPartition>& partitions,
                                                            std::int64_t timestamp_ms);
// Up to which offset each partition agrees with a log whose last leader epoch is the given one (KIP-101): the
// end of that epoch or, where the log does not have it, of the largest before it. Absent where the broker
// cannot say.
std::map<TopicPartition, std::int64_t> end_offsets_of_epochs(
    const Context& ctx, Cluster& cluster, const std::map<TopicPartition, std::int32_t>& epochs);
// Bytes of each partition on its leader's disk; empty when the principal may not ask.
std::map<TopicPartition, std::uint64_t> log_bytes(const Context& ctx, Cluster& cluster,
                                                  const std::vector<TopicPartition>& partitions);

// ---- topics

struct TopicConfig {
  std::map<std::string, std::string> overrides;  // set on the topic itself
  std::vector<std::string> hidden;               // overrides whose values the broker keeps to itself
  std::map<std::string, std::string> effective;  // with what the broker adds; sensitive values are left out
  // What would hold without the overrides, under the topic's names and in its units; asked for
  // with_inherited.
  std::map<std::string, std::string> inherited;
};
enum class ConfigDetail { effective, with_inherited };
std::map<std::string, TopicConfig> topic_configs(const Context& ctx, Cluster& cluster,
                                                 const std::vector<std::string>& topics,
                                                 ConfigDetail detail = ConfigDetail::effective);

// The same, and why each of the others may not be read.
struct ReadableConfigs {
  std::map<std::string, TopicConfig> configs;
  std::map<std::string, std::string> denied;
};
ReadableConfigs readable_topic_configs(const Context& ctx, Cluster& cluster,
                                       const std::vector<std::string>& topics);

struct NewTopic {
  std::string name;
  std::int32_t partitions = 1;
  std::int16_t replication_factor = -1;  // -1: the broker's default
  std::map<std::string, std::string> configs;
};
// Creates them and waits until every partition has a leader. A topic that exists already is a conflict.
void create_topics(const Context& ctx, Cluster& cluster, const std::vector<NewTopic>& topics);
// Gone afterwards, also in the metadata.
void delete_topics(const Context& ctx, Cluster& cluster, const std::vector<std::string>& topics);
// Sets and deletes overrides of one topic (KIP-339); an empty optional deletes.
void alter_topic_config(const Context& ctx, Cluster& cluster, const std::string& topic,
                        const std::map<std::string, std::optional<std::string>>& changes);
// Everything below the given offsets goes. Returns the new log start offsets.
std::map<TopicPartition, std::int64_t> delete_records(const Context& ctx, Cluster& cluster,
                                                      const std::map<TopicPartition, std::int64_t>& before);

// ---- consumer groups

struct GroupListing {
  std::string group_id;
  std::string protocol_type;
  std::string state;
  std::string type;  // "classic", "consumer" (KIP-848), "streams"; empty when brokers do not tell
};
struct ListedGroups {
  std::vector<GroupListing> groups;
  std::optional<ListingDoubt> doubt;  // absent: no broker passed one over
};
// The groups of every broker that have offsets, so without share groups; those only that the principal may
// describe, see sees_every_group(). Asks all brokers again, as the retry policy says, while coordinators move
// or are missing; then also has what earlier rounds saw: a group deleted meanwhile has no offsets to read,
// one whose coordinator went away would else be lost without a word.
ListedGroups list_groups(const Context& ctx, Cluster& cluster);

struct GroupOffset {
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string metadata;
};
// All committed offsets of a group, from its coordinator.
std::map<TopicPartition, GroupOffset> committed_offsets(const Context& ctx, Cluster& cluster,
                                                        const std::string& group_id);
// As a consumer outside of any generation would; throws conflict when the group has active members.
void commit_offsets(const Context& ctx, Cluster& cluster, const std::string& group_id,
                    const std::map<TopicPartition, GroupOffset>& offsets);

// ---- transactions: fencing, see /design of restore in ARCHITECTURE.md

struct ProducerSession {
  std::string transactional_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
};
// Takes the transactional id over: older sessions get a higher epoch against them. With `earlier` only if
// that is still the newest session of the id (KIP-360), else throws conflict.
ProducerSession init_producer(const Context& ctx, Cluster& cluster, const std::string& transactional_id,
                              std::int32_t transaction_timeout_ms,
                              const std::optional<ProducerSession>& earlier = {});
// Ends an empty transaction over the partitions with an abort: one marker in each, after which no older
// session can append there. Returns when every marker is in the log.
void fence(const Context& ctx, Cluster& cluster, const ProducerSession& session,
           const std::vector<TopicPartition>& partitions);

}  // namespace kb::kafka
