#include "operator/job_history.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace kb::op {
namespace {

JobView job(std::string name, JobState state, int age, bool recorded = true, std::string run_job = "") {
  JobView view{.name = name, .run = api::CurrentRun{.job = run_job.empty() ? name : run_job}, .state = state};
  view.created = Timestamp(std::chrono::hours(1000 - age));
  view.recorded = recorded;
  return view;
}

Actions tidy(const std::vector<JobView>& jobs, const HistoryLimits& limits,
             std::optional<api::CurrentRun> current = {}) {
  Actions actions;
  tidy_jobs(jobs, current, limits, actions);
  std::ranges::sort(actions.delete_jobs);
  return actions;
}

using Names = std::vector<std::string>;
using enum JobState;

TEST_CASE("of each kind the newest stay") {
  const std::vector jobs{job("a", complete, 4), job("b", complete, 3), job("c", complete, 2),
                         job("d", failed, 9), job("e", failed, 8)};
  CHECK(tidy(jobs, {.succeeded = 2, .failed = 1}).delete_jobs == Names{"a", "d"});
  CHECK(tidy(jobs, {.succeeded = 0, .failed = 5}).delete_jobs == Names{"a", "b", "c"});
  CHECK(tidy(jobs, {}).delete_jobs.empty());
}

TEST_CASE("the two Jobs of a run count as one and go together") {
  const std::vector jobs{job("a", complete, 4), job("a-f", failed, 3, true, "a"), job("b", complete, 1)};
  CHECK(tidy(jobs, {.succeeded = 1, .failed = 1}).delete_jobs.empty());
  CHECK(tidy(jobs, {.succeeded = 1, .failed = 0}).delete_jobs == Names{"a", "a-f"});
}

TEST_CASE("what ended is to be recorded once; the current run and what goes are left alone") {
  auto going = job("c", complete, 1, false);
  going.deleting = true;
  const std::vector jobs{job("a", complete, 2, false), job("b", complete, 2), going,
                         job("d", complete, 1, false)};
  const auto actions = tidy(jobs, {.succeeded = 1}, api::CurrentRun{.job = "d"});
  CHECK(actions.record_jobs == Names{"a"});
  CHECK(actions.delete_jobs == Names{"b"});
}

TEST_CASE("a Job at work that is not of the current run goes") {
  auto unknown = job("x", active, 1);
  unknown.run.reset();
  const std::vector jobs{job("a", active, 1), job("b", active, 1), job("b-f", active, 1, false, "b"),
                         unknown};
  CHECK(tidy(jobs, {}, api::CurrentRun{.job = "b"}).delete_jobs == Names{"a"});
  CHECK(tidy(jobs, {}).record_jobs.empty());
}

}  // namespace
}  // namespace kb::op
