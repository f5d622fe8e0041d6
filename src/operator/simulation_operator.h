// For the simulation: an operator that sees the cluster with delay and carries decisions out as
// reconciler.cc does, write by write, so that anything can happen in between.
#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "operator/labels.h"
#include "operator/simulation_cluster.h"
#include "operator/simulation_rules.h"
#include "operator/status_patch.h"

namespace kb::op::simulation {

class Operator {
 public:
  Operator(std::string name, Cluster& cluster, Rules& rules)
      : name_(std::move(name)), cluster_(cluster), rules_(rules) {}

  std::chrono::seconds clock_error{};  // of its machine, beside that of all
  const std::string& name() const { return name_; }
  bool leads() const { return leads_; }
  bool is_writing() const { return !writes_.empty(); }
  bool is_behind() const {
    return resources_.behind(cluster_.resources) || jobs_.behind(cluster_.jobs) ||
           pods_.behind(cluster_.pods);
  }
  // Whether something asks for a look, given the time of a clock that never jumps.
  bool wants_look(Seconds steady) const { return asked_ || (look_at_ && *look_at_ <= steady); }
  std::optional<Seconds> look_at() const { return look_at_; }

  // Each of the three watches by itself.
  void see(Dice& dice) {
    see_some(resources_, cluster_.resources, dice);
    see_some(jobs_, cluster_.jobs, dice);
    see_some(pods_, cluster_.pods, dice);
  }
  void see_all() {
    while (resources_.behind(cluster_.resources)) resources_.follow(cluster_.resources);
    while (jobs_.behind(cluster_.jobs)) jobs_.follow(cluster_.jobs);
    while (pods_.behind(cluster_.pods)) pods_.follow(cluster_.pods);
    asked_ = true;
  }

  void crash() {
    resources_ = {};
    jobs_ = {};
    pods_ = {};
    stop();
    see_all();  // it lists before it does anything
  }
  void stop() {
    writes_.clear();
    late_ = false;
    asked_ = true;
    look_at_.reset();
  }
  void begin_to_lead() {
    leads_ = true;
    asked_ = true;
  }
  // A write that is under way is still done, some time.
  void lose_lead() {
    leads_ = false;
    late_ = is_writing();
  }

  // What it decides becomes writes that are still to be done.
  std::string look(Seconds steady, Timestamp now);
  // The next write; what it was.
  std::string write();

 private:
  template <class T>
  void see_some(Copy<T>& copy, const Log<T>& log, Dice& dice) {
    const auto left = log.events.size() - copy.seen;
    const auto events = dice.happens(60) ? left : dice.draw(left + 1);
    for (std::size_t i = 0; i < events; ++i) copy.follow(log);
    asked_ = asked_ || events > 0;
  }

  BackupInput input_of(const ResourceView& view, const Resource& resource, Timestamp now) const;
  void plan_writes(const Resource& resource, const BackupDecision& decision, Timestamp now);
  void write_later(std::string what, std::function<bool()> act) {
    writes_.push_back({std::move(what), std::move(act)});
  }

  struct Write {
    std::string what;
    std::function<bool()> act;  // false: refused, and what follows is not done
  };

