// KafkaOffsetRollback: committed offsets as they were before a reset or a restore. Source: the CRD of
// kafka.oso.sh/v1alpha1. Defaults are the member initialisers.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "api/kafka_cluster.h"
#include "schema/field.h"
#include "schema/problems.h"

namespace kb::api {

struct SnapshotRef {
  std::string name;
  std::optional<std::string> pvc_name;
  std::optional<std::string> path;
  std::optional<std::string> restore_ref;
  std::optional<std::string> offset_reset_ref;

  static constexpr std::array rules{
      schema::Rule{"self.name != '' || has(self.path) || has(self.restoreRef) || has(self.offsetResetRef)",
                   "one of name, path, restoreRef and offsetResetRef must say which snapshot"},
  };

  void fields(auto& f) {
    f.required("name", name, "Id of the snapshot; may be empty when another field says which one.");
    f("pvcName", pvc_name, "PersistentVolumeClaim with the snapshot.");
    f("path", path, "File of the snapshot.");
    f("restoreRef", restore_ref, "The KafkaRestore that took it.");
    f("offsetResetRef", offset_reset_ref, "The KafkaOffsetReset that took it.");
  }
  void check(schema::Check& check) const;
};

struct KafkaOffsetRollbackSpec {
  SnapshotRef snapshot_ref;
  KafkaCluster kafka_cluster;
  std::vector<std::string> consumer_groups;
  bool dry_run = false;
  bool verify_after_rollback = true;

  void fields(auto& f) {
    f.required("snapshotRef", snapshot_ref, "The offsets to go back to.");
    f.required("kafkaCluster", kafka_cluster, "The cluster of the groups.");
    f("consumerGroups", consumer_groups, "Consumer groups; empty is all of the snapshot.");
    f("dryRun", dry_run, "Ask the cluster, show the plan, commit nothing.");
    f("verifyAfterRollback", verify_after_rollback, "Read the offsets back and compare.");
  }
};

}  // namespace kb::api
