#include "engine/restore_plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/names.h"
#include "base/checksum.h"
#include "base/error.h"
#include "schema/writer.h"

namespace kb::engine {
namespace {

std::vector<const archive::CapturedTopic*> chosen_topics(const api::KafkaRestoreSpec& spec,
                                                         const archive::Set& set) {
  const auto& patterns = spec.topics;
  std::vector<std::string> missing;
  for (const auto& pattern : patterns) {
    auto matches = [&](const archive::CapturedTopic& t) { return api::topic_matches(pattern, t.name); };
    if (std::none_of(set.capture.topics.begin(), set.capture.topics.end(), matches))
      missing.push_back(pattern);
  }
  if (!missing.empty()) {
    std::vector<std::string> names;
    for (const auto& topic : set.capture.topics) names.push_back(topic.name);
    constexpr std::size_t shown_max = 20;
    if (names.size() > shown_max) names.resize(shown_max);
    throw Error(ErrorKind::not_found,
                fmt::format("spec.topics: backup {} does not hold {}", set.capture.backup_id,
                            fmt::join(missing, ", ")),
                fmt::format("it holds {} topics: {}", set.capture.topics.size(), fmt::join(names, ", ")));
  }
  std::vector<const archive::CapturedTopic*> chosen;
  for (const auto& topic : set.capture.topics) {
    auto matches = [&](const std::string& pattern) { return api::topic_matches(pattern, topic.name); };
    if (patterns.empty() || std::any_of(patterns.begin(), patterns.end(), matches)) chosen.push_back(&topic);
  }
  return chosen;
}

void refuse_unused_mappings(const api::KafkaRestoreSpec& spec,
                            const std::vector<const archive::CapturedTopic*>& chosen) {
  std::set<std::string_view> names;
  for (const auto* topic : chosen) names.insert(topic->name);
  for (const auto& [from, to] : spec.topic_mapping)
    if (!names.contains(from))
      fail(ErrorKind::invalid, "spec.topicMapping[{}]: the restore has no such source topic", from);
}

SourcePartition source_of(const archive::CapturedTopic& topic, const archive::CapturedPartition& p,
                          const archive::Index& index) {
  SourcePartition source{.stream = {topic.name, p.partition, p.lineage}, .bounds = {p.start, p.end}};
  if (auto it = index.streams.find(source.stream); it != index.streams.end()) source.blocks = it->second;
  auto covered = archive::first_uncovered(source.blocks, source.bounds);
  if (covered < p.end)
    fail(ErrorKind::corrupt, "the index of the backup does not cover {}/{} from offset {} on", topic.name,
         p.partition, covered);
  return source;
}

std::optional<std::int64_t> number(const std::map<std::string, std::string>& configs,
                                   const std::string& key) {
  auto it = configs.find(key);
  std::int64_t value = 0;
  if (it == configs.end()) return std::nullopt;
  auto [end, error] = std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

void add_source(TargetTopic& target, const archive::CapturedTopic& topic, const archive::Index& index) {
  target.source_topics.push_back(topic.name);
  for (const auto& p : topic.partitions) {
    auto n = static_cast<std::size_t>(p.partition);
    while (target.partitions.size() <= n)
      target.partitions.push_back({.partition = static_cast<std::int32_t>(target.partitions.size())});
    auto& partition = target.partitions[n];
    auto source = source_of(topic, p, index);
    for (const auto& block : source.blocks) {
      partition.records_max += block.records;
      partition.raw_bytes += block.raw_bytes;
    }
    partition.sources.push_back(std::move(source));
  }
}

std::string make_transactional_id(const api::KafkaRestoreSpec& spec, const std::string& restore_name,
                                  const std::string& backup_id, const std::string& archive_id) {
  boost::json::object identity{{"restore", restore_name},
                               {"archive", archive_id},
                               {"backup", backup_id},
                               {"topics", schema::write(spec.topics)},
                               {"topicMapping", schema::write(spec.topic_mapping)}};
  return fmt::format("kafka-backup-restore-{}", sha256_hex(boost::json::serialize(identity)).substr(0, 24));
}

}  // namespace

bool has_share(const TargetTopic& topic, int shard) {
  return std::any_of(topic.partitions.begin(), topic.partitions.end(),
                     [&](const TargetPartition& p) { return p.shard == shard; });
}

void divide_plan(RestorePlan& plan, int shards) {
  std::vector<TargetPartition*> partitions;
  std::vector<std::uint64_t> bytes;
  for (auto& topic : plan.topics)
    for (auto& p : topic.partitions) {
      partitions.push_back(&p);
      bytes.push_back(p.raw_bytes);
    }
  auto shard_of = divide(bytes, shards);
  for (std::size_t i = 0; i < partitions.size(); ++i) partitions[i]->shard = shard_of[i];
  plan.shards = shards;
}

std::string transactional_id(const RestorePlan& plan, const Shard& shard) {
  if (shard.count == 1) return plan.transactional_id;
  return fmt::format("{}-{}-of-{}", plan.transactional_id, shard.index, shard.count);
}

std::string doomed_by(const TargetTopic& topic, const std::map<std::string, std::string>& settings,
                      std::int64_t now_ms) {
  auto policy = settings.find("cleanup.policy");
  if (policy != settings.end() && policy->second == "compact") return {};
  auto retention_ms = number(settings, "retention.ms");
  auto retention_bytes = number(settings, "retention.bytes");
  std::uint64_t doomed = 0;
  bool too_large = false;
  for (const auto& partition : topic.partitions) {
    too_large |= retention_bytes && *retention_bytes >= 0 &&
                 partition.raw_bytes > static_cast<std::uint64_t>(*retention_bytes);
    if (!retention_ms || *retention_ms < 0) continue;
    for (const auto& source : partition.sources)
      for (const auto& block : source.blocks)
        if (block.records > 0 && block.max_timestamp < now_ms - *retention_ms) doomed += block.records;
  }
  if (doomed > 0)
    return fmt::format("retention.ms={} would delete about {} restored records at once", *retention_ms,
                       doomed);
  if (too_large)
    return fmt::format("retention.bytes={} would delete restored records at once", *retention_bytes);
  return {};
}

std::map<std::string, std::string> load_configs(const std::map<std::string, std::string>& final_configs) {
  auto configs = final_configs;
  // Nothing is deleted, compacted, refused for its age or compressed anew while it is written.
  constexpr std::array<std::pair<const char*, const char*>, 7> overlay{{
      {"cleanup.policy", "delete"},
      {"retention.ms", "-1"},
      {"retention.bytes", "-1"},
      {"message.timestamp.type", "CreateTime"},
      {"message.timestamp.before.max.ms", "9223372036854775807"},
      {"message.timestamp.after.max.ms", "9223372036854775807"},
      {"compression.type", "producer"},
  }};
  for (const auto& [key, value] : overlay) configs[key] = value;
  configs.erase("message.timestamp.difference.max.ms");
  for (const auto* key : {"local.retention.ms", "local.retention.bytes", "remote.storage.enable"})
    configs.erase(key);
  return configs;
}

RestorePlan plan_restore(const api::KafkaRestoreSpec& spec, const std::string& restore_name,
                         const archive::Set& set, const archive::Index& index, std::int64_t now_ms) {
  auto chosen = chosen_topics(spec, set);
  refuse_unused_mappings(spec, chosen);
  std::map<std::string, TargetTopic> targets;
  for (const auto* topic : chosen) {
    auto mapped = spec.topic_mapping.find(topic->name);
    const auto& name = mapped == spec.topic_mapping.end() ? topic->name : mapped->second;
    auto& target = targets[name];
    if (target.source_topics.empty()) {
      target.name = name;
      target.replication_factor =
          spec.default_replication_factor.value_or(static_cast<std::int16_t>(topic->replication_factor));
      target.final_configs = topic->configs;
      target.configs_not_captured = topic->configs_not_captured;
    }
    add_source(target, *topic, index);
  }
  RestorePlan plan{.backup_id = set.capture.backup_id,
                   .objects = index.objects,
                   .transactional_id = make_transactional_id(spec, restore_name, set.capture.backup_id,
                                                             set.capture.archive_id)};
  for (auto& [name, target] : targets) {
    target.load_configs = load_configs(target.final_configs);
    target.retention_held = doomed_by(target, target.final_configs, now_ms);
    plan.topics.push_back(std::move(target));
  }
  return plan;
}

}  // namespace kb::engine
