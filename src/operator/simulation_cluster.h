// For the simulation: what an API server, a Job controller and workers do to one KafkaBackup, its Jobs and
// pods, as far as decisions can see it. Every change is an event, so that whoever watches may be behind.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/kafka_backup.h"
#include "operator/job_view.h"
#include "operator/run_view.h"

namespace kb::op::simulation {

// Draws from a seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t draw(std::uint64_t n) { return random_() % n; }  // 0 to n - 1
  bool happens(int percent) { return draw(100) < static_cast<std::uint64_t>(percent); }

 private:
  std::mt19937_64 random_;
};

template <class T>
struct Log {
  std::vector<std::pair<std::string, std::optional<T>>> events;
  std::map<std::string, T> objects;

  void put(const std::string& key, const T& object) {
    objects[key] = object;
    events.emplace_back(key, object);
  }
  void erase(const std::string& key) {
    if (objects.erase(key) > 0) events.emplace_back(key, std::nullopt);
  }
};

// What a watcher has seen so far.
template <class T>
struct Copy {
  std::map<std::string, T> objects;
  std::size_t seen = 0;

  bool behind(const Log<T>& log) const { return seen < log.events.size(); }
  void follow(const Log<T>& log) {
    const auto& [key, object] = log.events.at(seen++);
    if (object)
      objects[key] = *object;
    else
      objects.erase(key);
  }
};

struct Resource {
  std::string uid;
  std::uint64_t version = 0;
  std::int64_t generation = 1;
  Timestamp created{};
  std::optional<api::KafkaBackupSpec> spec;  // none: one that cannot be read
  std::string token;                         // of the annotation run-now
  boost::json::value status;
};

struct Job {
  JobView view;
  bool late = false;  // made by an operator that led no longer
};

inline void apply_merge_patch(boost::json::value& target, const boost::json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = boost::json::object();
  auto& members = target.get_object();
  for (const auto& change : patch.get_object())
    if (change.value().is_null())
      members.erase(change.key());
    else
      apply_merge_patch(members[change.key()], change.value());
}

inline const std::string resource_name = "nightly";

class Cluster {
 public:
  explicit Cluster(Dice& dice) : dice_(dice) {}

  Log<Resource> resources;
  Log<Job> jobs;
  Log<PodView> pods;
  std::set<std::string> committed;  // backup ids

  const Resource* resource() const {
    auto it = resources.objects.find(resource_name);
    return it == resources.objects.end() ? nullptr : &it->second;
  }
  bool is_current(const std::string& uid, std::uint64_t version) const {
    return resource() && resource()->uid == uid && resource()->version == version;
  }

  void put_resource(Resource resource) {
    resource.version = ++version_;
    resources.put(resource_name, resource);
  }
  // As the garbage collector follows.
  void delete_resource() {
    resources.erase(resource_name);
    for (const auto& name : names_of(jobs)) remove_job(name);
  }

  // --- what operators and users ask for

  bool create_job(Job job) {
    if (jobs.objects.contains(job.view.name)) return false;
    job.view.uid = fmt::format("job-{}", ++version_);
    jobs.put(job.view.name, job);
    return true;
  }
  void delete_job(const std::string& name) {
    auto it = jobs.objects.find(name);
    if (it == jobs.objects.end()) return;
    if (dice_.happens(70)) return remove_job(name);
    auto job = it->second;
    job.view.deleting = true;  // and goes later
    jobs.put(name, job);
  }
  void record_job(const std::string& name) {
    auto it = jobs.objects.find(name);
    if (it == jobs.objects.end()) return;
    auto job = it->second;
    job.view.recorded = true;
    jobs.put(name, job);
  }
  void lose_a_pod() {
    auto names = names_of(pods);
    if (!names.empty()) pods.erase(names[dice_.draw(names.size())]);
  }

  // --- the Job controller and the workers: one thing that happens to one Job; "" when there is nothing to do

  std::string work() {
    std::vector<std::string> open;
    for (const auto& [name, job] : jobs.objects)
      if (job.view.deleting || job.view.state == JobState::active) open.push_back(name);
    if (open.empty()) return "";
    const auto& name = open[dice_.draw(open.size())];
    auto job = jobs.objects.at(name);
    if (job.view.deleting) {
      remove_job(name);
      return name + " is gone";
    }
    auto pod = running_pod(name);
    if (!pod) {
      const auto pod_name = fmt::format("{}-{}", name, ++version_);
      pods.put(pod_name, {.name = pod_name, .job = name, .created = job.view.created, .running = true});
      return pod_name + " runs";
    }
    return end_pod(std::move(job), *pod);
  }

  bool is_active(const Job& job) const { return job.view.state == JobState::active && !job.view.deleting; }

 private:
  template <class T>
  static std::vector<std::string> names_of(const Log<T>& log) {
    std::vector<std::string> names;
    for (const auto& [name, object] : log.objects) names.push_back(name);
    return names;
  }

  void remove_job(const std::string& name) {
    jobs.erase(name);
    for (const auto& pod : names_of(pods))
      if (pods.objects.at(pod).job == name) pods.erase(pod);
  }

  std::optional<PodView> running_pod(const std::string& job) const {
    for (const auto& [name, pod] : pods.objects)
      if (pod.job == job && pod.running) return pod;
    return std::nullopt;
  }

  std::string end_pod(Job job, PodView pod) {
    if (dice_.happens(20)) return pod.name + " goes on working";
    pod.running = false;
    pod.terminated = true;
    const bool is_shards = job.view.run->shards > 1 && !job.view.run->finishing;
    const bool does_work = dice_.happens(75);
    if (does_work) do_work(*job.view.run);
    const bool done = does_work && (is_shards || committed.contains(job.view.run->backup_id));
    if (!done || dice_.happens(10)) return fail_pod(std::move(job), std::move(pod));
    if (!is_shards && !dice_.happens(15))
      pod.report = api::WorkReport{.outcome = api::WorkOutcome::committed,
                                   .backup_id = job.view.run->backup_id,
                                   .records = dice_.draw(1000)};
    pods.put(pod.name, pod);
    job.view.state = JobState::complete;
    jobs.put(job.view.name, job);
    return job.view.name + (pod.report ? " is complete" : " is complete, without a report");
  }

  void do_work(const api::CurrentRun& run) {
    if (run.shards > 1 && !run.finishing)
      prepared_.insert(run.backup_id);
    else if (run.shards == 1 || prepared_.contains(run.backup_id))
      committed.insert(run.backup_id);
  }

  std::string fail_pod(Job job, PodView pod) {
    pod.exit_code = 5;
    pods.put(pod.name, pod);
    constexpr int tries_max = 2;
    if (++job.view.failed_pods == tries_max) {
      job.view.state = JobState::failed;
      job.view.failure_reason = "BackoffLimitExceeded";
    }
    jobs.put(job.view.name, job);
    return pod.name + (job.view.state == JobState::failed ? " failed, and its Job" : " failed");
  }

  Dice& dice_;
  std::uint64_t version_ = 0;
  std::set<std::string> prepared_;  // backup ids whose shards are all stored
};

}  // namespace kb::op::simulation
