#include "engine/backup.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "archive/layout.h"
#include "archive/run.h"
#include "base/error.h"
#include "base/log.h"
#include "base/task_group.h"
#include "engine/backup_plan.h"
#include "engine/cluster_settings.h"
#include "engine/fetcher.h"
#include "engine/segment_writer.h"

namespace kb::engine {
namespace {

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

struct Run {
  std::string backup_id;
  bool resumed = false;
};

void abandon(const Context& ctx, const archive::Archive& archive, const std::string& id,
             const std::string& why) {
  archive.decide(ctx, id, {.abandoned = why});
  LOG_WARN("backup {} is abandoned: {}", id, why);
}

// A run is named after the second it starts in, and there is one in each.
std::string unused_id(const Context& ctx, const archive::Archive& archive, const std::string& name) {
  for (;;) {
    auto now = now_ms();
    auto id = archive::make_backup_id(name, now);
    if (!archive.decision(ctx, id)) return id;
    ctx.sleep_for(std::chrono::milliseconds(1000 - now % 1000));
  }
}

// The newest run that is not decided goes on, when it captures what the resource asks for; older ones never
// will.
Run choose_run(const Context& ctx, const archive::Archive& archive, const BackupRequest& request) {
  if (!request.backup_id.empty()) {
    archive::time_of(request.backup_id);
    return {.backup_id = request.backup_id, .resumed = archive.plan(ctx, request.backup_id).has_value()};
  }
  auto undecided = archive.catalog(ctx).undecided;
  for (auto it = undecided.rbegin(); it != undecided.rend(); ++it) {
    auto plan = archive.plan(ctx, *it);
    if (it == undecided.rbegin() && (!plan || plan->spec_sha256 == spec_digest(request.spec)))
      return {.backup_id = *it, .resumed = plan.has_value()};
    abandon(ctx, archive, *it, "a later run took its place");
  }
  return {.backup_id = unused_id(ctx, archive, request.owner.name)};
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

// A base that cannot be deleted any more while the run lasts.
std::optional<Base> pin_base(const Context& ctx, const archive::Archive& archive,
                             const std::string& backup_id) {
  while (auto newest = archive.newest_set(ctx)) {
    const auto& id = newest->capture.backup_id;
    if (archive.pin(ctx, backup_id, id)) return Base{.set = *newest, .sha256 = archive.set_sha256(ctx, id)};
    ctx.check();
  }
  return std::nullopt;
}

archive::Plan plan_once(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
                        const BackupRequest& request, const ChosenTopics& topics,
                        const std::string& backup_id) {
  if (auto plan = archive.plan(ctx, backup_id)) return *plan;
  auto base = pin_base(ctx, archive, backup_id);
  return archive.put_plan(
      ctx, make_plan(ctx, cluster, request, topics, backup_id, archive.header().archive_id, base, now_ms()));
}

// Where each partition of the plan is to be read on from, behind what the checkpoints hold.
std::vector<FetchCursor> open_cursors(const archive::Plan& plan, const archive::Index& stored,
                                      const kafka::Cluster& cluster, ProgressCounters& progress) {
  std::vector<FetchCursor> cursors;
  for (const auto& topic : plan.capture.topics) {
    for (const auto& p : topic.partitions) {
      progress.partitions_total += 1;
      progress.records_total += static_cast<std::uint64_t>(p.end - p.from);
      archive::StreamId stream{topic.name, p.partition, p.lineage};
      auto it = stored.streams.find(stream);
      auto position =
          it == stored.streams.end() ? p.from : archive::first_uncovered(it->second, {p.from, p.end});
      progress.records_done += static_cast<std::uint64_t>(position - p.from);
      if (position >= p.end) {
        progress.partitions_done += 1;
        continue;
      }
      cursors.push_back({.stream = stream,
                         .segment_class = topic.compacted ? SegmentClass::compacted : SegmentClass::deleted,
                         .position = position,
                         .end = p.end,
                         .leader_epoch = cluster.leader_epoch(topic.name, p.partition)});
    }
  }
  return cursors;
}

BlockSettings block_settings(const api::KafkaBackupSpec& spec) {
  BlockSettings settings{.level = spec.compression_level,
                         .recompress = spec.recompress == api::Recompress::always};
  switch (spec.compression) {
    case api::Compression::none:
      settings.encoding = archive::BlockEncoding::as_is;
      break;
    case api::Compression::lz4:
      settings.encoding = archive::BlockEncoding::lz4;
      break;
    case api::Compression::zstd:
      settings.encoding = archive::BlockEncoding::zstd;
      break;
  }
  return settings;
}

SegmentSettings segment_settings(const BackupRequest& request) {
  constexpr std::uint64_t segment_bytes_limit = 64 * 1024 * 1024;
  SegmentSettings settings;
  settings.segment_bytes_max = static_cast<std::size_t>(std::min(
      {request.spec.segment_max_bytes, segment_bytes_limit, std::uint64_t{request.memory_bytes_max / 4}}));
  settings.segment_interval_max = std::chrono::milliseconds(request.spec.segment_max_interval_ms);
  auto checkpoint = request.spec.checkpoint.value_or(api::Checkpoint{});
  settings.checkpoints = checkpoint.enabled;
  settings.checkpoint_interval = std::chrono::seconds(checkpoint.interval_secs);
  return settings;
}

FetchSettings fetch_settings(const BackupRequest& request, std::uint64_t bytes_per_second) {
  FetchSettings settings;
  auto connections = request.spec.kafka_cluster.connection.value_or(api::Connection{}).connections_per_broker;
  settings.workers = std::clamp<std::size_t>(connections - 1, 1, 8);  // one is left for control
  settings.answer_bytes_max = std::min<std::size_t>(2 * 1024 * 1024, request.memory_bytes_max / 8);
  // A limited run asks for a quarter of a second's worth at a time, so that the limit holds smoothly.
  if (bytes_per_second > 0)
    settings.answer_bytes_max = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(bytes_per_second / 4, 64 * 1024, settings.answer_bytes_max));
  return settings;
}

void read_all(FetchShared& shared, SegmentWriter& writer) {
  TaskGroup readers(writer.context());
  for (std::size_t i = 0; i < shared.settings.workers; ++i)
    readers.spawn([&shared](const Context& ctx) { Fetcher(shared).run(ctx); });
  try {
    readers.wait();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) writer.rethrow_failure();  // what stopped the readers
    throw;
  }
}

// Reads everything that is missing and stores it.
void copy(const Context& ctx, kafka::Cluster& cluster, const archive::Archive& archive,
          const archive::Plan& plan, const BackupRequest& request, ProgressCounters& progress) {
  auto shard = archive::ShardWriter::claim(ctx, archive, plan.capture.backup_id, 0);
  auto cursors = open_cursors(plan, shard.stored(), cluster, progress);
  if (cursors.empty()) return;
  const auto limits = api::rate_limiting_or_default(request.spec.rate_limiting);
  const auto settings = fetch_settings(request, limits.bytes_per_sec);
  const auto blocks = block_settings(request.spec);
  FetchScheduler scheduler(
      std::move(cursors), static_cast<std::size_t>(limits.max_concurrent_partitions),
      [&](const archive::StreamId& stream) { return cluster.leader(stream.topic, stream.partition); },
      settings.retry);
  ByteBudget budget(request.memory_bytes_max);
  RateLimiter bytes_per_second(limits.bytes_per_sec), records_per_second(limits.records_per_sec);

  SegmentWriter writer(ctx, archive.store(), shard, segment_settings(request), budget.bytes_max(), progress);
  FetchShared shared{.cluster = cluster,
                     .scheduler = scheduler,
                     .budget = budget,
                     .bytes_per_second = bytes_per_second,
                     .records_per_second = records_per_second,
                     .progress = progress,
                     .settings = settings,
                     .blocks = blocks,
                     .sink = [&](const Context& c, BlockBatch batch) { writer.add(c, std::move(batch)); }};
  read_all(shared, writer);
  writer.finish();
}

// A run that is decided is not repeated: its report is given again.
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

// The archive as an earlier run made it, if one did.
std::optional<archive::Archive> open_existing(const Context& ctx, const BackupRequest& request,
                                              const OpenStore& open_store) {
  auto store = open_store(false);
  return store ? archive::Archive::open_own(ctx, std::move(store), request.owner) : std::nullopt;
}

// An unfinished run goes on only as it was begun.
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

BackupReport run_to_commit(const Context& ctx, const BackupRequest& request, kafka::Cluster& cluster,
                           const archive::Archive& archive, const ChosenTopics& topics,
                           ProgressCounters& progress) {
  auto run = choose_run(ctx, archive, request);
  if (auto decided = already_decided(ctx, archive, run.backup_id)) return *decided;
  auto plan = plan_once(ctx, cluster, archive, request, topics, run.backup_id);
  refuse_other_plan(plan, request, cluster.cluster_id());
  // An interrupted run whose topics are others by now can never be finished: it makes room for a new one.
  if (auto broken = run.resumed ? plan_broken_by(ctx, cluster, plan) : ""; !broken.empty()) {
    abandon(ctx, archive, run.backup_id, broken);
    if (!request.backup_id.empty())
      fail(ErrorKind::conflict, "backup {} cannot be resumed: {}", run.backup_id, broken);
    return run_to_commit(ctx, request, cluster, archive, choose_topics_of(ctx, cluster, request.spec),
                         progress);
  }
  copy(ctx, cluster, archive, plan, request, progress);
  if (auto broken = plan_broken_by(ctx, cluster, plan); !broken.empty())
    throw Error(ErrorKind::conflict, fmt::format("backup {}: {} during the backup", run.backup_id, broken),
                "run the backup again: it will begin a new lineage of the topic");
  auto decision = archive::commit(ctx, archive, plan, now_ms());
  if (!decision.set)
    fail(ErrorKind::conflict, "backup {} was abandoned: {}", run.backup_id, decision.abandoned);
  return {.resumed = run.resumed, .set = std::move(*decision.set)};
}

}  // namespace

BackupReport backup(const Context& ctx, const BackupRequest& request, const OpenStore& open_store,
                    ProgressCounters& progress) {
  auto archive = open_existing(ctx, request, open_store);
  // Needs no cluster: a worker that is started again behind its commit gives its report whatever became of
  // that.
  if (archive && !request.backup_id.empty())
    if (auto decided = already_decided(ctx, *archive, request.backup_id)) return *decided;
  kafka::Cluster cluster(cluster_settings(request.spec.kafka_cluster));
  cluster.connect(ctx);
  auto topics = choose_topics_of(ctx, cluster, request.spec);
  if (archive)
    refuse_other_cluster(ctx, *archive, cluster.cluster_id());
  else
    archive = archive::Archive::open_or_create(ctx, open_store(true), request.owner, now_ms());
  return run_to_commit(ctx, request, cluster, *archive, topics, progress);
}

}  // namespace kb::engine
