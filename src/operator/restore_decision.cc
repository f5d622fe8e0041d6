#include "operator/restore_decision.h"

#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quantities.h"
#include "operator/backup_decision.h"
#include "operator/conditions.h"
#include "operator/job_builder.h"
#include "operator/job_history.h"
#include "operator/labels.h"
#include "operator/lenient_reading.h"
#include "operator/progress_view.h"
#include "operator/run_view.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

using api::CurrentRun;
using api::RunTrigger;

class Step {
 public:
  explicit Step(const RestoreInput& in)
      : in_(in),
        before_(read_leniently<api::KafkaRestoreStatus>(in.resource.status)),
        out_{.status = before_, .actions = {}} {}

  RestoreDecision take() {
    adopt();
    if (status().current_run)
      follow_run();
    else
      look_at_spec();
    describe();
    tidy_jobs(in_.jobs, status().current_run, {}, out_.actions);
    if (status().current_run)
      out_.actions.requeue_after = progress_interval;
    else if (waiting_)
      out_.actions.requeue_after = waiting_interval;
    return std::move(out_);
  }

 private:
  static constexpr Duration waiting_interval = std::chrono::seconds(15);

  api::KafkaRestoreStatus& status() { return out_.status; }
  bool is_dry_run() const { return in_.spec && in_.spec->dry_run; }
  void note(bool warning, std::string_view reason, std::string message) {
    out_.actions.events.push_back({warning, std::string(reason), std::move(message)});
  }
  void say(std::string_view phase, std::string message) {
    status().phase = phase;
    status().message = std::move(message);
  }
  void end(std::string_view phase, std::string_view reason, std::string message);

  void adopt();
  void ask_for_job();
  Timestamp next_start_time() const;
  void follow_run();
  void ask_again();
  bool is_as_begun() const;
  void follow_active(const RunView& view);
  void record_success(const api::WorkReport& report);
  void record_failure(const RunView& view);
  void look_at_spec();
  bool may_start();
  void start();
  void refuse(std::string_view reason, std::string message);
  void describe();

  const RestoreInput& in_;
  const api::KafkaRestoreStatus before_;
  RestoreDecision out_;
  std::string reason_;    // of Ready and Complete or Failed, when this step decided it
  bool waiting_ = false;  // for something that may come
  std::string running_text_ = "Restore in progress";
};

// The names of the Jobs of a restore grow with time.
void Step::adopt() {
  if (status().current_run) return;
  auto newest = status().job.value_or("");
  for (const auto& job : in_.jobs) {
    if (!job.run || job.recorded || job.deleting || job.run->job <= newest) continue;
    newest = job.run->job;
    status().current_run = job.run;
  }
  if (status().current_run && !status().current_run->token.empty())
    status().last_run_now = status().current_run->token;
}

void Step::ask_for_job() {
  if (in_.job_is_refused && in_.now - status().current_run->start_time > refused_job_patience)
    return record_failure(
        {.state = RunState::failed, .failure = "its Job cannot be made: " + in_.start_error});
  if (status().current_run->finishing) {  // goes by the order of the run's first Job
    out_.actions.start_job = true;
    if (!in_.start_error.empty()) running_text_ += ": its last Job cannot be made: " + in_.start_error;
    return;
  }
  if (in_.spec && !is_as_begun())
    return end("Failed", "SpecChanged",
               "Restore failed: its Job is gone, and spec.dryRun is another one now");
  const auto* none = std::get_if<NoSource>(&in_.source);
  out_.actions.start_job = in_.spec && !none;
  const auto& why = !in_.spec ? in_.problems : none ? none->message : in_.start_error;
  if (why.empty()) return;
  running_text_ += ": its Job cannot be made: " + why;
  if (before_.message != running_text_) note(true, "JobNotMade", why);
}

void Step::follow_run() {
  auto& run = *status().current_run;
  const auto view = look_at_run(run, in_.jobs, in_.pods);
  switch (view.state) {
    case RunState::missing:
      return ask_for_job();
    case RunState::active:
      return follow_active(view);
    case RunState::shards_done:
      run.finishing = true;
      return ask_for_job();
    case RunState::unreported:
      running_text_ = "Restore in progress: the report of its worker was lost and is asked for again";
      return ask_again();
    case RunState::succeeded:
      return record_success(*view.report);
    case RunState::failed:
      return record_failure(view);
  }
}

// Whether the spec still asks for a dry run, or still for the restore itself.
bool Step::is_as_begun() const {
  return in_.spec && in_.spec->dry_run == out_.status.current_run->dry_run;
}