  std::string name_;
  Cluster& cluster_;
  Rules& rules_;
  Copy<Resource> resources_;
  Copy<Job> jobs_;
  Copy<PodView> pods_;
  std::deque<Write> writes_;
  bool leads_ = false, late_ = false;
  bool asked_ = true;
  std::optional<Seconds> look_at_;
};

inline ResourceView view_of(const Resource& resource) {
  ResourceView view{.kind = "KafkaBackup",
                    .key = {"kafka", resource_name},
                    .uid = resource.uid,
                    .resource_version = std::to_string(resource.version),
                    .generation = resource.generation,
                    .created = resource.created,
                    .finalizers = {},
                    .annotations = {},
                    .spec = nullptr,
                    .status = resource.status};
  if (!resource.token.empty()) view.annotations[std::string(run_now_annotation)] = resource.token;
  return view;
}

inline BackupInput Operator::input_of(const ResourceView& view, const Resource& resource,
                                      Timestamp now) const {
  BackupInput input{.resource = view,
                    .spec = resource.spec,
                    .problems = resource.spec ? "" : "spec.topics: is required",
                    .start_error = {},
                    .jobs = {},
                    .pods = {},
                    .progress = {},
                    .now = now};
  for (const auto& [name, job] : jobs_.objects)
    if (job.view.owner_uid == resource.uid) input.jobs.push_back(job.view);
  for (const auto& job : input.jobs)
    for (const auto& [name, pod] : pods_.objects)
      if (pod.job == job.name && !job.recorded) input.pods.push_back(pod);
  return input;
}

inline std::string Operator::look(Seconds steady, Timestamp now) {
  asked_ = false;
  look_at_.reset();
  auto it = resources_.objects.find(resource_name);
  if (it == resources_.objects.end()) return "nothing there";
  const auto resource = it->second;
  const auto view = view_of(resource);
  const auto decision = decide_backup(input_of(view, resource, now));
  if (decision.actions.requeue_after)
    look_at_ = steady + std::chrono::ceil<std::chrono::seconds>(*decision.actions.requeue_after);
  plan_writes(resource, decision, now);
  const auto& run = decision.status.current_run;
  return fmt::format("looks at {}, {}: {} {}", schema::format_rfc3339(now),
                     decision.status.phase.value_or(""),
                     run ? run->backup_id + (run->cancelled ? " cancelled" : "") : "no run",
                     decision.status.last_schedule_time
                         ? "last tick " + schema::format_rfc3339(*decision.status.last_schedule_time)
                         : "");
}

inline void Operator::plan_writes(const Resource& resource, const BackupDecision& decision, Timestamp now) {
  const auto patch = merge_patch_between(resource.status, schema::write(decision.status));
  const auto& actions = decision.actions;
  if (patch || actions.need_current_status())
    write_later("status", [this, resource, patch, after = decision.status, now] {
      if (!cluster_.is_current(resource.uid, resource.version)) return false;
      if (!patch) return true;
      auto changed = resource;
      apply_merge_patch(changed.status, *patch);
      cluster_.put_resource(changed);
      rules_.status_written(cluster_, resource, read_status(resource.status), read_status(changed.status),
                            now);
      rules_.check(!merge_patch_between(changed.status, schema::write(after)), "a patch that is not enough");
      return true;
    });
  if (actions.finished)
    write_later("metrics", [this, uid = resource.uid, id = *decision.status.last_run_id] {
      rules_.finished(uid, id);
      return true;
    });
  for (const auto& name : actions.delete_jobs)
    write_later("delete " + name, [this, name] { return cluster_.delete_job(name), true; });
  for (const auto& name : actions.record_jobs)
    if (std::ranges::find(actions.delete_jobs, name) == actions.delete_jobs.end())
      write_later("record " + name, [this, name] { return cluster_.record_job(name), true; });
  if (!actions.start_job || !resource.spec) return;
  const auto& run = *decision.status.current_run;
  Job job{.view = {.name = run.finishing ? finish_job_name(run) : run.job,
                   .owner_uid = resource.uid,
                   .run = run,
                   .created = now}};
  write_later("create " + job.view.name, [this, job]() mutable {
    job.late = late_;
    const auto* owner = cluster_.resource();
    if (!owner || owner->uid != job.view.owner_uid) return true;  // the garbage collector takes it at once
    const auto before = cluster_.jobs.objects.find(job.view.run->job);
    if (job.view.run->finishing && before != cluster_.jobs.objects.end() &&
        cluster_.is_active(before->second))
      return true;  // it is looked at again when that ends
    if (!cluster_.jobs.objects.contains(job.view.name)) rules_.job_created(cluster_, job);
    cluster_.create_job(job);
    return true;
  });
}

inline std::string Operator::write() {
  const auto next = std::move(writes_.front());
  writes_.pop_front();
  const bool accepted = next.act();
  if (!accepted || late_) stop();
  return next.what + (accepted ? "" : ", refused");
}

}  // namespace kb::op::simulation
