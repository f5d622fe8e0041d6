// A resource's spec as the API server stores it, with everything that is wrong with it in one sentence. Pure.
#pragma once
#include <optional>
#include <string>

#include "api/job.h"
#include "api/kafka_backup.h"
#include "api/kafka_restore.h"
#include "operator/resource_view.h"

namespace kb::op {

// Of a spec as JSON; the whole of it goes into the order for a worker.
inline constexpr std::size_t spec_bytes_max = api::work_order_bytes_max - 4096;

template <class Spec>
struct SpecReading {
  std::optional<Spec> spec;  // none when there are problems
  std::string problems;      // bounded, whatever the values in it are
};

// Also what this version does not do yet is a problem.
SpecReading<api::KafkaBackupSpec> read_backup_spec(const ResourceView& resource);
SpecReading<api::KafkaRestoreSpec> read_restore_spec(const ResourceView& resource);

}  // namespace kb::op
