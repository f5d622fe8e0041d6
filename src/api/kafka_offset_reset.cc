#include "api/kafka_offset_reset.h"

#include "api/name_checks.h"

namespace kb::api {

void OffsetMappingRef::check(schema::Check& check) const {
  if (restore_name) check_object_name(check, "restoreName", *restore_name);
  if (pvc_name) check_object_name(check, "pvcName", *pvc_name);
  if (!restore_name && !path && !pvc_name)
    check.problem("restoreName", "is required unless path or pvcName is given");
}

void KafkaOffsetResetSpec::check(schema::Check& check) const {
  check_topic_patterns(check, "topics", topics);
  if (consumer_groups.empty() && consumer_group.value_or("").empty())
    check.problem("consumerGroups", "must name at least one consumer group");
  const auto strategy = canonical(reset_strategy);
  if (strategy == ResetStrategy::to_timestamp && !reset_timestamp)
    check.problem("resetTimestamp", "is required by resetStrategy to-timestamp");
  if (strategy == ResetStrategy::to_offset && !reset_offset)
    check.problem("resetOffset", "is required by resetStrategy to-offset");
  if (reset_offset && *reset_offset < 0) check.problem("resetOffset", "must be an integer of at least 0");
  if (strategy == ResetStrategy::from_mapping && !offset_mapping_ref)
    check.problem("offsetMappingRef", "is required by resetStrategy from-mapping");
}

}  // namespace kb::api
