// What is known about a KafkaOffsetReset, a KafkaOffsetRollback and a KafkaBackupValidation. Source: the CRDs
// of kafka.oso.sh/v1alpha1.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/condition.h"
#include "schema/field.h"

namespace kb::api {

struct GroupResult {
  std::string group_id;
  bool success = false;
  std::optional<std::string> error;
  std::optional<std::uint64_t> partitions_reset;

  void fields(auto& f) {
    f.required("groupId", group_id, "The consumer group.");
    f.required("success", success, "Whether its offsets are set.");
    f("error", error, "Why not.");
    f("partitionsReset", partitions_reset, "Partitions whose offset was set.");
  }
};

struct KafkaOffsetResetStatus : CommonStatus {
  std::optional<schema::Timestamp> start_time;
  std::optional<schema::Timestamp> completion_time;
  std::optional<std::uint64_t> groups_total;
  std::optional<std::uint64_t> groups_reset;
  std::optional<std::uint64_t> groups_failed;
  std::optional<std::string> duration;
  std::optional<std::string> snapshot_id;
  std::optional<std::string> snapshot_path;
  std::vector<GroupResult> group_results;

  void fields(auto& f) {
    CommonStatus::fields(f);
    f("startTime", start_time, "Start of the reset.");
    f("completionTime", completion_time, "Its end.");
    f("groupsTotal", groups_total, "Groups that were asked for.");
    f("groupsReset", groups_reset, "Groups that were reset.");
    f("groupsFailed", groups_failed, "Groups that were not.");
    f("duration", duration, "How long it took.");
    f("snapshotId", snapshot_id, "Id of the snapshot taken before.");
    f("snapshotPath", snapshot_path, "Where it is.");
    f("groupResults", group_results, "Each group.");
  }
};

struct RollbackVerification {
  bool all_matched = false;
  std::uint64_t total_groups = 0;
  std::uint64_t matched_groups = 0;
  std::vector<std::string> mismatched_groups;

  void fields(auto& f) {
    f.required("allMatched", all_matched, "Whether every offset read back is the one of the snapshot.");
    f.required("totalGroups", total_groups, "Groups that were compared.");
    f.required("matchedGroups", matched_groups, "Groups that are equal.");
    f("mismatchedGroups", mismatched_groups, "Groups that are not.");
  }
};

struct KafkaOffsetRollbackStatus : CommonStatus {
  std::optional<schema::Timestamp> start_time;
  std::optional<schema::Timestamp> completion_time;
  std::optional<std::uint64_t> groups_rolled_back;
  std::optional<std::uint64_t> groups_failed;
  std::optional<RollbackVerification> verification;

  void fields(auto& f) {
    CommonStatus::fields(f);
    f("startTime", start_time, "Start of the rollback.");
    f("completionTime", completion_time, "Its end.");
    f("groupsRolledBack", groups_rolled_back, "Groups that were rolled back.");
    f("groupsFailed", groups_failed, "Groups that were not.");
    f("verification", verification, "The offsets as they were read back.");
  }
};

struct CheckResult {
  std::string check_name;
  std::string outcome;
  std::optional<std::string> message;
  std::optional<std::uint64_t> duration_ms;

  void fields(auto& f) {
    f.required("checkName", check_name, "The check.");
    f.required("outcome", outcome, "Passed, Failed, Skipped or Warning.");
    f("message", message, "What it found.");
    f("durationMs", duration_ms, "Milliseconds it took.");
  }
};

struct KafkaBackupValidationStatus : CommonStatus {
  std::optional<std::string> validation_result;
  std::optional<schema::Timestamp> start_time;
  std::optional<schema::Timestamp> completion_time;
  std::optional<std::uint32_t> checks_total;
  std::optional<std::uint32_t> checks_completed;
  std::optional<std::uint32_t> checks_passed;
  std::optional<std::uint32_t> checks_failed;
  std::optional<std::uint32_t> checks_warned;
  std::vector<CheckResult> check_results;
  std::optional<std::string> evidence_report_path;
  std::optional<bool> evidence_report_signed;
  std::optional<schema::Timestamp> last_validation_time;
  std::optional<schema::Timestamp> next_scheduled_validation;

  void fields(auto& f) {
    CommonStatus::fields(f);
    f("validationResult", validation_result, "Pass, Fail, Warn or Skip.");
    f("startTime", start_time, "Start of the validation.");
    f("completionTime", completion_time, "Its end.");
    f("checksTotal", checks_total, "Checks that were asked for.");
    f("checksCompleted", checks_completed, "Checks that were made.");
    f("checksPassed", checks_passed, "Checks that passed.");
    f("checksFailed", checks_failed, "Checks that failed.");
    f("checksWarned", checks_warned, "Checks that passed with a warning.");
    f("checkResults", check_results, "Each check.");
    f("evidenceReportPath", evidence_report_path, "Where the report is.");
    f("evidenceReportSigned", evidence_report_signed, "Whether it is signed.");
    f("lastValidationTime", last_validation_time, "When it last ran.");
    f("nextScheduledValidation", next_scheduled_validation, "The next tick of the schedule.");
  }
};

}  // namespace kb::api
