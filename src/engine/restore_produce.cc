#include "engine/restore_produce.h"

#include <algorithm>
#include <charconv>

#include "base/task_group.h"
#include "engine/produce_worker.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;
using Producers = std::vector<std::unique_ptr<PartitionProducer>>;

std::size_t max_message_bytes(const kafka::TopicConfig& config) {
  std::size_t bytes = kafka::RebatchSettings{}.max_message_bytes;
  if (auto it = config.effective.find("max.message.bytes"); it != config.effective.end())
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), bytes);
  return bytes;
}

// The producers of the shard's partitions, the largest first.
Producers open_producers(const RestorePlan& plan, const std::map<std::string, kafka::TopicConfig>& configs,
                         const std::vector<TargetState>& target, int shard, const Positions& positions,
                         const kafka::ProducerSession& session, storage::ObjectStore& store,
                         std::uint64_t merged_records_max, ProgressCounters& progress) {
  std::vector<std::pair<std::uint64_t, std::unique_ptr<PartitionProducer>>> sized;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    const auto& topic = plan.topics[i];
    if (!has_share(topic, shard)) continue;
    kafka::RebatchSettings settings{.max_message_bytes = max_message_bytes(configs.at(topic.name))};
    settings.merged_bytes_max = std::min(settings.merged_bytes_max, settings.max_message_bytes);
    settings.merged_records_max = merged_records_max;
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
  const auto connections =
      request.spec.kafka_cluster.connection.value_or(api::Connection{}).connections_per_broker;
  const auto workers =
      std::clamp<std::size_t>(std::min<std::size_t>(connections - 1, limits.max_concurrent_partitions), 1, 2);
  ProduceSettings settings{
      .partitions_at_once_max = std::max<std::size_t>(limits.max_concurrent_partitions / workers, 1),
      .produce_timeout_ms = request.spec.produce_timeout_ms};
  ByteBudget budget(request.memory_bytes_max);
  RateLimiter bytes_per_second(limits.bytes_per_sec), records_per_second(limits.records_per_sec);
  ProduceShared shared{cluster, budget, bytes_per_second, records_per_second, progress, settings};
  std::vector<ProduceWorker::Producers> shares(workers);
  for (std::size_t i = 0; i < producers.size(); ++i) shares[i % workers].push_back(std::move(producers[i]));
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
          open_producers(plan, configs, target, shard, positions, session, store,
                         request.spec.produce_batch_size, progress),
          progress);
}

}  // namespace kb::engine
