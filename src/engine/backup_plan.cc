#include "engine/backup_plan.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/names.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/log.h"
#include "base/retry.h"
#include "engine/access_capture.h"
#include "engine/group_capture.h"
#include "engine/held_back.h"
#include "engine/lineage.h"
#include "engine/plan_history.h"
#include "engine/topic_id.h"
#include "kafka/admin.h"
#include "schema/writer.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;

// What the brokers say about the chosen topics.
struct ClusterNow {
  std::map<std::string, kafka::MetadataResponse::Topic> topics;
  std::map<TopicPartition, std::int64_t> log_start, end, epoch_end;
  std::map<TopicPartition, Held> held_back;  // where the high watermark is beyond `end`
  std::map<TopicPartition, std::uint64_t> log_bytes;
  kafka::ReadableConfigs configs;
};

// The base's entries, by topic and partition.
struct BaseEntries {
  std::map<std::string, const archive::CapturedTopic*> topics;
  std::map<TopicPartition, const archive::CapturedPartition*> partitions;
};

BaseEntries entries_of(const std::optional<Base>& base) {
  BaseEntries entries;
  if (!base) return entries;
  for (const auto& topic : base->set.capture.topics) {
    entries.topics[topic.name] = &topic;
    for (const auto& p : topic.partitions) entries.partitions[{topic.name, p.partition}] = &p;
  }
  return entries;
}

std::vector<TopicPartition> partitions_of(const ClusterNow& now) {
  std::vector<TopicPartition> all;
  for (const auto& [name, topic] : now.topics)
    for (const auto& p : topic.partitions) all.push_back({name, p.partition_index});
  return all;
}

// A topic whose configuration may not be read counts as one that has a log cleaner.
bool may_have_cleaner(const kafka::ReadableConfigs& configs, const std::string& topic) {
  auto config = configs.configs.find(topic);
  if (config == configs.configs.end()) return true;
  auto it = config->second.effective.find("cleanup.policy");
  return it != config->second.effective.end() && it->second.find("compact") != std::string::npos;
}

std::int64_t number(const kafka::TopicConfig& config, const std::string& key, std::int64_t otherwise) {
  auto it = config.effective.find(key);
  if (it == config.effective.end()) return otherwise;
  std::int64_t value = otherwise;
  std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  return value;
}

void refuse_missing(const TopicChoice& choice, const api::KafkaBackupSpec& spec) {
  if (!choice.missing.empty() && spec.on_missing_topic == api::OnMissingTopic::fail)
    throw Error(ErrorKind::not_found,
                fmt::format("spec.topics: {} {} not exist in the cluster, or the principal may not see {}",
                            fmt::join(choice.missing, ", "), choice.missing.size() == 1 ? "does" : "do",
                            choice.missing.size() == 1 ? "it" : "them"),
                "correct the name, or set spec.onMissingTopic: warn to go on without");
}

// A topic that is meant and cannot be described must not be left out of a set that says complete.
void require_described(const kafka::MetadataResponse::Topic& topic) {
  if (topic.error_code == kafka::ErrorCode::none) return;
  const auto kind =
      kafka::retriable(topic.error_code) ? ErrorKind::unavailable : kafka::kind(topic.error_code);
  fail(kind, "the brokers cannot describe topic {}: {}", *topic.name, kafka::describe(topic.error_code));
}

std::vector<std::string> names_of(const ChosenTopics& chosen) {
  std::vector<std::string> names;
  for (const auto& topic : chosen.topics) names.push_back(*topic.name);
  return names;
}

enum class LogSizes { of_cleaned, all };

ClusterNow ask_cluster(const Context& ctx, kafka::Cluster& cluster, const ChosenTopics& chosen,
                       const BaseEntries& base, LogSizes sizes) {
  ClusterNow now;
  for (const auto& topic : chosen.topics) now.topics[*topic.name] = topic;
  auto all = partitions_of(now);
  if (all.empty()) return now;
  now.configs = kafka::readable_topic_configs(ctx, cluster, names_of(chosen));
  // The start first: retention may move it on, and then less is claimed than is there, never more.
  now.log_start = kafka::list_offsets(ctx, cluster, all, kafka::OffsetAt::earliest,
                                      kafka::IsolationLevel::read_uncommitted);
  // The high watermark before the last stable offset: what is between them then was open at that moment.
  const auto high_watermark = kafka::list_offsets(ctx, cluster, all, kafka::OffsetAt::latest,
                                                  kafka::IsolationLevel::read_uncommitted);
  now.end =
      kafka::list_offsets(ctx, cluster, all, kafka::OffsetAt::latest, kafka::IsolationLevel::read_committed);
  std::map<TopicPartition, std::int32_t> epochs;
  std::vector<TopicPartition> cleaned;
  for (const auto& tp : all) {
    if (high_watermark.at(tp) > now.end.at(tp)) now.held_back[tp] = {now.end.at(tp), high_watermark.at(tp)};
    auto it = base.partitions.find(tp);
    if (it == base.partitions.end()) continue;
    if (it->second->leader_epoch >= 0) epochs[tp] = it->second->leader_epoch;
    if (may_have_cleaner(now.configs, tp.topic) && now.end[tp] != it->second->end) cleaned.push_back(tp);
  }
  if (!epochs.empty()) now.epoch_end = kafka::end_offsets_of_epochs(ctx, cluster, epochs);
  const auto& measured = sizes == LogSizes::all ? all : cleaned;
  if (!measured.empty()) now.log_bytes = kafka::log_bytes(ctx, cluster, measured);
  return now;
}

