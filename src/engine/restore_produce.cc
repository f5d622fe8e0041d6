#include "engine/restore_produce.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/task_group.h"
#include "engine/produce_worker.h"
#include "engine/restore_settings.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;
using Producers = ProduceScheduler::Producers;

// The producers of the shard's partitions, the largest first.
Producers open_producers(const RestorePlan& plan, const std::map<std::string, kafka::TopicConfig>& configs,
                         const std::vector<TargetState>& target, int shard, const Positions& positions,
                         const kafka::ProducerSession& session, storage::ObjectStore& store,
                         const api::KafkaRestoreSpec& spec, ProgressCounters& progress) {
  std::vector<std::pair<std::uint64_t, std::unique_ptr<PartitionProducer>>> sized;
  std::uint64_t records_total = 0, records_there = 0, bytes_total = 0;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    const auto& topic = plan.topics[i];
    if (!has_share(topic, shard)) continue;
    const auto settings = rebatch_settings(spec, configs.at(topic.name));
    for (const auto& partition : topic.partitions) {
      if (partition.shard != shard) continue;
      TopicPartition tp{topic.name, partition.partition};
      auto it = positions.find(tp);
      auto position = it == positions.end() ? Position{} : it->second;
      records_total += partition.records_max;
      records_there += position.records;
      bytes_total += partition.raw_bytes;
      sized.emplace_back(partition.raw_bytes,
                         std::make_unique<PartitionProducer>(
                             tp, SourceReader(store, plan, partition, settings, position.records), session,
                             position.end_offset));
      sized.back().second->only_if_finished = target[i].only_if_finished;
    }
  }
  progress.partitions_total = sized.size();
  progress.partitions_done = 0;
  progress.records_total = records_total;
  progress.records_done = records_there;
  progress.bytes_total = bytes_total;
  std::stable_sort(sized.begin(), sized.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  Producers producers;
  for (auto& [bytes, producer] : sized) producers.push_back(std::move(producer));
  return producers;
}

// What was acknowledged can be lost again by an unclean leader election; then nothing is complete.
void require_still_there(const Context& ctx, kafka::Cluster& cluster,
                         const std::map<TopicPartition, std::int64_t>& ends) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, end] : ends) partitions.push_back(partition);
  if (partitions.empty()) return;
  const auto found = kafka::list_offsets(ctx, cluster, partitions, kafka::OffsetAt::latest,
                                         kafka::IsolationLevel::read_uncommitted);
  for (const auto& [partition, end] : ends)
    if (found.at(partition) < end)
      throw TargetLogDiffers(
          fmt::format("{}/{} ends at offset {}, though all before offset {} had been acknowledged: an "
                      "unclean leader election cut the log",
                      partition.topic, partition.partition, found.at(partition), end),
          "run the restore again: it goes on where the log ends");
}

void produce(const Context& ctx, kafka::Cluster& cluster, const RestoreRequest& request, Producers producers,
             ProgressCounters& progress) {
  const auto limits = api::rate_limiting_or_default(request.spec.rate_limiting);
  const auto settings = produce_settings(request.spec);
  ByteBudget budget(request.memory_bytes_max);
  // Every worker of the restore has its share.
  RateLimiter bytes_per_second(share_of(limits.bytes_per_sec, request.shard)),
      records_per_second(share_of(limits.records_per_sec, request.shard));
  ProduceScheduler scheduler(
      std::move(producers),
      {.workers_per_broker = settings.workers, .partitions_at_once_max = settings.partitions_at_once_max},
      [&](const TopicPartition& tp) { return cluster.leader(tp.topic, tp.partition); });
  WrittenEnds ends;
  WrittenTopics topics;
  ProduceShared shared{.cluster = cluster,
                       .scheduler = scheduler,
                       .ends = ends,
                       .topics = topics,
                       .budget = budget,
                       .bytes_per_second = bytes_per_second,
                       .records_per_second = records_per_second,
                       .progress = progress,
                       .settings = settings};
  // Enough for every broker, so that none waits for another one; with very many brokers some take turns.
  constexpr std::size_t threads_max = 16;
  const auto threads =
      std::clamp<std::size_t>(cluster.brokers().size() * settings.workers, settings.workers, threads_max);
  TaskGroup tasks(ctx);
  for (std::size_t i = 0; i < threads; ++i)
    tasks.spawn([&shared](const Context& c) { ProduceWorker(shared).run(c); });
  tasks.wait();
  require_still_there(ctx, cluster, ends.all());
}

std::vector<std::string> topics_of(const RestorePlan& plan, int shard) {
  std::vector<std::string> names;
  for (const auto& topic : plan.topics)
    if (has_share(topic, shard)) names.push_back(topic.name);
  return names;
}

}  // namespace

void write_share(const Context& ctx, kafka::Cluster& cluster, storage::ObjectStore& store,
                 const RestoreRequest& request, const RestorePlan& plan,
                 const std::vector<TargetState>& target, const Positions& positions,
                 const kafka::ProducerSession& session, ProgressCounters& progress) {
  const auto shard = request.shard.index;
  auto configs = kafka::topic_configs(ctx, cluster, topics_of(plan, shard));
  produce(ctx, cluster, request,
          open_producers(plan, configs, target, shard, positions, session, store, request.spec, progress),
          progress);
}

}  // namespace kb::engine
