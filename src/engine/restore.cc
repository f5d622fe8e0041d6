#include "engine/restore.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"
#include "base/task_group.h"
#include "engine/cluster_settings.h"
#include "engine/produce_worker.h"
#include "engine/restore_position.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;
using Positions = std::map<TopicPartition, Position>;

constexpr std::int32_t transaction_timeout_ms = 60'000;

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

archive::Set choose_set(const Context& ctx, const archive::Archive& archive,
                        const api::KafkaRestoreSpec& spec) {
  if (spec.backup_ref.backup_id) return archive.set(ctx, *spec.backup_ref.backup_id);
  if (auto newest = archive.newest_set(ctx)) return std::move(*newest);
  throw Error(ErrorKind::not_found,
              fmt::format("the archive at {} holds no complete backup", archive.store().location()),
              "kafka-backup list shows what it holds");
}

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

std::size_t max_message_bytes(const kafka::TopicConfig& config) {
  std::size_t bytes = kafka::RebatchSettings{}.max_message_bytes;
  if (auto it = config.effective.find("max.message.bytes"); it != config.effective.end())
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), bytes);
  return bytes;
}

// The producers of all partitions that still lack records, the largest first.
std::vector<std::unique_ptr<PartitionProducer>> open_producers(
    const RestorePlan& plan, const std::map<std::string, kafka::TopicConfig>& configs,
    const std::vector<TargetState>& target, const Positions& positions, const kafka::ProducerSession& session,
    storage::ObjectStore& store, std::uint64_t merged_records_max, ProgressCounters& progress) {
  std::vector<std::pair<std::uint64_t, std::unique_ptr<PartitionProducer>>> sized;
  for (std::size_t i = 0; i < plan.topics.size(); ++i) {
    const auto& topic = plan.topics[i];
    kafka::RebatchSettings settings{.max_message_bytes = max_message_bytes(configs.at(topic.name))};
    settings.merged_bytes_max = std::min(settings.merged_bytes_max, settings.max_message_bytes);
    settings.merged_records_max = merged_records_max;
    for (const auto& partition : topic.partitions) {
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
  std::vector<std::unique_ptr<PartitionProducer>> producers;
  for (auto& [bytes, producer] : sized) producers.push_back(std::move(producer));
  return producers;
}

void produce(const Context& ctx, kafka::Cluster& cluster, const RestoreRequest& request,
             std::vector<std::unique_ptr<PartitionProducer>> producers, ProgressCounters& progress) {
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

std::vector<std::string> topic_names(const RestorePlan& plan) {
  std::vector<std::string> names;
  for (const auto& topic : plan.topics) names.push_back(topic.name);
  return names;
}

}  // namespace

RestoreReport restore(const Context& ctx, const RestoreRequest& request, const archive::Archive& archive,
                      ProgressCounters& progress) {
  const auto& spec = request.spec;
  auto set = choose_set(ctx, archive, spec);
  RestoreReport report{.dry_run = spec.dry_run};
  auto& plan = report.plan;
  plan = plan_restore(spec, request.restore_namespace + "/" + request.restore_name, set,
                      archive.load_index(ctx, set), now_ms());
  check_objects(ctx, archive.store(), plan);
  kafka::Cluster cluster(cluster_settings(spec.kafka_cluster));
  cluster.connect(ctx);
  auto target = inspect_target(ctx, cluster, plan);
  report.target = target;
  report.refused = unfit(spec, plan, target, now_ms());
  if (spec.dry_run) return report;
  if (report.refused) throw Error(*report.refused);
  if (plan.topics.empty()) return report;

  auto session = kafka::init_producer(ctx, cluster, plan.transactional_id, transaction_timeout_ms);
  auto foreign = spec.existing_data == api::ExistingData::append ? ForeignData::append : ForeignData::refuse;
  auto positions = find_positions(ctx, cluster, archive.store(), plan, target, session, foreign);
  create_missing(ctx, cluster, plan, target);
  report.resumed =
      std::any_of(positions.begin(), positions.end(), [](const auto& p) { return p.second.records > 0; });
  auto configs = kafka::topic_configs(ctx, cluster, topic_names(plan));
  auto producers = open_producers(plan, configs, target, positions, session, archive.store(),
                                  spec.produce_batch_size, progress);
  const auto records_before = progress.records_done.load();
  produce(ctx, cluster, request, std::move(producers), progress);
  report.records = progress.records_done - records_before;
  report.bytes = progress.bytes_done;
  report.warnings = finish_configs(ctx, cluster, plan, target, now_ms());
  return report;
}

}  // namespace kb::engine
