#include "operator/backup_decision.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include <fmt/format.h>

#include "api/cron_schedule.h"
#include "base/backup_id.h"
#include "base/quantities.h"
#include "operator/conditions.h"
#include "operator/job_builder.h"
#include "operator/job_history.h"
#include "operator/labels.h"
#include "operator/lenient_reading.h"
#include "operator/progress_view.h"
#include "operator/restore_points.h"
#include "operator/run_figures.h"
#include "operator/run_view.h"
#include "operator/schedule.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

using api::CurrentRun;
using api::RunTrigger;
using namespace std::chrono_literals;

constexpr auto continuous_rest = 60s;  // between a failure and the next attempt

Seconds to_seconds(schema::Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

std::optional<Seconds> to_seconds(const std::optional<schema::Timestamp>& time) {
  if (!time) return std::nullopt;
  return to_seconds(*time);
}

std::string observed(const api::KafkaBackupSpec& spec) {
  return spec.time_zone ? fmt::format("{} {}", *spec.schedule, *spec.time_zone) : *spec.schedule;
}

// One reconciliation; the members are its steps.
class Step {
 public:
  explicit Step(const BackupInput& in)
      : in_(in),
        before_(read_leniently<api::KafkaBackupStatus>(in.resource.status)),
        out_{.status = before_, .actions = {}} {}

  BackupDecision take() {
    take_over_failure();
    adopt();
    stop_continuous();
    follow_run();
    if (in_.spec) {
      follow_schedule();
      start_when_asked();
    } else {
      status().next_scheduled_backup.reset();
    }
    describe();
    tidy_jobs(in_.jobs, status().current_run, history_limits(), out_.actions);
    plan_next_look();
    return std::move(out_);
  }

 private:
  api::KafkaBackupStatus& status() { return out_.status; }
  const std::string& name() const { return in_.resource.key.name; }
  bool is_scheduled() const { return in_.spec && in_.spec->schedule; }
  bool is_suspended() const { return in_.spec && in_.spec->suspend; }
  bool is_continuous() const { return in_.spec && in_.spec->continuous; }
  // Not negative when the clock went back.
  double seconds_since(Timestamp time) const {
    return std::max(0.0, std::chrono::duration<double>(in_.now - time).count());
  }
  bool is_new_generation() const { return before_.observed_generation != in_.resource.generation; }

  void note(bool warning, std::string_view reason, std::string message) {
    out_.actions.events.push_back({warning, std::string(reason), std::move(message)});
  }

  void note_losses(std::uint64_t offsets, const std::string& backup_id) {
    note(true, "OffsetsLost", lost_text(offsets, backup_id));
  }

  void take_over_failure();
  bool is_over(const CurrentRun& run) const;
  void adopt();
  void follow_run();
  void ask_for_job();
  void follow_active(const RunView& view);
  void stop_continuous();
  bool is_ending(const CurrentRun& run) const;
  void take_last_words(const CurrentRun& run);
  bool is_of_the_other_kind(const CurrentRun& run) const;
  void follow_continuous(const api::WorkProgress& progress);
  void record_losses(std::uint64_t lost_offsets);
  void end_run();
  void record_success(const api::WorkReport& report);
  void record_retention(const api::ReportedRetention& retention);
  void record_failure(const RunView& view);

  void follow_schedule();
  void watch_schedule_edits();
  void distrust_the_future();
  void act_on_tick(const Ticks& ticks);
  void skip(Seconds tick, std::uint64_t count, const std::string& why);
  void start_when_asked();
  bool one_shot_is_due();
  bool continuous_is_due() const;
  void start(CurrentRun run);
  Seconds next_id_time();
  bool resume_job_of(const std::function<bool(const CurrentRun&)>& is_it);

  void describe();
  void describe_phase();
  void note_changes();
  void describe_conditions();
  HistoryLimits history_limits() const;
  void plan_next_look();

  const BackupInput& in_;
  const api::KafkaBackupStatus before_;
  BackupDecision out_;
  std::string running_text_ = "Backup in progress";
};

// Another operator tells a failed run by a condition only.
void Step::take_over_failure() {
  const auto* ready = find_condition(before_.conditions, "Ready");
  if (before_.failure_reason || before_.phase != "Failed" || !ready || ready->reason != "BackupFailed")
    return;
  status().failure_reason = ready->message.value_or(before_.message.value_or("no reason is known"));
}

// Ids grow, so what is not newer than the last run that ended is over, whatever its Job looks like.
bool Step::is_over(const CurrentRun& run) const {
  const auto last = time_of_backup_id(out_.status.last_run_id.value_or(""));
  const auto own = time_of_backup_id(run.backup_id);
  return last && (!own || *own <= *last);
}

// A Job that no status knows of: the newest goes on, or its outcome is read, and is not begun again.
void Step::adopt() {
  if (status().current_run) return;
  auto newest = Seconds::min();
  for (const auto& job : in_.jobs) {
    if (!job.run || job.recorded || job.deleting || is_over(*job.run)) continue;
    const auto time = time_of_backup_id(job.run->backup_id);
    if (!time || *time < newest) continue;
    newest = *time;
    status().current_run = job.run;
  }
  if (!status().current_run) return;
  const auto& run = *status().current_run;
  if (run.tick)
    status().last_schedule_time = std::max(*run.tick, status().last_schedule_time.value_or(*run.tick));
  if (!run.token.empty()) status().last_run_now = run.token;
}

// When nobody wants it any more, or wants another one. A spec that cannot be read is about to be corrected. A
// newer operator may make another digest of the same spec, hence the generation.
void Step::stop_continuous() {
  auto& run = status().current_run;
  if (!run || !run->continuous || !in_.spec) return;
  const bool is_edited = is_new_generation() && run->spec_sha256 != run_digest(*in_.spec);
  if (is_suspended() || !is_continuous() || is_edited) run->cancelled = true;
}

// A Job made now would be of what the spec says now, and be taken for the other kind.
bool Step::is_of_the_other_kind(const CurrentRun& run) const {
  return in_.spec && !run.finishing && run.continuous != is_continuous();
}

// Its pods store what they have read.
bool Step::is_ending(const CurrentRun& run) const {
  return run.continuous &&
         std::ranges::any_of(in_.jobs, [&](const auto& job) { return job.name == run.job && job.deleting; });
}

// What a pod made durable last; it may be gone before anybody looks, and another one may have gone on since.
void Step::take_last_words(const CurrentRun& run) {
  for (const auto& pod : in_.pods) {
    if (pod.job != run.job || !pod.terminated || !pod.report) continue;
    record_losses(pod.report->lost_offsets);
    if (pod.report->points) follow_points(status(), name(), *pod.report->points);
  }
}

// What a continuous worker says while it goes on.
void Step::follow_continuous(const api::WorkProgress& progress) {
  // Before that it has not reached the cluster, which may be what failed last time.
  if (progress.partitions_total > 0) status().failure_reason.reset();
  if (progress.points) follow_points(status(), name(), *progress.points);
  record_losses(progress.lost_offsets);
  const Timestamp retained(std::chrono::seconds(progress.retention_s));
  if (progress.retention && retained > status().last_retention_time.value_or(Timestamp())) {
    record_retention(*progress.retention);
    status().last_retention_time = retained;
  }
}

// Of a continuous run: at least so many, as a worker counts its own. The first of them is an event.
void Step::record_losses(std::uint64_t lost_offsets) {
  const auto known = status().lost_offsets.value_or(0);
  status().lost_offsets = std::max(known, lost_offsets);
  if (known > 0 || lost_offsets == 0) return;
  note_losses(lost_offsets, status().current_run->backup_id);
}

void Step::follow_run() {
  if (!status().current_run) return;
  auto& run = *status().current_run;
  if (run.continuous) {
    running_text_ = "Continuous backup in progress";
    take_last_words(run);
  }
  if (run.cancelled && is_ending(run)) {
    running_text_ = "Continuous backup is being stopped";
    return;
  }
  const auto view = look_at_run(run, in_.jobs, in_.pods);
  switch (view.state) {
    case RunState::missing:
      if (run.cancelled || is_of_the_other_kind(run)) {
        note(false, run.continuous ? "BackupStopped" : "BackupReplaced",
             run.continuous
                 ? fmt::format("Continuous backup {} was stopped{}", run.backup_id,
                               is_suspended() ? ": suspended" : ": the spec was edited")
                 : fmt::format("Backup {} was stopped to make room for the next one", run.backup_id));
        out_.actions.delete_jobs.push_back(run.finishing ? finish_job_name(run) : run.job);  // may be unseen
        return end_run();
      }
      return ask_for_job();
    case RunState::active:
      return follow_active(view);
    case RunState::shards_done:
      run.finishing = true;
      out_.actions.start_job = true;
      return;
    case RunState::unreported:
      if (run.finishing) out_.actions.delete_jobs.push_back(finish_job_name(run));
      if (!run.finishing) out_.actions.start_job = true;
      run.finishing = true;
      running_text_ = "Backup in progress: the report of its worker was lost and is asked for again";
      return;
    case RunState::succeeded:
      return record_success(*view.report);
    case RunState::failed:
      return record_failure(view);
  }
}

void Step::ask_for_job() {
  const auto& run = *status().current_run;
  if (in_.job_is_refused && in_.now - run.start_time > refused_job_patience)
    return record_failure(
        {.state = RunState::failed, .failure = "its Job cannot be made: " + in_.start_error});
  out_.actions.start_job = true;
  if (in_.start_error.empty()) return;
  running_text_ += ": its Job cannot be made: " + in_.start_error;
  if (before_.message != running_text_) note(true, "JobNotMade", in_.start_error);
}

void Step::follow_active(const RunView& view) {
  auto& run = *status().current_run;
  if (run.cancelled) out_.actions.delete_jobs.push_back(run.finishing ? finish_job_name(run) : run.job);
  out_.actions.delete_pods_first = run.continuous;
  if (in_.progress && run.continuous) follow_continuous(*in_.progress);
  if (in_.progress) {
    status().progress = to_run_progress(*in_.progress);
    if (in_.progress->checkpoint_s > 0)
      status().last_checkpoint_time = Timestamp(std::chrono::seconds(in_.progress->checkpoint_s));
    status().resumable = in_.progress->checkpoints > 0;
  }
  if (run.cancelled)
    running_text_ =
        run.continuous ? "Continuous backup is being stopped" : "Backup is being stopped, to be replaced";
  else if (const auto waits = why_it_waits(view, in_.now); !waits.empty())
    running_text_ += ": " + waits;
  else if (view.failed_attempts > 0)
    running_text_ += fmt::format(", attempt {}; before: {}", view.failed_attempts + 1, view.failure);
  if (in_.progress) running_text_ += trouble_of(*in_.progress);
}

void Step::end_run() {
  status().last_run_spec_sha256 = status().current_run->spec_sha256;
  status().last_run_id = status().current_run->backup_id;
  status().current_run.reset();
  status().progress.reset();
  status().resumable = false;
}

void Step::record_success(const api::WorkReport& report) {
  const auto run = *status().current_run;
  const auto seconds = seconds_since(run.start_time);
  record_figures(status(), report, run.backup_id, to_seconds(in_.now), seconds);
  status().failure_reason.reset();
  if (report.points) record_points(status(), name(), report);
  if (report.retention) record_retention(*report.retention);
  end_run();
  note(false, "BackupCompleted", success_text(out_.status));
  if (report.lost_offsets > 0) note_losses(report.lost_offsets, run.backup_id);
  out_.actions.finished =
      FinishedRun{.succeeded = true, .seconds = seconds, .records = report.records, .bytes = report.bytes};
}

void Step::record_retention(const api::ReportedRetention& retention) {
  op::record_retention(status(), retention, to_seconds(in_.now));
  if (!retention.error.empty())
    note(true, "RetentionFailed", retention.error);
  else if (retention.deleted > 0)
    note(false, "RetentionApplied",
         fmt::format("{} old backups deleted, {} freed", retention.deleted,
                     format_bytes(retention.reclaimed_bytes)));
}

void Step::record_failure(const RunView& view) {
  const auto run = *status().current_run;
  status().last_failure_time = to_seconds(in_.now);
  status().failure_reason = view.failure;
  end_run();
  note(true, "BackupFailed", fmt::format("Backup {} failed: {}", run.backup_id, view.failure));
  out_.actions.finished = FinishedRun{.succeeded = false, .seconds = seconds_since(run.start_time)};
}

// ---- when to start

// An edited schedule counts from the edit on: its ticks of the past mean nothing.
void Step::watch_schedule_edits() {
  const auto now_observed = observed(*in_.spec);
  if (status().observed_schedule == now_observed) return;
  // Without its schedule a backup of ours says so; one that another operator left has its ticks.
  const bool was_seen_without =
      !status().observed_schedule && before_.observed_generation && !before_.last_schedule_time;
  if (status().observed_schedule || was_seen_without) status().schedule_since = to_seconds(in_.now);
  status().observed_schedule = now_observed;
}

// A last tick that lies more than a day ahead was written by a clock that was wrong, and nothing would run
// for ages. Everything up to now was acted on then.
void Step::distrust_the_future() {
  const auto believed_until = in_.now + clock_error_max;
  if (status().last_schedule_time <= believed_until && status().schedule_since <= believed_until) return;
  status().last_schedule_time.reset();
  status().schedule_since = to_seconds(in_.now);
}

void Step::follow_schedule() {
  if (!is_scheduled()) {
    status().next_scheduled_backup.reset();
    if (status().observed_schedule) status().observed_schedule = "";  // also the same one again is an edit
    return;
  }
  watch_schedule_edits();
  distrust_the_future();
  const auto schedule = api::CronSchedule::parse(*in_.spec->schedule);
  const auto zone = api::load_time_zone(in_.spec->time_zone.value_or(""));
  const auto now = to_seconds(in_.now);
  const auto after =
      ticks_count_after(to_seconds(in_.resource.created), to_seconds(status().last_schedule_time),
                        to_seconds(status().schedule_since), now);
  const auto ticks = look_at_ticks(schedule, zone, after, now);
  status().next_scheduled_backup.reset();
  if (is_suspended()) return;
  if (ticks.next) status().next_scheduled_backup = *ticks.next;
  if (ticks.due) act_on_tick(ticks);
}

void Step::act_on_tick(const Ticks& ticks) {
  const auto due = *ticks.due;
  const auto late = to_seconds(in_.now) - due;
  const auto deadline = in_.spec->starting_deadline_seconds;
  // A run that is stopped for a tick may take its time.
  const bool is_stopped_for_it = before_.current_run && before_.current_run->cancelled;
  if (deadline && !is_stopped_for_it && late > std::chrono::seconds(*deadline))
    return skip(due, ticks.missed + 1,
                fmt::format("it was {} s late, more than startingDeadlineSeconds", late.count()));
  if (status().current_run && in_.spec->concurrency_policy == api::ConcurrencyPolicy::replace) {
    status().current_run->cancelled = true;  // the tick stays due until the run is gone
    return;
  }
  if (status().current_run)
    return skip(due, ticks.missed + 1,
                fmt::format("backup {} was still in progress", status().current_run->backup_id));
  if (ticks.missed > 0) skip(due, ticks.missed, "several ticks were missed; one run stands for them");
  status().last_schedule_time = due;
  if (resume_job_of([&](const CurrentRun& run) { return run.tick == Timestamp(due); })) return;
  start({.trigger = RunTrigger::schedule, .tick = due});
}

void Step::skip(Seconds tick, std::uint64_t count, const std::string& why) {
  status().skipped_ticks = status().skipped_ticks.value_or(0) + count;
  status().last_schedule_time = tick;
  status().last_skipped_tick = tick;
  status().last_skip_reason = why;
  note(false, "TickSkipped",
       count == 1 ? fmt::format("Tick {} skipped: {}", schema::format_rfc3339(tick), why)
                  : fmt::format("{} ticks up to {} skipped: {}", count, schema::format_rfc3339(tick), why));
}

void Step::start_when_asked() {
  if (status().current_run || is_suspended()) return;
  const auto token = in_.resource.annotation(run_now_annotation);
  if (!token.empty() && token != status().last_run_now.value_or("")) {
    status().last_run_now = token;
    if (!resume_job_of([&](const CurrentRun& run) { return run.token == token; }))
      start({.trigger = RunTrigger::run_now, .token = token});
    return;
  }
  if (is_continuous()) {
    if (continuous_is_due()) start({.trigger = RunTrigger::spec});
    return;
  }
  if (!is_scheduled() && one_shot_is_due()) {
    const auto digest = run_digest(*in_.spec);
    if (!resume_job_of([&](const CurrentRun& run) {
          // Not one before the last: the spec was another one since.
          return run.trigger == RunTrigger::spec && run.spec_sha256 == digest && !is_over(run);
        }))
      start({.trigger = RunTrigger::spec});
  }
}

// Once for each spec; what another operator has recorded of this generation counts.
bool Step::one_shot_is_due() {
  const auto digest = run_digest(*in_.spec);
  if (!before_.last_run_id && !is_new_generation() &&
      (before_.phase == "Completed" || status().failure_reason)) {
    status().last_run_spec_sha256 = digest;
    return false;
  }
  if (!status().last_run_spec_sha256) return true;
  // A newer operator may make another digest of the same spec, hence the generation.
  return is_new_generation() && *status().last_run_spec_sha256 != digest;
}

// Always, but for a while after a failure.
bool Step::continuous_is_due() const {
  if (!out_.status.failure_reason || !out_.status.last_failure_time || is_new_generation()) return true;
  const auto rested = in_.now - *out_.status.last_failure_time;
  return rested >= continuous_rest || rested < -clock_error_max;  // or a clock that was wrong wrote it
}

// What was begun once is not begun again when only the status was lost.
bool Step::resume_job_of(const std::function<bool(const CurrentRun&)>& is_it) {
  for (const auto& job : in_.jobs)
    if (job.run && !job.deleting && is_it(*job.run)) {
      if (!is_over(*job.run)) status().current_run = job.run;
      return true;
    }
  return false;
}

// Ids of runs grow, whatever the clock does.
Seconds Step::next_id_time() {
  auto time = to_seconds(in_.now);
  auto after = [&](const std::string& id) {
    if (auto used = time_of_backup_id(id)) time = std::max(time, *used + 1s);
  };
  after(status().last_run_id.value_or(""));
  after(status().backup_id.value_or(""));
  for (const auto& job : in_.jobs)
    if (job.run) after(job.run->backup_id);
  return time;
}

void Step::start(CurrentRun run) {
  const auto time = next_id_time();
  run.backup_id = make_backup_id(name(), time);
  run.spec_sha256 = run_digest(*in_.spec);
  run.job = job_name(in_.resource, time);
  run.shards = static_cast<std::int32_t>(in_.spec->workers);
  run.continuous = is_continuous();
  if (run.continuous) status().lost_offsets = 0;
  run.start_time = to_seconds(in_.now);
  note(false, "BackupStarted",
       run.trigger == RunTrigger::schedule
           ? fmt::format("Backup {} started for tick {}", run.backup_id, schema::format_rfc3339(*run.tick))
           : fmt::format("Backup {} started", run.backup_id));
  status().current_run = std::move(run);
  out_.actions.start_job = true;
}

// ---- what to say

void Step::describe() {
  status().checkpoint_enabled =
      in_.spec ? in_.spec->checkpoint.value_or(api::Checkpoint{}).enabled : before_.checkpoint_enabled;
  describe_phase();
  note_changes();
  describe_conditions();
  // An edit that a run in progress keeps from being acted on is not observed yet.
  const bool waits = status().current_run && in_.spec && !is_scheduled() &&
                     status().current_run->spec_sha256 != run_digest(*in_.spec);
  if (!waits) status().observed_generation = in_.resource.generation;
}

void Step::describe_phase() {
  auto say = [&](std::string_view phase, std::string message) {
    status().phase = phase;
    status().message = std::move(message);
  };
  if (!in_.spec) return say("Failed", "Validation error: " + in_.problems);
  if (status().current_run) return say("Running", running_text_);
  if (status().failure_reason)
    return say("Failed", "Backup failed: " + *status().failure_reason +
                             (is_continuous() && !is_suspended() ? "; it is tried again in a minute" : ""));
  if (is_suspended() && !status().backup_id)
    return say("Pending", "Suspended: nothing runs until spec.suspend is false");
  if (is_continuous() && is_suspended())
    return say("Pending", fmt::format("Suspended; the newest restore point is {}", *status().backup_id));
  const std::string suspended = is_suspended() ? "; suspended" : "";
  if (status().backup_id) return say("Completed", success_text(out_.status) + suspended);
  say("Ready", is_scheduled() ? "Backup schedule is active" : "Backup is about to start");
}

void Step::note_changes() {
  const auto* ready = find_condition(before_.conditions, "Ready");
  const bool is_told = ready && ready->reason == "ValidationFailed" && ready->message == in_.problems;
  if (!in_.spec && !is_told) note(true, "ValidationFailed", in_.problems);
  const bool was_suspended = find_condition(before_.conditions, "Suspended") != nullptr;
  if (in_.spec && is_suspended() && !was_suspended) note(false, "Suspended", "No run is started");
  if (in_.spec && !is_suspended() && was_suspended) note(false, "Resumed", "Runs are started again");
}

void Step::describe_conditions() {
  Conditions conditions(status().conditions, in_.resource.generation, in_.now);
  const bool running = status().current_run.has_value();
  if (!in_.spec)
    conditions.set("Ready", false, "ValidationFailed", in_.problems);
  else if (status().failure_reason)
    conditions.set("Ready", false, "BackupFailed", *status().failure_reason);
  else if (is_continuous() && status().backup_id)
    conditions.set("Ready", true, running ? "ContinuousRunning" : "BackupSucceeded",
                   fmt::format("The newest restore point is {}", *status().backup_id));
  else if (status().backup_id)
    conditions.set("Ready", true, "BackupSucceeded", success_text(out_.status));
  else if (is_scheduled())
    conditions.set("Ready", true, "ScheduleActive", "No backup yet");
  else
    conditions.set_unknown("Ready", "BackupPending", "No backup yet");

  conditions.set("Progressing", running,
                 running          ? "BackupRunning"
                 : is_suspended() ? "Suspended"
                                  : "Idle",
                 running ? running_text_ : "");
  if (is_suspended())
    conditions.set("Suspended", true, "Suspended", "spec.suspend is true: no run is started");
  else if (in_.spec)
    conditions.remove("Suspended");
  conditions.remove("ReconciliationPaused");
  if (in_.spec && (is_scheduled() || is_continuous())) {
    conditions.remove("Complete");
    conditions.remove("Failed");
    return;
  }
  const bool failed = !in_.spec || (!running && status().failure_reason);
  const bool complete =
      in_.spec && !running && !failed && status().last_run_spec_sha256 && status().backup_id;
  conditions.set("Complete", complete,
                 complete ? "BackupSucceeded"
                 : failed ? "BackupFailed"
                          : "BackupPending",
                 complete ? success_text(out_.status) : "");
  conditions.set("Failed", failed,
                 !in_.spec ? "ValidationFailed"
                 : failed  ? "BackupFailed"
                           : "NoFailure",
                 failed ? status().message.value_or("") : "");
}

HistoryLimits Step::history_limits() const {
  if (!in_.spec) return {.succeeded = in_.jobs.size(), .failed = in_.jobs.size()};  // it does not say
  return {.succeeded = in_.spec->successful_jobs_history_limit,
          .failed = in_.spec->failed_jobs_history_limit};
}

void Step::plan_next_look() {
  if (status().current_run || (is_continuous() && !is_suspended())) {
    out_.actions.requeue_after = progress_interval;
  } else if (status().next_scheduled_backup) {
    const auto left = *status().next_scheduled_backup - in_.now;
    out_.actions.requeue_after = std::clamp<Duration>(left, 50ms, reconcile_interval_max);
  }
}

}  // namespace

BackupDecision decide_backup(const BackupInput& input) {
  return Step(input).take();
}

}  // namespace kb::op
