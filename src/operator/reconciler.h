// Carries decisions out: reads what is there from the caches, writes the status, then does the rest.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "kube/api.h"
#include "kube/event_recorder.h"
#include "kube/reflector.h"
#include "operator/backup_decision.h"
#include "operator/backup_source.h"
#include "operator/job_view.h"
#include "operator/metrics.h"
#include "operator/progress_reader.h"
#include "operator/settings.h"

namespace kb::op {

// Copies of what is in the cluster.
struct Caches {
  std::map<std::string, kube::ObjectCache, std::less<>> resources;  // by kind; the keys are constant
  kube::ObjectCache jobs;                                           // owned by the UID of their resource
  kube::ObjectCache pods;                                           // owned by the UID of their Job
};

// Thread-safe, for different resources at the same time.
class Reconciler {
 public:
  Reconciler(kube::Api& api, Caches& caches, kube::EventRecorder& events, Metrics& metrics,
             const Settings& settings, std::string cluster_uid)
      : api_(api),
        caches_(caches),
        events_(events),
        metrics_(metrics),
        settings_(settings),
        cluster_uid_(std::move(cluster_uid)) {}

  // When to look again without being asked; nothing: never. Throws what the API server's answer was: conflict
  // when the copy was stale.
  std::optional<Duration> reconcile(const Context& ctx, const std::string& kind, const kube::ObjectKey& key);

 private:
  std::optional<Duration> reconcile_backup(const Context& ctx, const ResourceView& resource);
  std::optional<Duration> reconcile_restore(const Context& ctx, const ResourceView& resource);
  void release(const Context& ctx, const ResourceView& resource);
  void pause(const Context& ctx, const ResourceView& resource);
  void note_lag(const kube::ObjectKey& key, const BackupInput& input, const BackupDecision& decision);

  // Nothing while the run's first Job still works.
  std::optional<kube::json::object> finish_job(const Context& ctx, const ResourceView& resource,
                                               const api::CurrentRun& run);
  std::vector<std::string> restored_now(const kube::ObjectKey& backup) const;
  std::vector<JobView> jobs_of(const ResourceView& resource) const;
  std::vector<PodView> pods_of(const ResourceView& resource, const std::vector<JobView>& jobs) const;
  std::optional<KnownBackup> find_backup(const kube::ObjectKey& key) const;
  struct StartError {
    std::string text;
    bool is_final = false;
  };
  StartError start_error(const std::string& uid) const;

  // When nothing is to be changed and `is_needed`: throws conflict when the status is not what was read.
  void write_status(const Context& ctx, const ResourceView& resource, const kube::json::value& status,
                    bool is_needed = false);
  // Throws what is wrong with it; nothing when it has to wait.
  using MakeJob = std::function<std::optional<kube::json::object>()>;
  void carry_out(const Context& ctx, const ResourceView& resource, const Actions& actions,
                 const MakeJob& make_job, const std::optional<api::PvcStorage>& claim_to_make,
                 const api::JobSettings& settings);
  void check_is_ours(const Context& ctx, const ResourceView& resource, const std::string& job);
  void start_job(const Context& ctx, const ResourceView& resource, const MakeJob& make_job,
                 const std::optional<api::PvcStorage>& claim_to_make);

  kube::Api& api_;
  Caches& caches_;
  kube::EventRecorder& events_;
  Metrics& metrics_;
  const Settings& settings_;
  const std::string cluster_uid_;
  ProgressReader progress_;
  mutable std::mutex mutex_;
  std::map<std::string, StartError> start_errors_;  // by UID of the resource; guarded by mutex_
};

}  // namespace kb::op
