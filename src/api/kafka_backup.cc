#include "api/kafka_backup.h"

#include "api/cron_schedule.h"
#include "api/name_checks.h"

namespace kb::api {

void Retention::check(schema::Check& check) const {
  if (!enabled) return;
  if (!max_age_days && !keep_last) check.problem("enabled", "needs maxAgeDays or keepLast to be set");
  if (max_age_days == 0U) check.problem("maxAgeDays", "must be an integer of at least 1");
  if (keep_last == 0U) check.problem("keepLast", "must be an integer of at least 1");
}

void KafkaBackupSpec::check(schema::Check& check) const {
  check_topic_patterns(check, "topics", topics);
  check_topic_patterns(check, "excludeTopics", exclude_topics);
  check_schedule(check, "schedule", schedule);
  if (time_zone) {
    try {
      load_time_zone(*time_zone);
    } catch (const Error& error) {
      check.problem("timeZone", "{}", error.what());
    }
  }
  if (compression == Compression::zstd && (compression_level < 1 || compression_level > 22))
    check.problem("compressionLevel", "must be an integer between 1 and 22 when compression is zstd");
  if (continuous && stop_at_current_offsets)
    check.problem("stopAtCurrentOffsets", "cannot be true together with {}", check.path("continuous"));
  if (continuous && workers > 1)
    check.problem("workers", "must be 1 with continuous: divide the topics among several KafkaBackups");
  if (continuous && schedule)
    check.problem("schedule", "cannot be set with continuous, which makes restore points all the time");
}

}  // namespace kb::api
