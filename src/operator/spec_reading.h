// A resource's spec as the API server stores it, with everything that is wrong with it in one sentence. Pure.
#pragma once
#include <optional>
#include <string>

#include "api/kafka_backup.h"
#include "api/kafka_restore.h"
#include "operator/resource_view.h"

namespace kb::op {

template <class Spec>
struct SpecReading {
  std::optional<Spec> spec;  // none when there are problems
  std::string problems;
};

// Also what this version does not do yet is a problem.
SpecReading<api::KafkaBackupSpec> read_backup_spec(const ResourceView& resource);
SpecReading<api::KafkaRestoreSpec> read_restore_spec(const ResourceView& resource);

}  // namespace kb::op
