// For the simulation: what must hold, said of every write that operators do.
#pragma once
#include <chrono>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "api/cron_schedule.h"
#include "api/kafka_backup_status.h"
#include "operator/backup_decision.h"
#include "operator/conditions.h"
#include "operator/schedule.h"
#include "operator/simulation_cluster.h"
#include "schema/schema.h"

namespace kb::op::simulation {

using api::KafkaBackupStatus;

inline KafkaBackupStatus read_status(const boost::json::value& value) {
  KafkaBackupStatus status;
  if (!value.is_null()) status = schema::read<KafkaBackupStatus>(value, "status");
  return status;
}

inline std::optional<Seconds> whole(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(*time);
}

class Rules {
 public:
  const std::string& violation() const { return violation_; }
  // Ticks that were acted on; several that were missed are one.
  std::uint64_t ticks() const { return ticks_; }
  std::uint64_t runs() const { return static_cast<std::uint64_t>(runs_.size()); }

  template <class... Args>
  void check(bool holds, fmt::format_string<Args...> text, Args&&... args) {
    if (!holds && violation_.empty()) violation_ = fmt::format(text, std::forward<Args>(args)...);
  }

  // A status was stored, by an operator whose clock showed `now`.
  void status_written(const Cluster& cluster, const Resource& resource, const KafkaBackupStatus& before,
                      const KafkaBackupStatus& after, Timestamp now) {
    check(before.observed_generation.value_or(0) <= after.observed_generation.value_or(0) &&
              after.observed_generation.value_or(0) <= resource.generation,
          "observedGeneration went from {} to {}", before.observed_generation.value_or(0),
          after.observed_generation.value_or(0));
    check_conditions(before, after, now);
    check_outcome(cluster, before, after);
    const bool is_new =
        after.current_run && runs_.insert(resource.uid + " " + after.current_run->backup_id).second;
    if (is_new) check_new_run(resource, before, *after.current_run, now);
    check_ticks(resource, before, after, is_new, now);
  }

  void finished(const std::string& uid, const std::string& backup_id) {
    check(finished_.insert(uid + " " + backup_id).second, "run {} was counted twice", backup_id);
  }

  void job_created(const Cluster& cluster, const Job& job) {
    const auto& run = *job.view.run;
    const auto status = read_status(cluster.resource()->status);
    check(job.late || (status.current_run && status.current_run->backup_id == run.backup_id),
          "Job {} was made for a run that is over", job.view.name);
    for (const auto& [name, other] : cluster.jobs.objects)
      check(name == job.view.name || job.late || other.late || !cluster.is_active(other) ||
                other.view.owner_uid != job.view.owner_uid,
            "Job {} was made while {} is active", job.view.name, name);
    check(runs_.contains(job.view.owner_uid + " " + run.backup_id),
          "Job {} is of no run that stood in a status", job.view.name);
    if (run.tick)
      only_one(fmt::format("{} tick {}", job.view.owner_uid, schema::format_rfc3339(*run.tick)), run);
    if (!run.token.empty()) only_one(fmt::format("{} token {}", job.view.owner_uid, run.token), run);
  }

 private:
  // Whatever it was started for has this one run.
  void only_one(const std::string& cause, const api::CurrentRun& run) {
    auto first = run_of_.try_emplace(cause, run.backup_id).first->second;
    check(first == run.backup_id, "{} was run as {} and as {}", cause, first, run.backup_id);
  }

  void check_conditions(const KafkaBackupStatus& before, const KafkaBackupStatus& after, Timestamp now) {
    for (const auto& condition : after.conditions) {
      const auto* old = find_condition(before.conditions, condition.type);
      if (old && old->status == condition.status)
        check(old->last_transition_time == condition.last_transition_time,
              "condition {} stayed {} and has another time", condition.type, condition.status);
      else
        check(condition.last_transition_time == std::chrono::floor<std::chrono::seconds>(now),
              "condition {} became {} and has an old time", condition.type, condition.status);
    }
  }

