#include "operator/run_view.h"

#include <algorithm>

#include <fmt/format.h>

namespace kb::op {
namespace {

bool says_done(const api::WorkReport& report) {
  using enum api::WorkOutcome;
  return report.outcome == committed || report.outcome == committed_before || report.outcome == restored ||
         report.outcome == planned;
}

const JobView* find_job(const std::vector<JobView>& jobs, const std::string& name) {
  auto it = std::ranges::find(jobs, name, &JobView::name);
  return it == jobs.end() || it->deleting ? nullptr : &*it;
}

std::vector<PodView> pods_of(const std::vector<PodView>& pods, const std::string& job) {
  std::vector<PodView> own;
  for (const auto& pod : pods)
    if (pod.job == job) own.push_back(pod);
  std::ranges::stable_sort(own, {}, &PodView::created);
  return own;
}

// Why the last pod that failed did.
void explain_failure(const JobView& job, const std::vector<PodView>& pods, RunView& view) {
  auto last = std::find_if(pods.rbegin(), pods.rend(),
                           [](const auto& pod) { return pod.terminated && pod.exit_code != 0; });
  if (last == pods.rend()) {
    view.failure =
        job.failure_message.empty() ? "its pod is gone, and with it the reason" : job.failure_message;
    return;
  }
  view.report = last->report;
  if (last->report && last->report->error) {
    const auto& error = *last->report->error;
    view.failure = error.hint.empty() ? error.message : fmt::format("{}; {}", error.message, error.hint);
  } else if (last->terminated_reason == "OOMKilled") {
    view.failure = fmt::format(
        "pod {} was killed because it needed more memory than its limit; raise "
        "spec.podTemplate.resources.limits.memory",
        last->name);
  } else {
    view.failure =
        fmt::format("pod {} ended with exit code {} and no report; see its log", last->name, last->exit_code);
  }
  if (job.failure_reason == "DeadlineExceeded")
    view.failure = "it took longer than spec.activeDeadlineSeconds; " + view.failure;
}

RunView active(const JobView& job, const std::vector<PodView>& pods) {
  RunView view{.state = RunState::active};
  view.failed_attempts = job.failed_pods;
  if (job.failed_pods > 0) explain_failure(job, pods, view);
  for (const auto& pod : pods)
    if (!pod.waiting.empty() && !pod.deleting) view.waiting = pod.waiting;
  const auto is_alive = [](const auto& pod) { return !pod.terminated; };
  const auto stays = [&](const auto& pod) { return is_alive(pod) && !pod.deleting; };
  if (std::ranges::any_of(pods, is_alive) && std::ranges::none_of(pods, stays))
    view.waiting =
        "it is being ended; one on a lost node stays until the node is removed or the pod is deleted by "
        "force";
  if (pods.empty() && job.failed_pods == 0) view.without_pods = job.created;
  return view;
}

// Of a Job that has ended: pods are watched by themselves, and what the last one said is still to come.
bool is_behind(const std::vector<PodView>& pods) {
  return std::ranges::any_of(pods, [](const auto& pod) { return pod.running && !pod.deleting; });
}

}  // namespace

std::string why_it_waits(const RunView& view, Timestamp now) {
  constexpr auto patience = std::chrono::seconds(30);
  if (!view.waiting.empty()) return "waiting for its pod: " + view.waiting;
  if (view.without_pods && now - *view.without_pods > patience)
    return "no pod has been made; the events of its Job say why";
  return "";
}

std::string finish_job_name(const api::CurrentRun& run) {
  return run.job + "-f";
}

RunView look_at_run(const api::CurrentRun& run, const std::vector<JobView>& jobs,
                    const std::vector<PodView>& pods) {
  const auto* job = find_job(jobs, run.finishing ? finish_job_name(run) : run.job);
  if (!job) return {.state = RunState::missing};
  const auto own = pods_of(pods, job->name);
  if (job->state == JobState::active) return active(*job, own);
  RunView view;
  view.failed_attempts = job->failed_pods;
  if (job->state == JobState::failed && is_behind(own)) return active(*job, own);
  if (job->state == JobState::failed) {
    view.state = RunState::failed;
    explain_failure(*job, own, view);
    return view;
  }
  if (!run.finishing && run.shards > 1) {
    view.state = RunState::shards_done;
    return view;
  }
  if (is_behind(own)) return active(*job, own);
  view.state = RunState::unreported;
  for (const auto& pod : own)
    if (pod.terminated && pod.exit_code == 0 && pod.report && says_done(*pod.report)) {
      view.report = pod.report;
      view.state = RunState::succeeded;
    }
  return view;
}

}  // namespace kb::op
