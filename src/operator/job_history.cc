#include "operator/job_history.h"

#include <algorithm>
#include <map>

#include "operator/run_view.h"

namespace kb::op {
namespace {

struct OldRun {
  Timestamp created{};
  bool failed = false;
  std::vector<std::string> jobs;
};

}  // namespace

void tidy_jobs(const std::vector<JobView>& jobs, const std::optional<api::CurrentRun>& current,
               const HistoryLimits& limits, Actions& actions) {
  std::map<std::string, OldRun> runs;  // by the name of the run's first Job
  for (const auto& job : jobs) {
    const auto name = job.run ? job.run->job : job.name;
    if (job.deleting || (current && name == current->job)) continue;
    if (job.state == JobState::active) {
      if (job.run) actions.delete_jobs.push_back(job.name);
      continue;
    }
    if (!job.recorded) actions.record_jobs.push_back(job.name);
    auto& run = runs[name];
    run.created = std::max(run.created, job.created);
    run.failed = run.failed || job.state == JobState::failed;
    run.jobs.push_back(job.name);
  }
  std::vector<OldRun> newest_first;
  for (auto& [name, run] : runs) newest_first.push_back(std::move(run));
  std::ranges::stable_sort(newest_first, std::greater(), &OldRun::created);
  std::size_t succeeded = 0, failed = 0;
  for (const auto& run : newest_first)
    if (run.failed ? ++failed > limits.failed : ++succeeded > limits.succeeded)
      actions.delete_jobs.insert(actions.delete_jobs.end(), run.jobs.begin(), run.jobs.end());
}

}  // namespace kb::op
