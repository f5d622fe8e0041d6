// The checks of names.h as rules of declared types, each with its message.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/problems.h"

namespace kb::api {

// Names of claims and secrets and keys of secrets become file names in a worker: anything else is refused
// here.
void check_object_name(schema::Check& check, std::string_view field, std::string_view name);
void check_secret_key(schema::Check& check, std::string_view field, std::string_view key);
void check_topic_name(schema::Check& check, std::string_view field, std::string_view name);
// Every entry is a topic's name or a pattern with `*` and `?`.
void check_topic_patterns(schema::Check& check, std::string_view field,
                          const std::vector<std::string>& patterns);

// A cron schedule, see api/cron_schedule.h.
void check_schedule(schema::Check& check, std::string_view field, const std::optional<std::string>& schedule);

}  // namespace kb::api
