#include "engine/restore_produce.h"

#include <algorithm>

#include "base/task_group.h"
#include "engine/produce_worker.h"
#include "engine/restore_settings.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;
using Producers = std::vector<std::unique_ptr<PartitionProducer>>;

// The producers of the shard's partitions, the largest first.
Producers open_producers(const RestorePlan& plan, const std::map<std::string, kafka::TopicConfig>& configs,
                         const std::vector<TargetState>& target, int shard, const Positions& positions,
                         const kafka::ProducerSession& session, storage::ObjectStore& store,
                         const api::KafkaRestoreSpec& spec, ProgressCounters& progress) {
  std::vector<std::pair<std::uint64_t, std::unique_ptr<PartitionProducer>>> sized;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    const auto& topic = plan.topics[i];
    if (!has_share(topic, shard)) continue;
    const auto settings = rebatch_settings(spec, configs.at(topic.name));
    for (const auto& partition : topic.partitions) {
      if (partition.shard != shard) continue;
      TopicPartition tp{topic.name, partition.partition};
      auto it = positions.find(tp);
      auto position = it == positions.end() ? Position{} : it->second;
      progress.partitions_total += 1;
      progress.records_total += partition.records_max;
      progress.bytes_total += partition.raw_bytes;
      progress.records_done += position.records;
      sized.emplace_back(partition.raw_bytes,
                         std::make_unique<PartitionProducer>(
                             tp, SourceReader(store, plan, partition, settings, position.records), session,
                             position.end_offset));
      sized.back().second->only_if_finished = target[i].only_if_finished;
    }
  }
  std::stable_sort(sized.begin(), sized.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  Producers producers;
  for (auto& [bytes, producer] : sized) producers.push_back(std::move(producer));
  return producers;
}

void produce(const Context& ctx, kafka::Cluster& cluster, const RestoreRequest& request, Producers producers,
             ProgressCounters& progress) {
  const auto limits = api::rate_limiting_or_default(request.spec.rate_limiting);
  const auto settings = produce_settings(request.spec);
  ByteBudget budget(request.memory_bytes_max);
  // Every worker of the restore has its share.
  RateLimiter bytes_per_second(share_of(limits.bytes_per_sec, request.shard)),
      records_per_second(share_of(limits.records_per_sec, request.shard));
  ProduceShared shared{cluster, budget, bytes_per_second, records_per_second, progress, settings};
  std::vector<ProduceWorker::Producers> shares(settings.workers);
  for (std::size_t i = 0; i < producers.size(); ++i)
    shares[i % settings.workers].push_back(std::move(producers[i]));
  TaskGroup tasks(ctx);
  for (auto& share : shares) {
    tasks.spawn([&shared, &share](const Context& c) { ProduceWorker(shared, std::move(share)).run(c); });
  }
  tasks.wait();
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
