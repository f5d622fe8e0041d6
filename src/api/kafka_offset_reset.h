// KafkaOffsetReset: new committed offsets for consumer groups. Source: the CRD of kafka.oso.sh/v1alpha1;
// additive fields are marked. Defaults are the member initialisers.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/kafka_cluster.h"
#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

// The short words are those of the first README.
enum class ResetStrategy {
  to_earliest,
  to_latest,
  to_timestamp,
  to_offset,
  from_mapping,
  earliest,
  latest,
  timestamp,
  offset
};
constexpr auto enum_names(ResetStrategy) {
  return std::array<std::string_view, 9>{"to-earliest", "to-latest",    "to-timestamp",
                                         "to-offset",   "from-mapping", "earliest",
                                         "latest",      "timestamp",    "offset"};
}
constexpr bool enum_in_schema(ResetStrategy) {
  return true;
}
// The long word for a short one.
constexpr ResetStrategy canonical(ResetStrategy strategy) {
  switch (strategy) {
    case ResetStrategy::earliest:
      return ResetStrategy::to_earliest;
    case ResetStrategy::latest:
      return ResetStrategy::to_latest;
    case ResetStrategy::timestamp:
      return ResetStrategy::to_timestamp;
    case ResetStrategy::offset:
      return ResetStrategy::to_offset;
    default:
      return strategy;
  }
}

// Where a restore left its translation of offsets.
struct OffsetMappingRef {
  std::optional<std::string> restore_name;
  std::optional<std::string> path;
  std::optional<std::string> pvc_name;

  void fields(auto& f) {
    f("restoreName", restore_name, "The KafkaRestore.");
    f("path", path, "File of the mapping.");
    f("pvcName", pvc_name,
      "PersistentVolumeClaim with that file; `offset-mapping.json` when there is no path.");
  }
  void check(schema::Check& check) const;
};

struct KafkaOffsetResetSpec {
  KafkaCluster kafka_cluster;
  std::vector<std::string> consumer_groups;
  std::optional<std::string> consumer_group;
  ResetStrategy reset_strategy = ResetStrategy::to_earliest;
  std::optional<std::int64_t> reset_timestamp;
  std::optional<std::int64_t> reset_offset;
  std::vector<std::string> topics;
  std::uint64_t parallelism = 50;
  bool dry_run = false;
  bool continue_on_error = false;
  std::optional<OffsetMappingRef> offset_mapping_ref;
  bool snapshot_before_reset = true;

  static constexpr std::array rules{
      schema::Rule{
          "(has(self.consumerGroups) && size(self.consumerGroups) > 0) || (has(self.consumerGroup) && "
          "self.consumerGroup != '')",
          "consumerGroups must name at least one consumer group"},
      schema::Rule{"!(self.resetStrategy in ['to-timestamp', 'timestamp']) || has(self.resetTimestamp)",
                   "resetStrategy to-timestamp needs resetTimestamp (milliseconds since 1970)"},
      schema::Rule{"!(self.resetStrategy in ['to-offset', 'offset']) || has(self.resetOffset)",
                   "resetStrategy to-offset needs resetOffset"},
      schema::Rule{"self.resetStrategy != 'from-mapping' || has(self.offsetMappingRef)",
                   "resetStrategy from-mapping needs offsetMappingRef"},
  };

  void fields(auto& f) {
    f.required("kafkaCluster", kafka_cluster, "The cluster of the groups.");
    f("consumerGroups", consumer_groups, "Consumer groups.");
    f("consumerGroup", consumer_group, "One consumer group; the same as a list of one.");
    f.required("resetStrategy", reset_strategy,
               "Where to: `earliest` is the same as `to-earliest`, and so on.");
    f("resetTimestamp", reset_timestamp, "For to-timestamp: milliseconds since 1970.");
    f("resetOffset", reset_offset, "For to-offset.");
    f("topics", topics, "Topics whose offsets are set; empty is all that the group has committed.");
    f("parallelism", parallelism, "Groups worked on at the same time.", {.min = 1, .max = 1000});
    f("dryRun", dry_run, "Ask the cluster, show the plan, commit nothing.");
    f("continueOnError", continue_on_error, "Go on with the other groups when one fails.");
    f("offsetMappingRef", offset_mapping_ref, "For from-mapping.");
    f("snapshotBeforeReset", snapshot_before_reset, "Record the committed offsets first, to go back to.");
  }
  void check(schema::Check& check) const;
};

}  // namespace kb::api
