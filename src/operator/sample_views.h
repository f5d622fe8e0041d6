// For tests: a resource with its Jobs and pods, looked at again and again as the operator does.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/parse.hpp>

#include "operator/backup_decision.h"
#include "operator/conditions.h"
#include "operator/job_view.h"
#include "operator/resource_view.h"
#include "operator/run_view.h"
#include "operator/spec_reading.h"
#include "schema/rfc3339.h"
#include "schema/schema.h"

namespace kb::op::sample {

inline Timestamp at(std::string_view text) {
  return schema::parse_rfc3339(text).value();
}

inline ResourceView resource(std::string kind, std::string_view spec) {
  return {.kind = std::move(kind),
          .key = {"kafka", "nightly"},
          .uid = "uid-1",
          .resource_version = "1",
          .generation = 1,
          .created = at("2025-06-01T00:30:00Z"),
          .finalizers = {},
          .annotations = {},
          .spec = boost::json::parse(spec),
          .status = nullptr};
}

inline std::string backup_spec(std::string_view more = "") {
  return std::string(R"({"kafkaCluster":{"bootstrapServers":["kafka:9092"]},"topics":["orders"],)") +
         R"("storage":{"storageType":"pvc","pvc":{"claimName":"archive"}})" + std::string(more) + "}";
}

inline api::WorkReport report(api::WorkOutcome outcome, std::string backup_id = "") {
  return {
      .outcome = outcome, .backup_id = std::move(backup_id), .records = 1000, .bytes = 2048, .seconds = 2};
}

inline api::Condition condition(const api::CommonStatus& status, std::string_view type) {
  const auto* found = find_condition(status.conditions, type);
  return found ? *found : api::Condition{.type = "", .status = "absent"};
}

inline std::string reasons(const Actions& actions) {
  std::string all;
  for (const auto& event : actions.events) all += (all.empty() ? "" : " ") + event.reason;
  return all;
}

// A KafkaBackup; look() is a reconciliation whose status was stored and whose Job was made.
struct Backup {
  ResourceView view = resource("KafkaBackup", backup_spec());
  std::vector<JobView> jobs;
  std::vector<PodView> pods;
  api::KafkaBackupStatus status;

  explicit Backup(std::string_view more_spec = "") { view.spec = boost::json::parse(backup_spec(more_spec)); }

  void edit(std::string_view more_spec) {
    view.spec = boost::json::parse(backup_spec(more_spec));
    ++view.generation;
  }
  BackupInput input(std::string_view time) const {
    auto reading = read_backup_spec(view);
    return {.resource = view,
            .spec = std::move(reading.spec),
            .problems = std::move(reading.problems),
            .start_error = {},
            .jobs = jobs,
            .pods = pods,
            .progress = {},
            .now = at(time)};
  }
  Actions look(std::string_view time, const std::optional<api::WorkProgress>& progress = {}) {
    auto seen = input(time);
    seen.progress = progress;
    auto decision = decide_backup(seen);
    status = decision.status;
    view.status = schema::write(decision.status);
    for (const auto& name : decision.actions.delete_jobs)
      std::erase_if(jobs, [&](const auto& job) { return job.name == name; });
    for (const auto& name : decision.actions.record_jobs)
      for (auto& job : jobs) job.recorded = job.recorded || job.name == name;
    if (decision.actions.start_job) make_job(at(time));
    return decision.actions;
  }
  void make_job(Timestamp time) {
    const auto& run = *status.current_run;
    const auto name = run.finishing ? finish_job_name(run) : run.job;
    for (const auto& job : jobs)
      if (job.name == name) return;
    jobs.push_back({.name = name, .uid = name, .owner_uid = view.uid, .run = run, .created = time});
  }
  void end_job(JobState state, std::optional<api::WorkReport> said) {
    auto& job = jobs.back();
    job.state = state;
    const bool failed = state == JobState::failed;
    pods.push_back({.name = job.name + "-x",
                    .job = job.name,
                    .created = job.created,
                    .terminated = true,
                    .exit_code = failed ? 5 : 0,
                    .report = std::move(said)});
  }
  void succeed() {
    end_job(JobState::complete, report(api::WorkOutcome::committed, status.current_run->backup_id));
  }
  void fail(std::string why) {
    auto said = report(api::WorkOutcome::failed);
    said.error = api::WorkError{.kind = "denied", .message = std::move(why), .hint = ""};
    end_job(JobState::failed, said);
  }
  std::string run() const { return status.current_run ? status.current_run->backup_id : "none"; }
};

}  // namespace kb::op::sample