void Step::ask_again() {
  auto& run = *status().current_run;
  if (run.finishing) return out_.actions.delete_jobs.push_back(finish_job_name(run));
  // Without an id, or of a dry run, there is no finish. The same Job once more reports what it finds.
  if ((run.dry_run || run.backup_id.empty()) && is_as_begun())
    return out_.actions.delete_jobs.push_back(run.job);
  if (run.dry_run || run.backup_id.empty())
    return end("Failed", "ReportLost",
               "Restore failed: the report of its worker was lost, and the spec is another one now");
  run.finishing = true;
  ask_for_job();
}

void Step::follow_active(const RunView& view) {
  if (in_.progress) {
    const auto progress = to_run_progress(*in_.progress);
    status().records_restored = progress.records_done;
    status().bytes_restored = progress.bytes_done;
    if (!in_.progress->topic.empty()) status().current_topic = in_.progress->topic;
    if (progress.percent) status().progress_percent = *progress.percent;
    if (progress.eta_seconds) status().eta_ms = *progress.eta_seconds * 1000;
    if (in_.progress->seconds > 0)
      status().throughput_records_per_sec =
          static_cast<double>(in_.progress->records_done) / in_.progress->seconds;
  }
  if (const auto waits = why_it_waits(view, in_.now); !waits.empty())
    running_text_ += ": " + waits;
  else if (view.failed_attempts > 0)
    running_text_ += fmt::format(", attempt {}; before: {}", view.failed_attempts + 1, view.failure);
  if (in_.progress) running_text_ += trouble_of(*in_.progress);
}

void Step::end(std::string_view phase, std::string_view reason, std::string message) {
  const auto seconds = std::chrono::duration<double>(in_.now - status().current_run->start_time).count();
  status().job = status().current_run->job;
  status().completion_time = std::chrono::floor<std::chrono::seconds>(in_.now);
  status().current_run.reset();
  status().eta_ms.reset();
  status().current_topic.reset();
  reason_ = reason;
  note(phase == "Failed", reason, message);
  out_.actions.finished = FinishedRun{.succeeded = phase == "Completed",
                                      .seconds = std::max(0.0, seconds),
                                      .records = status().records_restored.value_or(0),
                                      .bytes = status().bytes_restored.value_or(0)};
  say(phase, std::move(message));
}

void Step::record_success(const api::WorkReport& report) {
  status().backup_id = report.backup_id;
  status().warnings = report.warnings;
  status().failure_reason.reset();
  if (report.outcome == api::WorkOutcome::planned)
    return end("Completed", "DryRunPassed",
               fmt::format("Dry run: backup {} with {} topics, {} partitions and {} records can be restored",
                           report.backup_id, report.topics, report.partitions, format_count(report.records)));
  status().records_restored = report.records;
  status().bytes_restored = report.bytes;
  status().segments_processed = report.segments;
  status().progress_percent = 100;
  Conditions conditions(status().conditions, in_.resource.generation, in_.now);
  if (report.retention_held > 0)
    conditions.set("RetentionHeld", true, "RetentionHeld",
                   fmt::format("{}", fmt::join(report.warnings, "; ")));
  end("Completed", "RestoreSucceeded",
      fmt::format("Backup {} restored: {} topics, {} records, {}", report.backup_id, report.topics,
                  format_count(report.records), format_bytes(report.bytes)));
}

void Step::record_failure(const RunView& view) {
  status().failure_reason = view.failure;
  end("Failed", "RestoreFailed", "Restore failed: " + view.failure);
}

// Whether there is anything to start. What is over stays over, as restore_decision.h says.
bool Step::may_start() {
  const auto token = in_.resource.annotation(run_now_annotation);
  if (!token.empty() && token != status().last_run_now.value_or("")) return true;
  const bool edited = before_.observed_generation != in_.resource.generation;
  if (before_.phase == "Completed") {
    const auto* ready = find_condition(before_.conditions, "Ready");
    return edited && ready && ready->reason == "DryRunPassed";
  }
  const bool failed_run = before_.phase == "Failed" || before_.phase == "RolledBack";
  return !failed_run || edited;
}

void Step::look_at_spec() {
  if (!in_.spec) {
    if (before_.phase == "Completed") return;
    return refuse("ValidationFailed", "Validation error: " + in_.problems);
  }
  if (!may_start()) {
    Conditions(status().conditions, in_.resource.generation, in_.now).remove("RunNowRefused");
    return;
  }
  if (const auto* none = std::get_if<NoSource>(&in_.source)) {
    waiting_ = none->may_come;
    return refuse(none->reason, none->message);
  }
  const bool is_unnamed = std::get<BackupSource>(in_.source).backup_id.empty() && !is_dry_run();
  if (is_unnamed && in_.spec->existing_data == api::ExistingData::append)
    return refuse(
        "BackupIdRequired",
        "spec.existingData: append needs spec.backupRef.backupId: a pod that is started again must not add "
        "another backup");
  if (is_unnamed && in_.spec->workers > 1)
    return refuse(
        "BackupIdRequired",
        "spec.workers: several workers must restore the same backup: spec.backupRef.backupId says which "
        "(kafka-backup list shows what there is)");
  start();
}

