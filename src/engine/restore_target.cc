#include "engine/restore_target.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/log.h"
#include "kafka/topic_changes.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;

constexpr std::array<const char*, 2> retention_keys{"retention.ms", "retention.bytes"};
// Brokers before 3.6 know one setting instead of two (KIP-937).
constexpr const char* older_timestamp_key = "message.timestamp.difference.max.ms";
constexpr std::array<const char*, 2> newer_timestamp_keys{"message.timestamp.before.max.ms",
                                                          "message.timestamp.after.max.ms"};

std::map<std::string, std::string> for_older_brokers(std::map<std::string, std::string> configs) {
  for (const auto* key : newer_timestamp_keys) configs.erase(key);
  configs[older_timestamp_key] = "9223372036854775807";
  return configs;
}

// The settings a topic has only while this restore writes it.
bool is_loading(const TargetTopic& topic, const kafka::TopicConfig& config) {
  return config.overrides == topic.load_configs || config.overrides == for_older_brokers(topic.load_configs);
}

// The settings that an earlier run leaves: the final ones, with retention perhaps held.
bool is_finished(const TargetTopic& topic, const TargetState& state) {
  auto held = topic.final_configs;
  for (const auto* key : retention_keys) held[key] = "-1";
  return state.has_records() &&
         (state.config.overrides == topic.final_configs || state.config.overrides == held);
}

std::string effective(const TargetState& state, const std::string& key) {
  auto it = state.config.effective.find(key);
  return it == state.config.effective.end() ? "" : it->second;
}

std::map<std::string, const kafka::MetadataResponse::Topic*> by_name(
    const kafka::MetadataResponse& metadata) {
  std::map<std::string, const kafka::MetadataResponse::Topic*> topics;
  for (const auto& topic : metadata.topics)
    if (topic.name && topic.error_code == kafka::ErrorCode::none) topics[*topic.name] = &topic;
  return topics;
}

void add_offsets(const Context& ctx, kafka::Cluster& cluster, const RestorePlan& plan,
                 const std::vector<TopicPartition>& partitions, std::vector<TargetState>& target) {
  auto start = kafka::list_offsets(ctx, cluster, partitions, kafka::OffsetAt::earliest,
                                   kafka::IsolationLevel::read_uncommitted);
  auto end = kafka::list_offsets(ctx, cluster, partitions, kafka::OffsetAt::latest,
                                 kafka::IsolationLevel::read_uncommitted);
  std::map<std::string, TargetState*> states;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) states[plan.topics[i].name] = &target[i];
  for (const auto& tp : partitions) {
    states.at(tp.topic)->log_start[tp.partition] = start.at(tp);
    states.at(tp.topic)->log_end[tp.partition] = end.at(tp);
  }
}

void check_existing(const TargetTopic& topic, const TargetState& state, std::int64_t now_ms,
                    std::vector<std::string>& problems, std::string& only_if_finished) {
  if (static_cast<std::size_t>(state.partitions) < topic.partitions.size())
    problems.push_back(fmt::format("target topic {} has {} partitions, the backup {}", topic.name,
                                   state.partitions, topic.partitions.size()));
  if (state.action == TargetAction::load) return;
  std::vector<std::string> unsuitable;
  if (effective(state, "message.timestamp.type") == "LogAppendTime")
    unsuitable.push_back(fmt::format(
        "target topic {} has message.timestamp.type=LogAppendTime, which would replace every timestamp",
        topic.name));
  if (auto doomed = doomed_by(topic, state.config.effective, now_ms); !doomed.empty())
    unsuitable.push_back(
        fmt::format("target topic {}: its {}; set retention.ms=-1 and retention.bytes=-1 on it first",
                    topic.name, doomed));
  if (state.action == TargetAction::finished)
    only_if_finished = fmt::format("{}", fmt::join(unsuitable, "; "));
  else
    problems.insert(problems.end(), unsuitable.begin(), unsuitable.end());
}

using Changes = kafka::ConfigChanges;

Changes final_changes(const TargetTopic& topic, const kafka::TopicConfig& now) {
  Changes changes;
  for (const auto& [key, value] : now.overrides)
    if (!topic.final_configs.contains(key)) changes[key] = std::nullopt;
  for (const auto& [key, value] : topic.final_configs) {
    auto it = now.overrides.find(key);
    if (it == now.overrides.end() || it->second != value) changes[key] = value;
  }
  return changes;
}

// What the topic will live under once it has its final settings.
std::map<std::string, std::string> settings_to_come(const TargetTopic& topic, const kafka::TopicConfig& now) {
  auto settings = now.inherited;
  for (const auto& [key, value] : topic.final_configs) settings[key] = value;
  return settings;
}

std::string release_command(const TargetTopic& topic) {
  std::vector<std::string> set, unset;
  for (const auto* key : retention_keys) {
    auto it = topic.final_configs.find(key);
    if (it == topic.final_configs.end())
      unset.emplace_back(key);
    else
      set.push_back(fmt::format("{}={}", key, it->second));
  }
  auto command = fmt::format("kafka-configs.sh --alter --topic {}", topic.name);
  if (!set.empty()) command += fmt::format(" --add-config {}", fmt::join(set, ","));
  if (!unset.empty()) command += fmt::format(" --delete-config {}", fmt::join(unset, ","));
  return command;
}

