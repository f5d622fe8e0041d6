#include "engine/backup_run.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "archive/layout.h"
#include "base/error.h"
#include "base/log.h"
#include "base/unix_time.h"

namespace kb::engine {
namespace {

constexpr auto later_run = "a later run took its place";

// A run is named after the second it starts in, and there is one in each.
std::string unused_id(const Context& ctx, const archive::Archive& archive, const std::string& name) {
  for (;;) {
    auto now = unix_now_ms();
    auto id = archive::make_backup_id(name, now);
    if (!archive.decision(ctx, id)) return id;
    ctx.sleep_for(std::chrono::milliseconds(1000 - now % 1000));
  }
}

// In the order in which an archive's runs follow each other.
bool is_older(const std::string& id, const std::string& other) {
  return std::pair(archive::time_of(id), std::string_view(id)) <
         std::pair(archive::time_of(other), std::string_view(other));
}

}  // namespace

std::optional<archive::Archive> open_existing(const Context& ctx, const BackupRequest& request,
                                              const OpenStore& open_store) {
  auto store = open_store(false);
  return store ? archive::Archive::open_own(ctx, std::move(store), request.owner, request.adopt_archive)
               : std::nullopt;
}

std::optional<BackupReport> already_decided(const Context& ctx, const archive::Archive& archive,
                                            const std::string& backup_id) {
  if (archive.is_deleted(ctx, backup_id))
    fail(ErrorKind::conflict, "backup {} was deleted; its id cannot be used again", backup_id);
  auto decision = archive.decision(ctx, backup_id);
  if (!decision) return std::nullopt;
  if (!decision->set)
    fail(ErrorKind::conflict, "backup {} was abandoned: {}", backup_id, decision->abandoned);
  return BackupReport{.outcome = BackupOutcome::committed_before, .set = std::move(*decision->set)};
}

void abandon(const Context& ctx, const archive::Archive& archive, const std::string& id,
             const std::string& why) {
  if (archive.decide(ctx, id, {.abandoned = why}).set) return;  // it was committed just now
  LOG_WARN("backup {} is abandoned: {}", id, why);
}

void abandon_older(const Context& ctx, const archive::Archive& archive, const std::string& backup_id) {
  archive::time_of(backup_id);
  for (const auto& id : archive.catalog(ctx).undecided)
    if (is_older(id, backup_id)) abandon(ctx, archive, id, later_run);
}

std::optional<Base> pin_base(const Context& ctx, const archive::Archive& archive,
                             const std::string& backup_id) {
  while (auto newest = archive.newest_set(ctx)) {
    const auto& id = newest->capture.backup_id;
    if (archive.pin(ctx, backup_id, id)) return Base{.set = *newest, .sha256 = archive.set_sha256(ctx, id)};
    ctx.check();
  }
  return std::nullopt;
}

std::optional<archive::Plan> unfinished_before(const Context& ctx, const archive::Archive& archive,
                                               const BackupRequest& request, const std::string& cluster_id) {
  const auto& id = request.backup_id;
  if (id.empty() || request.shard.count > 1 || archive.plan(ctx, id)) return std::nullopt;
  auto undecided = archive.catalog(ctx).undecided;
  std::erase_if(undecided, [&](const auto& other) { return !is_older(other, id); });
  if (undecided.empty()) return std::nullopt;
  auto plan = archive.plan(ctx, undecided.back());
  const bool fits = plan && plan->shards == 1 && plan->spec_sha256 == spec_digest(request.spec) &&
                    plan->capture.kafka_cluster_id == cluster_id;
  return fits ? std::move(plan) : std::nullopt;
}

Run choose_run(const Context& ctx, const archive::Archive& archive, const BackupRequest& request) {
  if (!request.backup_id.empty()) {
    Run run{.backup_id = request.backup_id, .resumed = archive.plan(ctx, request.backup_id).has_value()};
    if (!run.resumed) abandon_older(ctx, archive, request.backup_id);
    return run;
  }
  auto undecided = archive.catalog(ctx).undecided;
  for (auto it = undecided.rbegin(); it != undecided.rend(); ++it) {
    auto plan = archive.plan(ctx, *it);
    if (it == undecided.rbegin() && (!plan || plan->spec_sha256 == spec_digest(request.spec)))
      return {.backup_id = *it, .resumed = plan.has_value()};
    abandon(ctx, archive, *it, later_run);
  }
  return {.backup_id = unused_id(ctx, archive, request.owner.name)};
}

archive::Plan plan_once(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                        const BackupRequest& request, const ChosenTopics& topics,
                        const std::string& backup_id) {
  if (auto plan = archive.plan(ctx, backup_id)) return *plan;
  auto base = pin_base(ctx, archive, backup_id);
  return archive.put_plan(ctx, make_plan(ctx, cluster, request, topics, backup_id,
                                         archive.header().archive_id, base, unix_now_ms()));
}

void refuse_other_cluster(const Context& ctx, const archive::Archive& archive,
                          const std::string& cluster_id) {
  auto newest = archive.newest_set(ctx);
  if (!newest || newest->capture.kafka_cluster_id == cluster_id) return;
  throw Error(ErrorKind::conflict,
              fmt::format("the archive holds Kafka cluster {}, and spec.kafkaCluster is cluster {}",
                          newest->capture.kafka_cluster_id, cluster_id),
              "give the other cluster a KafkaBackup, or a storage prefix or subPath, of its own");
}

void refuse_other_plan(const archive::Plan& plan, const BackupRequest& request,
                       const std::string& cluster_id) {
  constexpr auto hint =
      "give up the unfinished run with kafka-backup prune --abandon-incomplete, or name another id";
  const auto& id = plan.capture.backup_id;
  if (plan.capture.kafka_cluster_id != cluster_id)
    throw Error(
        ErrorKind::conflict,
        fmt::format("the unfinished backup {} is of Kafka cluster {}, and spec.kafkaCluster is cluster {}",
                    id, plan.capture.kafka_cluster_id, cluster_id),
        hint);
  if (plan.spec_sha256 != spec_digest(request.spec))
    throw Error(
        ErrorKind::conflict,
        fmt::format("the unfinished backup {} was begun with other spec.topics, spec.excludeTopics or "
                    "spec.onMissingTopic",
                    id),
        hint);
}

void refuse_other_shards(const archive::Plan& plan, const Shard& shard) {
  if (plan.shards == shard.count) return;
  const auto& id = plan.capture.backup_id;
  throw Error(ErrorKind::conflict,
              fmt::format("backup {} was begun with {} shard{}, this call is for {}", id, plan.shards,
                          plan.shards == 1 ? "" : "s", shard.count),
              plan.shards == 1
                  ? "run it without --shard, or name another id"
                  : fmt::format("run its shards 0/{0} to {1}/{0} and then --finish, or name another id",
                                plan.shards, plan.shards - 1));
}

}  // namespace kb::engine