void Step::refuse(std::string_view reason, std::string message) {
  if (before_.phase == "Completed") {
    const auto* told = find_condition(before_.conditions, "RunNowRefused");
    if (!told || told->message != message) note(true, reason, message);
    Conditions(status().conditions, in_.resource.generation, in_.now)
        .set("RunNowRefused", true, reason, std::move(message));
    return;
  }
  reason_ = reason;
  const bool is_news = status().message != message;
  say(waiting_ ? "Pending" : "Failed", std::move(message));
  if (is_news) note(true, reason, *status().message);
}

// Jobs are named by it, so it grows, whatever the clock does.
Timestamp Step::next_start_time() const {
  Timestamp time = std::chrono::floor<std::chrono::seconds>(in_.now);
  auto after = [&](Timestamp used) {
    time =
        std::max<Timestamp>(time, std::chrono::floor<std::chrono::seconds>(used) + std::chrono::seconds(1));
  };
  if (before_.start_time) after(*before_.start_time);
  for (const auto& job : in_.jobs)
    if (job.run) after(job.run->start_time);
  return time;
}

void Step::start() {
  const auto& source = std::get<BackupSource>(in_.source);
  const auto time = next_start_time();
  const auto token = in_.resource.annotation(run_now_annotation);
  const bool asked = !token.empty() && token != status().last_run_now.value_or("");
  CurrentRun run{.backup_id = source.backup_id,
                 .trigger = asked ? RunTrigger::run_now : RunTrigger::spec,
                 .token = asked ? token : "",
                 .job = job_name(in_.resource, std::chrono::floor<std::chrono::seconds>(time)),
                 .shards = is_dry_run() ? 1 : static_cast<std::int32_t>(in_.spec->workers),
                 .dry_run = is_dry_run(),
                 .start_time = time};
  if (asked) status().last_run_now = token;
  status().start_time = time;
  status().completion_time.reset();
  status().progress_percent = 0;
  status().records_restored.reset();
  status().bytes_restored.reset();
  status().failure_reason.reset();
  status().warnings.clear();
  Conditions conditions(status().conditions, in_.resource.generation, in_.now);
  conditions.remove("RetentionHeld");
  conditions.remove("RunNowRefused");
  if (!source.backup_id.empty()) status().backup_id = source.backup_id;
  note(false, "RestoreStarted",
       source.backup_id.empty() ? "Restore of the newest backup started"
                                : "Restore of backup " + source.backup_id + " started");
  status().current_run = std::move(run);
  out_.actions.start_job = true;
}

void Step::describe() {
  Conditions conditions(status().conditions, in_.resource.generation, in_.now);
  const bool running = status().current_run.has_value();
  conditions.remove("ReconciliationPaused");
  status().job = running ? std::optional(status().current_run->job) : status().job;
  if (running) say("Running", running_text_);
  // An edit that a run kept from being acted on is looked at after it.
  if (!before_.current_run) status().observed_generation = in_.resource.generation;
  conditions.set("Progressing", running, running ? "RestoreRunning" : "Idle", running ? running_text_ : "");
  const auto text = status().message.value_or("");
  if (running) {
    conditions.set_unknown("Ready", "RestoreRunning", "");
    conditions.set("Complete", false, "RestoreRunning", "");
    conditions.set("Failed", false, "RestoreRunning", "");
  } else if (!reason_.empty()) {
    const bool complete = status().phase == "Completed";
    conditions.set("Ready", complete, reason_, text);
    conditions.set("Complete", complete, reason_, complete ? text : "");
    conditions.set("Failed", status().phase == "Failed", reason_, complete ? "" : text);
  }
  const auto* ready = find_condition(status().conditions, "Ready");
  const bool edited = !running && status().phase == "Completed" && in_.spec && ready &&
                      ready->reason != "DryRunPassed" &&
                      before_.observed_generation != in_.resource.generation && before_.phase == "Completed";
  if (edited)
    note(true, "SpecChangedAfterCompletion",
         fmt::format("The restore is complete and is not run again by an edit; the annotation {}: <token> "
                     "runs it again",
                     run_now_annotation));
}

}  // namespace

RestoreDecision decide_restore(const RestoreInput& input) {
  return Step(input).take();
}

}  // namespace kb::op