void create_under_load_settings(const Context& ctx, kafka::Cluster& cluster,
                                std::vector<kafka::NewTopic> topics) {
  try {
    kafka::create_topics(ctx, cluster, topics);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid ||
        std::string_view(error.what()).find(newer_timestamp_keys[0]) == std::string_view::npos)
      throw;
    for (auto& topic : topics) topic.configs = for_older_brokers(topic.configs);
    kafka::create_topics(ctx, cluster, topics);
  }
}

}  // namespace

bool TargetState::has_records() const {
  return std::any_of(log_end.begin(), log_end.end(), [&](const auto& p) {
    auto start = log_start.find(p.first);
    return start == log_start.end() || start->second < p.second;
  });
}

std::vector<TargetState> inspect_target(const Context& ctx, kafka::Cluster& cluster,
                                        const RestorePlan& plan) {
  std::vector<TargetState> target(plan.topics.size());
  auto metadata = cluster.metadata_of_all_topics(ctx);
  auto existing = by_name(metadata);
  std::vector<std::string> names;
  std::vector<TopicPartition> partitions;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    auto it = existing.find(plan.topics[i].name);
    if (it == existing.end()) continue;
    names.push_back(it->first);
    target[i].partitions = static_cast<std::int32_t>(it->second->partitions.size());
    for (const auto& p : it->second->partitions) partitions.push_back({it->first, p.partition_index});
  }
  if (names.empty()) return target;
  auto configs = kafka::topic_configs(ctx, cluster, names);
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    auto it = configs.find(plan.topics[i].name);
    if (it == configs.end()) continue;
    target[i].config = it->second;
    target[i].action = is_loading(plan.topics[i], it->second) ? TargetAction::load : TargetAction::existing;
  }
  add_offsets(ctx, cluster, plan, partitions, target);
  for (std::size_t i = 0; i < plan.topics.size(); ++i)
    if (target[i].action == TargetAction::existing && is_finished(plan.topics[i], target[i]))
      target[i].action = TargetAction::finished;
  return target;
}

std::optional<Error> unfit(const api::KafkaRestoreSpec& spec, const RestorePlan& plan,
                           std::vector<TargetState>& target, std::int64_t now_ms) {
  std::vector<std::string> problems, missing;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    if (target[i].action == TargetAction::create)
      missing.push_back(plan.topics[i].name);
    else
      check_existing(plan.topics[i], target[i], now_ms, problems, target[i].only_if_finished);
  }
  if (!missing.empty() && !spec.create_topics) {
    auto listed = fmt::format("target topics that do not exist: {}", fmt::join(missing, ", "));
    if (problems.empty())
      return Error(ErrorKind::not_found, listed,
                   "set spec.createTopics: true to let the restore create them as they were");
    problems.push_back(listed);
  }
  if (problems.empty()) return std::nullopt;
  return Error(ErrorKind::conflict, fmt::format("nothing was restored: {}", fmt::join(problems, "; ")));
}

bool create_missing(const Context& ctx, kafka::Cluster& cluster, const RestorePlan& plan, int shard,
                    std::vector<TargetState>& target) {
  std::vector<kafka::NewTopic> missing;
  for (std::size_t i = 0; i < plan.topics.size(); ++i)
    if (target[i].action == TargetAction::create && has_share(plan.topics[i], shard))
      missing.push_back({.name = plan.topics[i].name,
                         .partitions = static_cast<std::int32_t>(plan.topics[i].partitions.size()),
                         .replication_factor = plan.topics[i].replication_factor,
                         .configs = plan.topics[i].load_configs});
  if (missing.empty()) return true;
  try {
    create_under_load_settings(ctx, cluster, std::move(missing));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::conflict) return false;
    throw;
  }
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    if (target[i].action != TargetAction::create || !has_share(plan.topics[i], shard)) continue;
    target[i].partitions = static_cast<std::int32_t>(plan.topics[i].partitions.size());
    for (const auto& p : plan.topics[i].partitions)
      target[i].log_start[p.partition] = target[i].log_end[p.partition] = 0;
  }
  return true;
}

std::vector<std::string> finish_configs(const Context& ctx, kafka::Cluster& cluster, const RestorePlan& plan,
                                        const std::vector<TargetState>& target, std::int64_t now_ms) {
  std::vector<std::string> names, held;
  for (std::size_t i = 0; i < plan.topics.size(); ++i)
    if (target[i].action != TargetAction::existing) names.push_back(plan.topics[i].name);
  if (names.empty()) return held;
  auto configs = kafka::topic_configs(ctx, cluster, names, kafka::ConfigDetail::with_inherited);
  std::map<std::string, Changes> all_changes;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    const auto& topic = plan.topics[i];
    if (target[i].action == TargetAction::existing) continue;
    const auto& now = configs.at(topic.name);
    const bool finished = target[i].action == TargetAction::finished;
    if (finished && now.overrides == topic.final_configs) continue;
    auto changes = finished ? Changes{} : final_changes(topic, now);
    auto doomed = doomed_by(topic, settings_to_come(topic, now), now_ms);
    if (!doomed.empty())
      for (const auto* key : retention_keys) changes.erase(key);
    all_changes[topic.name] = std::move(changes);
    if (!doomed.empty())
      held.push_back(fmt::format("the retention of topic {} is held, since {}; to release it: {}", topic.name,
                                 doomed, release_command(topic)));
  }
  kafka::alter_topic_configs(ctx, cluster, all_changes);
  return held;
}

}  // namespace kb::engine