template <class Map, class Key>
auto find_value(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
  auto it = map.find(key);
  return it == map.end() ? std::nullopt : std::optional(it->second);
}

std::string configs_missing(const kafka::TopicConfig& config, const std::optional<std::string>& denied) {
  if (denied) return *denied;
  if (config.hidden.empty()) return {};
  return fmt::format("the broker does not show the value of {}", fmt::join(config.hidden, ", "));
}

archive::CapturedTopic capture_topic(const std::string& name, const ClusterNow& now, const BaseEntries& base,
                                     const archive::Capture& capture, std::int64_t base_captured_at_ms) {
  const auto& described = now.topics.at(name);
  const auto denied = find_value(now.configs.denied, name);
  const auto config = denied ? kafka::TopicConfig{} : now.configs.configs.at(name);
  TopicNow topic{.name = name, .topic_id = to_hex(described.topic_id)};
  if (may_have_cleaner(now.configs, name))
    topic.compaction = CompactionNow{.now_ms = capture.captured_at_ms,
                                     .base_captured_at_ms = base_captured_at_ms,
                                     .delete_retention_ms = number(config, "delete.retention.ms", 86'400'000),
                                     .settings_known = !denied};
  archive::CapturedTopic captured{.name = name,
                                  .topic_id = topic.topic_id,
                                  .configs = config.overrides,
                                  .configs_not_captured = configs_missing(config, denied),
                                  .compacted = topic.compaction.has_value()};
  if (!captured.configs_not_captured.empty())
    LOG_WARN("configuration of topic {} is not captured: {}", name, captured.configs_not_captured);
  auto base_topic = base.topics.find(name);
  for (const auto& p : described.partitions) {
    TopicPartition tp{name, p.partition_index};
    captured.replication_factor = static_cast<std::int32_t>(p.replica_nodes.size());
    auto in_base = base.partitions.find(tp);
    captured.partitions.push_back(continue_or_begin(
        topic,
        {.partition = tp.partition,
         .log_start_offset = now.log_start.at(tp),
         .last_stable_offset = now.end.at(tp),
         .end_offset_of_base_epoch = find_value(now.epoch_end, tp),
         .log_bytes = find_value(now.log_bytes, tp)},
        in_base == base.partitions.end() ? std::nullopt : std::optional(*in_base->second),
        base_topic == base.topics.end() ? "" : base_topic->second->topic_id, capture.backup_id));
    const auto& last = captured.partitions.back();
    if (!last.lineage_reason.empty())
      LOG_WARN("{}/{}: a new lineage begins: {}", name, last.partition, last.lineage_reason);
  }
  std::sort(captured.partitions.begin(), captured.partitions.end(),
            [](const auto& a, const auto& b) { return a.partition < b.partition; });
  return captured;
}

}  // namespace

TopicChoice choose_topics(const std::vector<std::string>& existing, const std::vector<std::string>& patterns,
                          const std::vector<std::string>& excluded) {
  auto matches_any = [](const std::vector<std::string>& list, const std::string& topic) {
    return std::any_of(list.begin(), list.end(), [&](const auto& p) { return api::topic_matches(p, topic); });
  };
  TopicChoice choice;
  for (const auto& topic : existing)
    if (matches_any(patterns, topic) && !matches_any(excluded, topic)) choice.chosen.push_back(topic);
  for (const auto& pattern : patterns)
    if (!api::is_glob(pattern) && std::find(existing.begin(), existing.end(), pattern) == existing.end())
      choice.missing.push_back(pattern);
  std::sort(choice.chosen.begin(), choice.chosen.end());
  return choice;
}

std::string spec_digest(const api::KafkaBackupSpec& spec) {
  boost::json::object content{{"topics", schema::write(spec.topics)},
                              {"excludeTopics", schema::write(spec.exclude_topics)},
                              {"onMissingTopic", schema::write(spec.on_missing_topic)}};
  return sha256_hex(boost::json::serialize(content));
}

ChosenTopics choose_topics_of(const Context& ctx, kafka::Cluster& cluster, const api::KafkaBackupSpec& spec) {
  return retry(ctx, cluster.settings().retry, "choosing topics", [&] {
    std::map<std::string, kafka::MetadataResponse::Topic> described;
    std::vector<std::string> existing;
    for (auto& topic : cluster.metadata_of_all_topics(ctx).topics) {
      if (!topic.name || topic.is_internal) continue;
      existing.push_back(*topic.name);
      described[existing.back()] = std::move(topic);
    }
    auto choice = choose_topics(existing, spec.topics, spec.exclude_topics);
    refuse_missing(choice, spec);
    ChosenTopics chosen{.topics = {}, .missing = std::move(choice.missing)};
    for (const auto& name : choice.chosen) {
      require_described(described.at(name));
      chosen.topics.push_back(std::move(described.at(name)));
    }
    return chosen;
  });
}

