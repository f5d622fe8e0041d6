#include "engine/restore.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/unix_time.h"
#include "engine/breaker_settings.h"
#include "engine/cluster_settings.h"
#include "engine/partition_producer.h"
#include "engine/restore_hold.h"
#include "engine/restore_position.h"
#include "engine/restore_produce.h"

namespace kb::engine {
namespace {

constexpr std::int32_t transaction_timeout_ms = 60'000;

// A restore that will not reach its end should not begin: every object is there and has its size.
void check_objects(const Context& ctx, storage::ObjectStore& store, const RestorePlan& plan) {
  std::map<std::string, std::uint64_t> found;
  std::set<std::string> folders;
  for (const auto& object : plan.objects) folders.insert(object.key.substr(0, object.key.rfind('/') + 1));
  for (const auto& folder : folders)
    for (const auto& info : store.list(ctx, folder)) found[info.key] = info.bytes;
  for (const auto& object : plan.objects) {
    auto it = found.find(object.key);
    if (it == found.end())
      throw Error(ErrorKind::corrupt, fmt::format("object {} is missing; nothing was restored", object.key),
                  "kafka-backup verify names everything that is damaged, and which backups are whole");
    if (it->second != object.bytes)
      throw Error(ErrorKind::corrupt,
                  fmt::format("object {} has {} bytes instead of {}; nothing was restored", object.key,
                              it->second, object.bytes),
                  "kafka-backup verify names everything that is damaged, and which backups are whole");
  }
}

// All of them would choose for themselves, and meanwhile there may be a newer one.
void require_named_set(const RestoreRequest& request, const std::string& who) {
  if (request.spec.backup_ref.backup_id) return;
  throw Error(ErrorKind::invalid, fmt::format("{} of a restore needs spec.backupRef.backupId", who),
              "name the backup, so that all shards restore the same one; kafka-backup list shows them");
}

void require_fit_for_shard(const RestoreRequest& request) {
  require_shard(request.shard);
  if (request.shard.count == 1) return;
  require_named_set(request, "a shard");
  if (request.spec.dry_run)
    throw Error(ErrorKind::invalid, "a shard cannot be run with spec.dryRun: true",
                "run it without --shard: the plan is that of all shards");
}

RestorePlan make_plan(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive,
                      const archive::Set& set) {
  auto plan = plan_restore(request.spec, request.restore_namespace + "/" + request.restore_name, set,
                           archive.load_index(ctx, set), unix_now_ms());
  divide_plan(plan, request.shard.count);
  check_objects(ctx, archive.store(), plan);
  return plan;
}

// Throws when something of it does not fit.
std::vector<TargetState> fitting_target(const Context& ctx, kafka::Cluster& cluster,
                                        const RestoreRequest& request, const RestorePlan& plan) {
  auto target = inspect_target(ctx, cluster, plan);
  if (auto refused = unfit(request.spec, plan, target, unix_now_ms())) throw Error(*refused);
  return target;
}

ForeignData foreign_data(const RestoreRequest& request) {
  return request.spec.existing_data == api::ExistingData::append ? ForeignData::append : ForeignData::refuse;
}

// Topics that appeared since the target was looked at. Other shards of this restore, and they alone, create
// them under load settings; an earlier run of this shard may have written to them meanwhile, so it is fenced
// there.
Positions take_over_created(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                            const RestoreRequest& request, const RestorePlan& plan,
                            const kafka::ProducerSession& session, std::vector<TargetState>& target) {
  auto now = fitting_target(ctx, cluster, request, plan);
  auto appeared = now;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    if (target[i].action != TargetAction::create) {
      appeared[i].action = TargetAction::create;  // its positions are known
    } else if (now[i].action != TargetAction::create) {
      if (now[i].action != TargetAction::load)
        fail(ErrorKind::conflict, "target topic {} was created by somebody else just now",
             plan.topics[i].name);
      target[i] = now[i];
    }
  }
  return find_positions(ctx, cluster, archive.store(), plan, appeared, request.shard.index, session,
                        ForeignData::refuse);
}

// Several shards may find the same topic missing, and all but one of them are too late to create it.
void create_or_take_over(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                         const RestoreRequest& request, const RestorePlan& plan,
                         const kafka::ProducerSession& session, std::vector<TargetState>& target,
                         Positions& positions) {
  Backoff backoff(cluster.settings().retry);
  while (!create_missing(ctx, cluster, plan, request.shard.index, target)) {
    LOG_INFO("another shard has created topics at the same time: looking at the target again");
    auto before = target;
    positions.merge(take_over_created(ctx, cluster, archive, request, plan, session, target));
    const bool appeared = !std::equal(before.begin(), before.end(), target.begin(),
                                      [](const auto& a, const auto& b) { return a.action == b.action; });
    if (!appeared)  // brokers learn of a new topic one after the other
      backoff.wait_or_throw(
          ctx, Error(ErrorKind::unavailable,
                     "the brokers do not show topics that exist; may the principal describe them?"));
  }
}

// Leaves only what the shard wrote, topics and what was found of them.
void keep_share(RestoreReport& report) {
  std::vector<TargetTopic> topics;
  std::vector<TargetState> target;
  for (std::size_t i = 0; i < report.plan.topics.size(); ++i) {
    auto& topic = report.plan.topics[i];
    std::erase_if(topic.partitions, [&](const auto& p) { return p.shard != report.shard.index; });
    if (topic.partitions.empty()) continue;
    topics.push_back(std::move(topic));
    target.push_back(std::move(report.target[i]));
  }
  report.plan.topics = std::move(topics);
  report.target = std::move(target);
}

// One restore, as far as it writes.
struct Writing {
  kafka::Cluster& cluster;
  const archive::Archive& archive;
  const RestoreRequest& request;
  const RestorePlan& plan;
  RestoreHold& hold;
  ProgressCounters& progress;
  std::optional<kafka::ProducerSession> session;  // empty before the first attempt
  std::optional<std::uint64_t> records_before;    // in the target, of what is to be written
  std::uint64_t records_found = 0;                // there when the last attempt began
};

// Writes what the logs lack.
void write_what_lacks(const Context& ctx, Writing& writing, std::vector<TargetState>& target) {
  auto& [cluster, archive, request, plan, hold, progress, session, records_before, records_found] = writing;
  auto& store = archive.store();
  const auto shard = request.shard.index;
  const auto foreign = foreign_data(request);
  if (foreign == ForeignData::refuse) refuse_foreign_topics(ctx, cluster, store, plan, target, shard);
  session = kafka::init_producer(ctx, cluster, transactional_id(plan, request.shard), transaction_timeout_ms,
                                 session);
  auto positions = find_positions(ctx, cluster, store, plan, target, shard, *session, foreign);
  hold.begin();
  create_or_take_over(ctx, cluster, archive, request, plan, *session, target, positions);
  records_found = 0;
  for (const auto& [tp, position] : positions) records_found += position.records;
  if (!records_before) records_before = records_found;
  write_share(ctx, cluster, store, request, plan, target, positions, *session, progress);
}

// When logs differ from what was written it does what another run would do: it reads their ends and goes on
// there, as long as that brings it forward. Gives what became of the target's topics.
std::vector<TargetState> write_until_whole(const Context& ctx, Writing& writing,
                                           std::vector<TargetState> target) {
  Backoff backoff(writing.cluster.settings().retry);
  for (;;) {
    try {
      write_what_lacks(ctx, writing, target);
      return target;
    } catch (const TargetLogDiffers& error) {
      if (writing.progress.records_done > writing.records_found) backoff.reset();
      LOG_WARN("{}; reading the ends of the target's logs, to go on there", error.what());
      backoff.wait_or_throw(ctx, error);
    }
    target = fitting_target(ctx, writing.cluster, writing.request, writing.plan);
  }
}

RestoreReport restore_held(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive,
                           RestoreHold& hold, ProgressCounters& progress) {
  const auto& spec = request.spec;
  const auto& shard = request.shard;
  RestoreReport report{.outcome = shard.count > 1 ? RestoreOutcome::shard_done : RestoreOutcome::restored,
                       .shard = shard,
                       .plan = make_plan(ctx, request, archive, hold.set())};
  const auto& plan = report.plan;
  auto settings = cluster_settings(spec.kafka_cluster, request.secrets);
  guard(settings, spec.circuit_breaker, progress.breakers);
  kafka::Cluster cluster(std::move(settings));
  cluster.connect(ctx);
  auto target = inspect_target(ctx, cluster, plan);
  report.target = target;
  report.refused = unfit(spec, plan, target, unix_now_ms());
  if (spec.dry_run) {
    report.outcome = RestoreOutcome::planned;
    return report;
  }
  if (report.refused) throw Error(*report.refused);

  Writing writing{cluster, archive, request, plan, hold, progress, {}, {}, 0};
  if (std::ranges::any_of(plan.topics, [&](const auto& topic) { return has_share(topic, shard.index); }))
    target = write_until_whole(ctx, writing, std::move(target));
  const auto records_before = writing.records_before.value_or(0);
  report.resumed = records_before > 0;
  report.records_there = progress.records_done;
  report.records = report.records_there - records_before;
  report.bytes = progress.bytes_done;
  if (shard.count == 1)
    report.warnings = finish_configs(ctx, cluster, plan, target, unix_now_ms());
  else
    keep_share(report);
  for (auto& warning : breaker_warnings(*progress.breakers)) report.warnings.push_back(std::move(warning));
  return report;
}

RestoreReport finish_held(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive,
                          const archive::Set& set) {
  RestoreReport report{.plan = make_plan(ctx, request, archive, set)};
  const auto& plan = report.plan;
  kafka::Cluster cluster(cluster_settings(request.spec.kafka_cluster, request.secrets));
  cluster.connect(ctx);
  const auto target = report.target = fitting_target(ctx, cluster, request, plan);
  auto found = check_complete(ctx, cluster, archive.store(), plan, target, foreign_data(request));
  if (!found.lacking.empty())
    throw Error(ErrorKind::unavailable, fmt::format("the restore is not complete: {}", found.lacking),
                "run its shards, all of them, then finish again");
  report.records_there = found.records;
  report.warnings = finish_configs(ctx, cluster, plan, target, unix_now_ms());
  return report;
}

}  // namespace

RestoreReport restore(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive,
                      ProgressCounters& progress) {
  require_fit_for_shard(request);
  RestoreHold hold(ctx, request, archive);
  RestoreReport report;
  hold.during(ctx, [&] { report = restore_held(ctx, request, archive, hold, progress); });
  if (report.outcome == RestoreOutcome::restored) hold.release(ctx);
  return report;
}

RestoreReport finish_restore(const Context& ctx, const RestoreRequest& request,
                             const archive::Archive& archive) {
  require_named_set(request, "the finish");
  if (request.spec.dry_run) fail(ErrorKind::invalid, "there is nothing to finish with spec.dryRun: true");
  RestoreHold hold(ctx, request, archive);
  RestoreReport report;
  hold.during(ctx, [&] { report = finish_held(ctx, request, archive, hold.set()); });
  hold.release(ctx);
  return report;
}

}  // namespace kb::engine
