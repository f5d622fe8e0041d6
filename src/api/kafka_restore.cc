#include "api/kafka_restore.h"

#include <charconv>

#include "api/name_checks.h"
#include "api/names.h"

namespace kb::api {
namespace {

std::optional<std::int64_t> milliseconds(const std::optional<std::int64_t>& timestamp,
                                         const std::optional<schema::Timestamp>& time) {
  if (timestamp || !time) return timestamp;
  return std::chrono::floor<std::chrono::milliseconds>(*time).time_since_epoch().count();
}

bool is_partition(std::string_view text) {
  std::int32_t partition = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), partition);
  return error == std::errc() && end == text.data() + text.size() && partition >= 0;
}

}  // namespace

void BackupRef::check(schema::Check& check) const {
  bool named = name && !name->empty();
  if (!named && !storage) check.problem("name", "is required unless storage is given");
  if (named) check_object_name(check, "name", *name);
  if (namespace_name && !is_namespace_name(*namespace_name))
    check.problem("namespace", "must be the name of a namespace, not '{}'", *namespace_name);
  if (backup_id && !is_backup_id(*backup_id))
    check.problem("backupId", "must look like <backup>-20251210-020000, not '{}'", *backup_id);
}

void PointInTime::check(schema::Check& check) const {
  auto start = milliseconds(start_timestamp, start_time);
  auto end = milliseconds(end_timestamp, end_time);
  std::string_view last = end_timestamp ? "endTimestamp" : "endTime";
  if (start && end && *start >= *end)
    check.problem(last, "must be after {}", start_timestamp ? "startTimestamp" : "startTime");
}

void KafkaRestoreSpec::check(schema::Check& check) const {
  check_topic_patterns(check, "topics", topics);
  for (const auto& [source, target] : topic_mapping) {
    if (!is_topic_name(source)) check.problem("topicMapping", "maps '{}', which is no topic's name", source);
    check_topic_name(check, fmt::format("topicMapping[{}]", source), target);
  }
  for (const auto& [source, target] : partition_mapping) {
    if (!is_partition(source))
      check.problem("partitionMapping", "maps '{}', which is no partition's number", source);
    if (target < 0)
      check.problem(fmt::format("partitionMapping[{}]", source), "must be an integer of at least 0, not {}",
                    target);
  }
  for (const auto& [topic, how] : repartitioning)
    if (!is_topic_name(topic)) check.problem("repartitioning", "has '{}', which is no topic's name", topic);
  if (default_replication_factor && *default_replication_factor < 1)
    check.problem("defaultReplicationFactor", "must be an integer of at least 1");
  if (purge_topics && existing_data == ExistingData::append)
    check.problem("existingData", "cannot be append together with purgeTopics: true");
  if (workers > 1 && existing_data == ExistingData::append)
    check.problem("existingData", "cannot be append when spec.workers is above 1");
}

}  // namespace kb::api