archive::Plan make_plan(const Context& ctx, kafka::Cluster& cluster, const BackupRequest& request,
                        const ChosenTopics& chosen, const std::string& backup_id,
                        const std::string& archive_id, const std::optional<Base>& base, std::int64_t now_ms) {
  for (const auto& name : chosen.missing) LOG_WARN("topic {} does not exist: left out", name);
  archive::Plan plan{.spec_sha256 = spec_digest(request.spec)};
  auto& capture = plan.capture;
  capture = {.backup_id = backup_id,
             .archive_id = archive_id,
             .kafka_cluster_id = cluster.cluster_id(),
             .source_cluster_id = request.spec.source_cluster_id.value_or(""),
             .captured_at_ms = now_ms,
             .base = base ? base->set.capture.backup_id : "",
             .base_sha256 = base ? base->sha256 : "",
             .missing_topics = chosen.missing};
  capture.groups = capture_groups(ctx, cluster, names_of(chosen), request.spec.consumer_group_snapshot);
  auto entries = entries_of(base);
  auto now = ask_cluster(ctx, cluster, chosen, entries,
                         request.shard.count > 1 ? LogSizes::all : LogSizes::of_cleaned);
  for (const auto& name : names_of(chosen))
    capture.topics.push_back(
        capture_topic(name, now, entries, capture, base ? base->set.capture.captured_at_ms : 0));
  capture.held_back =
      held_back(ctx, cluster, now.held_back, base ? &base->set.capture : nullptr, capture.captured_at_ms);
  capture.acls = capture_acls(ctx, cluster, names_of(chosen));
  capture.client_quotas = capture_client_quotas(ctx, cluster);
  capture.history = planned_history(capture, base ? &base->set.capture : nullptr);
  for (const auto& event : *capture.history) LOG_INFO("{}", archive::to_string(event));
  assign_shards(plan, request.shard.count, now.log_bytes);
  return plan;
}

void assign_shards(archive::Plan& plan, int shards,
                   const std::map<kafka::TopicPartition, std::uint64_t>& log_bytes) {
  constexpr std::uint64_t record_bytes_guess = 256;
  plan.shards = shards;
  std::vector<archive::CapturedPartition*> partitions;
  std::vector<std::uint64_t> guessed, bytes;
  for (auto& topic : plan.capture.topics)
    for (auto& p : topic.partitions) {
      partitions.push_back(&p);
      guessed.push_back(static_cast<std::uint64_t>(p.end - p.from) * record_bytes_guess);
      auto it = log_bytes.find({topic.name, p.partition});
      if (it != log_bytes.end() && p.end > p.start)
        bytes.push_back(
            static_cast<std::uint64_t>(static_cast<double>(it->second) * static_cast<double>(p.end - p.from) /
                                       static_cast<double>(p.end - p.start)));
      else if (guessed.back() == 0)
        bytes.push_back(0);
    }
  // One measure for all: a size that is known and one that is guessed cannot be compared.
  auto shard_of = divide(bytes.size() == guessed.size() ? bytes : guessed, shards);
  for (std::size_t i = 0; i < partitions.size(); ++i) partitions[i]->shard = shard_of[i];
}

namespace {

bool read_by_topic_id(const Context& ctx, kafka::Cluster& cluster, const archive::Plan& plan) {
  const auto& topics = plan.capture.topics;
  return cluster.version_at_any<kafka::FetchRequest>(ctx) >= kafka::FetchRequest::by_topic_id_from &&
         std::all_of(topics.begin(), topics.end(),
                     [](const auto& topic) { return topic_id_of(topic.topic_id) != kafka::Uuid{}; });
}

}  // namespace

std::string plan_broken_by(const Context& ctx, kafka::Cluster& cluster, const archive::Plan& plan) {
  if (read_by_topic_id(ctx, cluster, plan)) return {};
  std::map<std::string, kafka::MetadataResponse::Topic> described;
  for (auto& topic : cluster.metadata_of_all_topics(ctx).topics)
    if (topic.name) described[*topic.name] = topic;
  std::vector<TopicPartition> all;
  for (const auto& topic : plan.capture.topics) {
    auto it = described.find(topic.name);
    if (it == described.end()) return fmt::format("topic {} was deleted", topic.name);
    if (to_hex(it->second.topic_id) != topic.topic_id)
      return fmt::format("topic {} was deleted and created again", topic.name);
    for (const auto& p : topic.partitions) all.push_back({topic.name, p.partition});
  }
  if (all.empty()) return {};
  auto end =
      kafka::list_offsets(ctx, cluster, all, kafka::OffsetAt::latest, kafka::IsolationLevel::read_committed);
  for (const auto& topic : plan.capture.topics)
    for (const auto& p : topic.partitions)
      if (end.at({topic.name, p.partition}) < p.end)
        return fmt::format("the log of {}/{} was truncated to offset {}", topic.name, p.partition,
                           end.at({topic.name, p.partition}));
  return {};
}

}  // namespace kb::engine
