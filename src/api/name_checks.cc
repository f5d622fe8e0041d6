#include "api/name_checks.h"

#include "api/cron_schedule.h"
#include "api/names.h"

namespace kb::api {

void check_object_name(schema::Check& check, std::string_view field, std::string_view name) {
  if (!is_object_name(name))
    check.problem(field, "must be the name of an object (lower case letters, digits, '-' and '.'), not '{}'",
                  name);
}

void check_secret_key(schema::Check& check, std::string_view field, std::string_view key) {
  if (!is_secret_key(key))
    check.problem(field, "must be a key of a Secret (letters, digits, '-', '_' and '.'), not '{}'", key);
}

void check_topic_name(schema::Check& check, std::string_view field, std::string_view name) {
  if (!is_topic_name(name))
    check.problem(
        field, "must be a topic's name (at most 249 of letters, digits, '.', '_' and '-'), not '{}'", name);
}

void check_topic_patterns(schema::Check& check, std::string_view field,
                          const std::vector<std::string>& patterns) {
  for (std::size_t i = 0; i < patterns.size(); ++i)
    if (!is_topic_pattern(patterns[i]))
      check.problem(fmt::format("{}[{}]", field, i),
                    "must be a topic's name (letters, digits, '.', '_' and '-'; also '*' and '?'), not '{}'",
                    patterns[i]);
}

void check_schedule(schema::Check& check, std::string_view field,
                    const std::optional<std::string>& schedule) {
  if (!schedule) return;
  try {
    CronSchedule::parse(*schedule);
  } catch (const Error& error) {
    check.problem(field, "is no cron schedule: {}", error.what());
  }
}

}  // namespace kb::api
