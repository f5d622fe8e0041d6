#include "operator/reconciler.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "api/kinds.h"
#include "api/resource.h"
#include "base/cut_text.h"
#include "base/log.h"
#include "operator/backup_decision.h"
#include "operator/distrust.h"
#include "operator/job_builder.h"
#include "operator/labels.h"
#include "operator/other_states.h"
#include "operator/restore_decision.h"
#include "operator/spec_reading.h"
#include "operator/status_patch.h"
#include "operator/worker_mounts.h"
#include "schema/schema.h"

namespace kb::op {
namespace {

namespace json = boost::json;

constexpr std::size_t start_error_bytes_max = 1000, start_errors_max = 10'000;
constexpr std::uint32_t backup_backoff_limit = 3, restore_backoff_limit = 0;

// Finalizers that other operators of these resources left behind; ours needs none: Jobs go with their owner.
constexpr std::array<std::string_view, 5> foreign_finalizers = {
    "kafka.oso.sh/backup-finalizer", "kafka.oso.sh/restore-finalizer", "kafka.oso.sh/offset-reset-finalizer",
    "kafka.oso.sh/offset-rollback-finalizer", "kafka.oso.sh/validation-finalizer"};

Timestamp now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string path_of_resource(const ResourceView& resource, std::string_view subresource = {}) {
  const auto kinds = api::kinds();
  const auto kind = std::ranges::find(kinds, resource.kind, &api::KindInfo::kind);
  CHECK(kind != kinds.end());
  return kube::path_of({api::api_group, "v1alpha1", kind->plural}, resource.key.resource_namespace,
                       resource.key.name, subresource);
}

json::value parse(const kube::CachedObject& object) {
  return schema::parse_json(*object, "a cached object", ErrorKind::internal);
}

// An API server drops what its definition of the kind does not know. A run that is not in the status would be
// begun again and again.
void require_kept(const ResourceView& resource, const json::value& written, const json::value& status) {
  const auto* kept = kube::find(written, "status");
  const auto lost = merge_patch_between(kept ? *kept : json::value(), status);
  if (!lost) return;
  const auto names = lost->is_object() ? lost->get_object() : json::object();
  throw Error(
      ErrorKind::invalid,
      fmt::format("the API server did not keep status.{} of {}: the CustomResourceDefinitions are older than "
                  "this operator",
                  names.empty() ? std::string_view() : std::string_view(names.begin()->key()),
                  resource.to_string()),
      "upgrade them: helm upgrade, or kubectl apply -f deploy/crds/all.yaml");
}

api::WorkOrder order_for(const ResourceView& resource, const std::string& cluster_uid) {
  return {.kind = resource.kind,
          .resource_namespace = resource.key.resource_namespace,
          .name = resource.key.name,
          .cluster_uid = cluster_uid,
          .spec = resource.spec};
}

}  // namespace

std::optional<Duration> Reconciler::reconcile(const Context& ctx, const std::string& kind,
                                              const kube::ObjectKey& key) {
  const auto cached = caches_.resources.at(kind).get(key);
  if (!cached) return std::nullopt;
  auto resource = read_resource_view(kind, parse(cached));
  distrust_status(resource);
  if (resource.deleting)
    release(ctx, resource);
  else if (resource.paused())
    pause(ctx, resource);
  else if (kind == "KafkaBackup")
    return reconcile_backup(ctx, resource);
  else if (kind == "KafkaRestore")
    return reconcile_restore(ctx, resource);
  else
    write_status(ctx, resource, not_yet_status(resource, now()));
  return std::nullopt;
}

// Runs go on by themselves, and nobody asks them how far they are.
void Reconciler::pause(const Context& ctx, const ResourceView& resource) {
  if (resource.kind == "KafkaBackup") metrics_.no_lag(resource.key);
  write_status(ctx, resource, paused_status(resource, now()));
}

std::optional<Duration> Reconciler::reconcile_backup(const Context& ctx, const ResourceView& resource) {
  auto reading = read_backup_spec(resource);
  const auto failed_start = start_error(resource.uid);
  BackupInput input{.resource = resource,
                    .spec = std::move(reading.spec),
                    .problems = std::move(reading.problems),
                    .start_error = failed_start.text,
                    .job_is_refused = failed_start.is_final,
                    .jobs = jobs_of(resource),
                    .pods = {},
                    .progress = {},
                    .now = now()};
  input.pods = pods_of(resource, input.jobs);
  input.progress = progress_.read(ctx, resource.uid, input.pods);
  const auto decision = decide_backup(input);
  note_lag(resource.key, input, decision);
  write_status(ctx, resource, schema::write(decision.status), decision.actions.need_current_status());
  auto make_job = [&]() -> std::optional<json::object> {
    if (decision.status.current_run->finishing)
      return finish_job(ctx, resource, *decision.status.current_run);
    auto order = order_for(resource, cluster_uid_);
    order.backup_id = decision.status.current_run->backup_id;
    order.kept_backup_ids = restored_now(resource.key);
    order.adopt_archive = resource.annotation(adopt_annotation);
    return build_job({.resource = resource,
                      .run = *decision.status.current_run,
                      .settings = *input.spec,
                      .order = order,
                      .backoff_limit = backup_backoff_limit,
                      .claims = claims_of(input.spec->storage),
                      .secrets = secrets_of(input.spec->kafka_cluster, input.spec->storage)},
                     settings_.worker);
  };
  const bool starts = decision.actions.start_job && (input.spec || decision.status.current_run->finishing);
  const auto claim = starts && input.spec ? claim_to_make(input.spec->storage) : std::nullopt;
  const api::JobSettings settings = input.spec ? *input.spec : api::JobSettings{};
  carry_out(ctx, resource, decision.actions, starts ? MakeJob(make_job) : MakeJob(), claim, settings);
  return decision.actions.requeue_after;
}

void Reconciler::note_lag(const kube::ObjectKey& key, const BackupInput& input,
                          const BackupDecision& decision) {
  const auto works = [](const PodView& pod) { return pod.running && !pod.deleting; };
  const bool lags = input.spec && input.spec->continuous && decision.status.current_run &&
                    std::ranges::any_of(input.pods, works) &&
                    caches_.resources.at(input.resource.kind).get(key);  // it may have gone meanwhile
  if (!lags)
    metrics_.no_lag(key);
  else if (input.progress)
    metrics_.lag(key, *input.progress);
}

std::optional<Duration> Reconciler::reconcile_restore(const Context& ctx, const ResourceView& resource) {
  auto reading = read_restore_spec(resource);
  const auto failed_start = start_error(resource.uid);
  RestoreInput input{.resource = resource,
                     .spec = std::move(reading.spec),
                     .problems = std::move(reading.problems),
                     .source = NoSource{},
                     .start_error = failed_start.text,
                     .job_is_refused = failed_start.is_final,
                     .jobs = jobs_of(resource),
                     .pods = {},
                     .progress = {},
                     .now = now()};
  if (input.spec)
    input.source =
        find_source(resource, input.spec->backup_ref, [this](const auto& key) { return find_backup(key); });
  input.pods = pods_of(resource, input.jobs);
  input.progress = progress_.read(ctx, resource.uid, input.pods);
  const auto decision = decide_restore(input);
  write_status(ctx, resource, schema::write(decision.status), decision.actions.need_current_status());
  const auto* source = std::get_if<BackupSource>(&input.source);
  auto make_job = [&]() -> std::optional<json::object> {
    if (decision.status.current_run->finishing)
      return finish_job(ctx, resource, *decision.status.current_run);
    auto order = order_for(resource, cluster_uid_);
    order.backup_id = decision.status.current_run->backup_id;
    order.backup_namespace = source->backup_namespace;
    order.backup_name = source->backup_name;
    order.backup_storage = source->storage;
    return build_job({.resource = resource,
                      .run = *decision.status.current_run,
                      .settings = *input.spec,
                      .order = order,
                      .backoff_limit = restore_backoff_limit,
                      .claims = claims_of(source->storage),
                      .secrets = secrets_of(input.spec->kafka_cluster, source->storage)},
                     settings_.worker);
  };
  const bool starts =
      decision.actions.start_job && ((input.spec && source) || decision.status.current_run->finishing);
  const api::JobSettings settings = input.spec ? *input.spec : api::JobSettings{};
  carry_out(ctx, resource, decision.actions, starts ? MakeJob(make_job) : MakeJob(), std::nullopt, settings);
  return decision.actions.requeue_after;
}

std::optional<json::object> Reconciler::finish_job(const Context& ctx, const ResourceView& resource,
                                                   const api::CurrentRun& run) {
  const auto first =
      kube::get(ctx, api_, kube::path_of(kube::jobs, resource.key.resource_namespace, run.job));
  if (!first || controller_uid(*first) != resource.uid)
    fail(ErrorKind::invalid, "Job {} is gone, and with it what the run was told to do", run.job);
  // Somebody deleted it, and a slow leader has made it anew only now: it is looked at again when it ends.
  if (read_job(*first).state == JobState::active) return std::nullopt;
  return build_finish_job(resource, run, *first);
}

// Backups of this KafkaBackup that restores have been told to read: retention leaves them alone. Their
// workers pin them in the archive, but some have not begun yet.
std::vector<std::string> Reconciler::restored_now(const kube::ObjectKey& backup) const {
  std::vector<std::string> ids;
  const auto& restores = caches_.resources.at("KafkaRestore");
  for (const auto& key : restores.keys()) {
    const auto cached = key.resource_namespace == backup.resource_namespace ? restores.get(key) : nullptr;
    if (!cached) continue;
    const auto restore = parse(cached);
    auto id = kube::text_at(restore, "status.currentRun.backupId");
    if (!id.empty() && kube::text_at(restore, "spec.backupRef.name") == backup.name)
      ids.push_back(std::move(id));
  }
  return ids;
}

// ---- what is there

std::vector<JobView> Reconciler::jobs_of(const ResourceView& resource) const {
  std::vector<JobView> jobs;
  for (const auto& cached : caches_.jobs.owned_by(owner_key(resource.key.resource_namespace, resource.uid))) {
    jobs.push_back(read_job(parse(cached)));
    if (auto& run = jobs.back().run; run && !is_run_of(resource, *run)) run.reset();
  }
  return jobs;
}

std::vector<PodView> Reconciler::pods_of(const ResourceView& resource,
                                         const std::vector<JobView>& jobs) const {
  std::vector<PodView> pods;
  for (const auto& job : jobs) {
    if (job.recorded) continue;
    for (const auto& cached : caches_.pods.owned_by(owner_key(resource.key.resource_namespace, job.uid)))
      pods.push_back(read_pod(parse(cached)));
  }
  return pods;
}

std::optional<KnownBackup> Reconciler::find_backup(const kube::ObjectKey& key) const {
  const auto cached = caches_.resources.at("KafkaBackup").get(key);
  if (!cached) return std::nullopt;
  KnownBackup known{
      .resource = read_resource_view("KafkaBackup", parse(cached)), .storage = {}, .backup_id = {}};
  if (auto reading = read_backup_spec(known.resource); reading.spec) known.storage = reading.spec->storage;
  known.backup_id = kube::text_at(known.resource.status, "backupId");
  return known;
}

Reconciler::StartError Reconciler::start_error(const std::string& uid) const {
  std::lock_guard lock(mutex_);
  auto found = start_errors_.find(uid);
  return found == start_errors_.end() ? StartError{} : found->second;
}

// ---- what is to be done

void Reconciler::write_status(const Context& ctx, const ResourceView& resource, const json::value& status,
                              bool is_needed) {
  auto patch = merge_patch_between(resource.status, status);
  for (const auto& name : resource.dropped) {
    if (!patch || !patch->is_object()) patch = json::object();
    patch->get_object().emplace(name, nullptr);  // unless it has a new value
  }
  if (!patch && !is_needed) return;
  json::object body{{"metadata", json::object{{"resourceVersion", resource.resource_version}}}};
  if (patch) body["status"] = std::move(*patch);
  const auto written =
      kube::merge_patch(ctx, api_, path_of_resource(resource, "status"), std::move(body), operator_name);
  require_kept(resource, written, status);
}

void Reconciler::carry_out(const Context& ctx, const ResourceView& resource, const Actions& actions,
                           const MakeJob& make_job, const std::optional<api::PvcStorage>& claim,
                           const api::JobSettings& settings) {
  for (const auto& event : actions.events) {
    LOG_INFO("{}: {}: {}", resource.to_string(), event.reason, event.message);
    events_.record(ctx,
                   {.api_version = std::string(api::api_version_v1alpha1),
                    .kind = resource.kind,
                    .resource_namespace = resource.key.resource_namespace,
                    .name = resource.key.name,
                    .uid = resource.uid,
                    .resource_version = resource.resource_version},
                   event.warning ? kube::EventType::warning : kube::EventType::normal, event.reason,
                   event.message);
  }
  if (actions.finished) metrics_.run_finished(resource.kind, resource.key, *actions.finished);
  auto path_of_job = [&](const std::string& name) {
    return kube::path_of(kube::jobs, resource.key.resource_namespace, name);
  };
  for (const auto& name : actions.delete_jobs)
    kube::remove(ctx, api_, path_of_job(name),
                 actions.delete_pods_first ? kube::Propagation::foreground : kube::Propagation::background);
  for (const auto& name : actions.record_jobs) {
    if (std::ranges::find(actions.delete_jobs, name) != actions.delete_jobs.end()) continue;
    kube::merge_patch(ctx, api_, path_of_job(name), recorded_patch(settings), operator_name);
  }
  if (make_job) start_job(ctx, resource, make_job, claim);
}

// A Job that is there already is one that the cache does not show yet, unless somebody took its name.
void Reconciler::check_is_ours(const Context& ctx, const ResourceView& resource, const std::string& job) {
  const auto there = kube::get(ctx, api_, kube::path_of(kube::jobs, resource.key.resource_namespace, job));
  if (there && controller_uid(*there) != resource.uid)
    throw Error(ErrorKind::conflict,
                fmt::format("Job {} is there already and belongs to something else; delete it", job));
}

// What keeps a Job from being made is told by the next reconciliation.
void Reconciler::start_job(const Context& ctx, const ResourceView& resource, const MakeJob& make_job,
                           const std::optional<api::PvcStorage>& claim) {
  const auto& resource_namespace = resource.key.resource_namespace;
  try {
    const auto job = make_job();
    if (!job) return;
    if (claim &&
        !kube::get(ctx, api_,
                   kube::path_of(kube::persistent_volume_claims, resource_namespace, claim->claim_name)))
      kube::create(ctx, api_, kube::path_of(kube::persistent_volume_claims, resource_namespace),
                   build_claim(resource, *claim));
    if (!kube::create(ctx, api_, kube::path_of(kube::jobs, resource_namespace), *job))
      check_is_ours(ctx, resource, kube::text_at(*job, "metadata.name"));
    std::lock_guard lock(mutex_);
    start_errors_.erase(resource.uid);
  } catch (const Error& error) {
    ctx.check();
    {
      std::lock_guard lock(mutex_);
      if (start_errors_.size() >= start_errors_max) start_errors_.clear();  // of resources that are gone
      start_errors_[resource.uid] = {cut_text(error.what(), start_error_bytes_max),
                                     error.kind() == ErrorKind::invalid};
    }
    throw error.while_doing("starting the Job of " + resource.to_string());
  }
}

// ---- what goes

void Reconciler::release(const Context& ctx, const ResourceView& resource) {
  json::array kept;
  for (const auto& name : resource.finalizers)
    if (std::ranges::find(foreign_finalizers, name) == foreign_finalizers.end()) kept.emplace_back(name);
  if (kept.size() == resource.finalizers.size()) return;
  json::object patch{{"metadata", json::object{{"resourceVersion", resource.resource_version},
                                               {"finalizers", std::move(kept)}}}};
  kube::merge_patch(ctx, api_, path_of_resource(resource), std::move(patch), operator_name);
}

}  // namespace kb::op
