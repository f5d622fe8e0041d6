#include "engine/backup.h"

#include <fmt/format.h>

#include "archive/run.h"
#include "base/error.h"
#include "base/log.h"
#include "base/unix_time.h"
#include "engine/backup_copy.h"
#include "engine/backup_plan.h"
#include "engine/backup_run.h"
#include "engine/breaker_settings.h"
#include "engine/cluster_settings.h"
#include "engine/held_back.h"
#include "engine/open_runs.h"

namespace kb::engine {
namespace {

void refuse_broken(const Context& ctx, kafka::Cluster& cluster, const archive::Plan& plan) {
  if (auto broken = plan_broken_by(ctx, cluster, plan); !broken.empty())
    throw Error(ErrorKind::conflict,
                fmt::format("backup {}: {} during the backup", plan.capture.backup_id, broken),
                "run the backup again: it will begin a new lineage of the topic");
}

BackupReport commit_run(const Context& ctx, const archive::Archive& archive, const archive::Plan& plan) {
  auto decision = archive::commit(ctx, archive, plan, unix_now_ms());
  if (!decision.set)
    fail(ErrorKind::conflict, "backup {} was abandoned: {}", plan.capture.backup_id, decision.abandoned);
  return {.set = std::move(*decision.set)};
}

// What the shard has stored, by whichever of its workers.
BackupReport report_shard(const Context& ctx, const archive::Archive& archive, const archive::Plan& plan,
                          const Shard& shard) {
  BackupReport report{.outcome = BackupOutcome::shard_done, .shard = shard, .set = {.capture = plan.capture}};
  auto& topics = report.set.capture.topics;
  for (auto& topic : topics)
    std::erase_if(topic.partitions, [&](const auto& p) { return p.shard != shard.index; });
  std::erase_if(topics, [](const auto& topic) { return topic.partitions.empty(); });
  report.set.totals =
      archive::totals_of(archive::read_checkpoints(ctx, archive, plan.capture.backup_id, shard.index));
  return report;
}

BackupReport carry_out(const Context& ctx, const BackupRequest& request, kafka::Cluster& cluster,
                       const archive::Archive& archive, const ChosenTopics& topics,
                       ProgressCounters& progress);

// A run that failed has left most of its work behind. It is finished before a newer one begins, which then
// has little to do.
void finish_older(const Context& ctx, const BackupRequest& request, kafka::Cluster& cluster,
                  const archive::Archive& archive, const ChosenTopics& topics, ProgressCounters& progress) {
  auto older = unfinished_before(ctx, archive, request, cluster.cluster_id());
  if (!older || !plan_broken_by(ctx, cluster, *older).empty()) return;
  auto own = request;
  own.backup_id = older->capture.backup_id;
  LOG_INFO("backup {} was not finished: it is finished first", own.backup_id);
  carry_out(ctx, own, cluster, archive, topics, progress);
}

BackupReport carry_out(const Context& ctx, const BackupRequest& request, kafka::Cluster& cluster,
                       const archive::Archive& archive, const ChosenTopics& topics,
                       ProgressCounters& progress) {
  finish_older(ctx, request, cluster, archive, topics, progress);
  auto run = choose_run(ctx, archive, request);
  if (auto decided = already_decided(ctx, archive, run.backup_id)) return *decided;
  auto plan = plan_once(ctx, cluster, archive, request, topics, run.backup_id);
  refuse_other_plan(plan, request, cluster.cluster_id());
  refuse_other_shards(plan, request.shard);
  // An interrupted run whose topics are others by now can never be finished: it makes room for a new one.
  if (auto broken = run.resumed ? plan_broken_by(ctx, cluster, plan) : ""; !broken.empty()) {
    if (!request.backup_id.empty())
      fail(ErrorKind::conflict, "backup {} cannot be resumed: {}", run.backup_id, broken);
    abandon(ctx, archive, run.backup_id, broken);
    return carry_out(ctx, request, cluster, archive, choose_topics_of(ctx, cluster, request.spec), progress);
  }
  progress.held_back_offsets = held_back_offsets(plan.capture);
  progress.hanging_transactions = hanging_transactions(plan.capture);
  for (const auto& warning : hanging_warnings(plan.capture)) LOG_WARN("{}", warning);
  const bool shard_resumed = copy_shard(ctx, cluster, archive, plan, request, progress);
  refuse_broken(ctx, cluster, plan);
  if (plan.shards == 1) {
    auto report = commit_run(ctx, archive, plan);
    report.resumed = run.resumed;
    return report;
  }
  auto report = report_shard(ctx, archive, plan, request.shard);
  report.resumed = shard_resumed;
  // Once somebody has decided, the shard's checkpoints mean nothing any more, and may be gone.
  if (auto decided = already_decided(ctx, archive, run.backup_id)) return *decided;
  return report;
}

BackupReport with_retention(const Context& ctx, const BackupRequest& request, const archive::Archive& archive,
                            BackupReport report) {
  const auto& retention = request.spec.retention;
  if (retention && retention->enabled) {
    auto kept = request.kept_backup_ids;
    kept.push_back(report.set.capture.backup_id);
    report.retention = apply_retention(ctx, archive, *retention, kept);
    for (auto& warning : retention_warnings(*report.retention)) report.warnings.push_back(std::move(warning));
  }
  return report;
}

void require_id(const BackupRequest& request, const std::string& of_what) {
  if (request.backup_id.empty())
    throw Error(ErrorKind::invalid, fmt::format("{} needs the id of the backup", of_what),
                "give all shards, and the finish, the same --backup-id <name>-YYYYMMDD-HHMMSS");
}

[[noreturn]] void refuse_unfinished(const std::string& backup_id, const std::string& why,
                                    const std::string& shards) {
  throw Error(ErrorKind::unavailable, fmt::format("backup {} is not complete: {}", backup_id, why),
              fmt::format("run {}, then finish again", shards));
}

void require_stored(const Context& ctx, const archive::Archive& archive, const archive::Plan& plan) {
  auto missing = archive::first_missing(ctx, archive, plan);
  if (!missing) return;
  const auto shard = to_string({missing->shard, plan.shards});
  refuse_unfinished(
      plan.capture.backup_id,
      fmt::format("shard {} has not stored {}/{} from offset {} to {}", shard, missing->stream.topic,
                  missing->stream.partition, missing->offsets.start, missing->offsets.end - 1),
      "shard " + shard);
}

BackupReport commit_when_complete(const Context& ctx, const BackupRequest& request,
                                  const archive::Archive& archive) {
  auto plan = archive.plan(ctx, request.backup_id);
  if (!plan) refuse_unfinished(request.backup_id, "no shard of it has begun", "its shards");
  require_stored(ctx, archive, *plan);
  // A worker may have been killed before it could find out that a topic had been recreated under it.
  kafka::Cluster cluster(cluster_settings(request.spec.kafka_cluster, request.secrets));
  cluster.connect(ctx);
  refuse_other_plan(*plan, request, cluster.cluster_id());
  refuse_broken(ctx, cluster, *plan);
  return commit_run(ctx, archive, *plan);
}

}  // namespace

BackupReport backup(const Context& ctx, const BackupRequest& request, const OpenStore& open_store,
                    ProgressCounters& progress) {
  require_shard(request.shard);
  if (request.shard.count > 1) require_id(request, "a shard");
  auto archive = open_existing(ctx, request, open_store);
  if (archive) settle_open_runs(ctx, *archive);  // of a time when the resource was a continuous backup
  // Needs no cluster: a worker that is started again behind its commit gives its report whatever became of
  // that.
  const bool shard = request.shard.count > 1;
  if (archive && !request.backup_id.empty())
    if (auto decided = already_decided(ctx, *archive, request.backup_id))
      return shard ? *decided : with_retention(ctx, request, *archive, std::move(*decided));
  auto settings = cluster_settings(request.spec.kafka_cluster, request.secrets);
  guard(settings, request.spec.circuit_breaker, progress.breakers);
  kafka::Cluster cluster(std::move(settings));
  cluster.connect(ctx);
  auto topics = choose_topics_of(ctx, cluster, request.spec);
  if (archive)
    refuse_other_cluster(ctx, *archive, cluster.cluster_id());
  else
    archive = archive::Archive::open_or_create(ctx, open_store(true), request.owner, unix_now_ms(),
                                               request.adopt_archive);
  auto report = carry_out(ctx, request, cluster, *archive, topics, progress);
  report.warnings = breaker_warnings(*progress.breakers);
  return shard ? report : with_retention(ctx, request, *archive, std::move(report));
}

BackupReport finish_backup(const Context& ctx, const BackupRequest& request, const OpenStore& open_store) {
  require_id(request, "finishing a backup");
  auto archive = open_existing(ctx, request, open_store);
  if (!archive) refuse_unfinished(request.backup_id, "no shard of it has begun", "its shards");
  auto decided = already_decided(ctx, *archive, request.backup_id);
  try {
    if (!decided) decided = commit_when_complete(ctx, request, *archive);
  } catch (const Error&) {
    // Once a run is decided, a prune may take away what is looked for here.
    decided = already_decided(ctx, *archive, request.backup_id);
    if (!decided) throw;
  }
  return with_retention(ctx, request, *archive, std::move(*decided));
}

}  // namespace kb::engine
