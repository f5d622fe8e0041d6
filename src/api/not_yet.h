// What is accepted as configuration but not done by this version. One table; a line goes when its feature
// comes.
#pragma once
#include <string>
#include <vector>

#include "api/resource.h"

namespace kb::api {

struct EngineSupport {
  std::vector<std::string> refused;  // whole lines: "spec.pitr is not supported by this version yet"
  std::vector<std::string> notes;    // what a single run does not do, though it goes on
};

// Only what somebody asked for counts; defaults of absent fields never do. Pure.
EngineSupport engine_support(const Resource& resource);

// The rows of the table for KafkaBackup or KafkaRestore, for the documentation.
std::vector<std::string> not_yet_of_kind(std::string_view kind);

// Throws Error(invalid) "KafkaRestore x: ..." with all refused lines.
void refuse_unsupported(const Resource& resource);

}  // namespace kb::api