  void check_outcome(const Cluster& cluster, const KafkaBackupStatus& before,
                     const KafkaBackupStatus& after) {
    if (after.backup_id != before.backup_id) {
      check(cluster.committed.contains(*after.backup_id), "{} is said to be complete and is not",
            *after.backup_id);
      check(before.backup_id.value_or("") < *after.backup_id, "backupId went back from {} to {}",
            before.backup_id.value_or(""), *after.backup_id);
    }
    check(before.last_run_id.value_or("") <= after.last_run_id.value_or(""), "lastRunId went back to {}",
          after.last_run_id.value_or(""));
    if (after.phase == "Completed")
      check(after.backup_id && cluster.committed.contains(*after.backup_id) && !after.failure_reason,
            "Completed, and {} is not", after.backup_id.value_or("nothing"));
  }

  void check_new_run(const Resource& resource, const KafkaBackupStatus& before, const api::CurrentRun& run,
                     Timestamp now) {
    check(resource.spec && !resource.spec->suspend, "run {} was started while suspended", run.backup_id);
    for (const auto& id : {before.last_run_id, before.backup_id})
      check(id.value_or("") < run.backup_id, "run {} has an id before {}", run.backup_id, id.value_or(""));
    check(!before.current_run || before.current_run->backup_id < run.backup_id, "run {} has an old id",
          run.backup_id);
    if (run.trigger == api::RunTrigger::spec)
      check(run.spec_sha256 != (before.current_run ? before.current_run->spec_sha256
                                                   : before.last_run_spec_sha256.value_or("")),
            "run {} does a spec again", run.backup_id);
    if (!run.tick || !resource.spec) return;
    const bool replaces = before.current_run && before.current_run->cancelled;
    const auto deadline = resource.spec->starting_deadline_seconds;
    check(replaces || !deadline || now - *run.tick <= std::chrono::seconds(*deadline + 1),
          "run {} began beyond its deadline", run.backup_id);
  }

  // Each tick is run, or counted as skipped.
  void check_ticks(const Resource& resource, const KafkaBackupStatus& before, const KafkaBackupStatus& after,
                   bool is_new, Timestamp now) {
    const auto skipped = after.skipped_ticks.value_or(0) - before.skipped_ticks.value_or(0);
    const bool ran = is_new && after.current_run->trigger == api::RunTrigger::schedule;
    if (before.last_schedule_time == after.last_schedule_time)
      return check(skipped == 0 && !ran, "no tick was acted on, {} were skipped and {} was run", skipped,
                   ran);
    const auto last = *whole(after.last_schedule_time);
    check(!before.observed_generation || before.observed_schedule == after.observed_schedule,
          "a schedule that was just edited acts on tick {}", schema::format_rfc3339(last));
    check(!before.current_run || !before.current_run->cancelled || after.current_run || !resource.spec ||
              resource.spec->concurrency_policy != api::ConcurrencyPolicy::replace,
          "a run was stopped for a tick, and the tick was skipped");
    check(!ran || after.current_run->tick == after.last_schedule_time, "a run for another tick");
    check(last <= now, "tick {} was acted on too early", schema::format_rfc3339(last));
    auto from = std::chrono::floor<std::chrono::seconds>(resource.created);
    for (auto time : {whole(before.last_schedule_time), whole(after.schedule_since)})
      if (time) from = std::max(from, *time);
    const auto elapsed = count_ticks(*resource.spec, from, last);
    ++ticks_;
    check(std::min(elapsed, missed_max + 1) == skipped + (ran ? 1 : 0),
          "of {} ticks up to {} {} were run and {} skipped", elapsed, schema::format_rfc3339(last),
          ran ? 1 : 0, skipped);
  }

  static std::uint64_t count_ticks(const api::KafkaBackupSpec& spec, Seconds from, Seconds last) {
    const auto schedule = api::CronSchedule::parse(*spec.schedule);
    const auto zone = api::load_time_zone(spec.time_zone.value_or(""));
    std::uint64_t count = 0;
    for (auto tick = schedule.next(from, zone); tick && *tick <= last; tick = schedule.next(*tick, zone))
      ++count;
    return count;
  }

  std::string violation_;
  std::uint64_t ticks_ = 0;
  std::set<std::string> runs_, finished_;      // UID and backup id
  std::map<std::string, std::string> run_of_;  // backup id by cause
};

}  // namespace kb::op::simulation
