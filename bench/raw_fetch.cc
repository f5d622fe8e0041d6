// The limit of a backup: fetches topics as fast as the broker gives them and throws the bytes away.
//   raw_fetch BOOTSTRAP TOPIC [CONNECTIONS]       prints the number of bytes of batches
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "kafka/admin.h"
#include "kafka/record_batch.h"

namespace {

using namespace kb;
using namespace kb::kafka;

std::uint64_t drain(Cluster& cluster, const std::string& topic,
                    std::vector<std::pair<std::int32_t, std::int64_t>> ends) {
  constexpr std::int32_t answer_bytes = 8 * 1024 * 1024;
  Context ctx;
  std::uint64_t bytes = 0;
  auto connection = cluster.open(ctx, cluster.leader(topic, ends.at(0).first));
  std::map<std::int32_t, std::int64_t> positions;
  for (const auto& [partition, end] : ends) positions[partition] = 0;
  while (!ends.empty()) {
    FetchRequest request{.max_wait_ms = 500, .min_bytes = 1, .max_bytes = answer_bytes};
    request.topics.push_back({.topic = topic, .partitions = {}});
    for (const auto& [partition, end] : ends)
      request.topics[0].partitions.push_back(
          {.partition = partition,
           .fetch_offset = positions[partition],
           .partition_max_bytes =
               std::max(answer_bytes / static_cast<std::int32_t>(ends.size()), 1024 * 1024)});
    auto reply = connection.call(ctx, request);
    for (const auto& answer : reply.message.responses.at(0).partitions) {
      auto rest = answer.records.bytes;
      while (auto batch = next_batch(rest)) {
        bytes += batch->size_bytes();
        positions[answer.partition_index] = batch->next_offset();
      }
    }
    std::erase_if(ends, [&](const auto& e) { return positions[e.first] >= e.second; });
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string topic = argv[2];
  const std::size_t connections = argc > 3 ? std::stoul(argv[3]) : 3;
  Context ctx;
  Cluster cluster({.bootstrap_servers = {parse_endpoint(argv[1])}});
  cluster.connect(ctx);
  std::vector<TopicPartition> all;
  for (const auto& t : cluster.metadata(ctx, std::span(&topic, 1)).topics)
    for (const auto& p : t.partitions) all.push_back({topic, p.partition_index});
  std::vector<std::vector<std::pair<std::int32_t, std::int64_t>>> shares(connections);
  for (const auto& [tp, end] :
       list_offsets(ctx, cluster, all, OffsetAt::latest, IsolationLevel::read_uncommitted))
    if (end > 0) shares[static_cast<std::size_t>(tp.partition) % connections].emplace_back(tp.partition, end);
  std::atomic<std::uint64_t> bytes = 0;
  std::vector<std::jthread> threads;
  for (auto& share : shares)
    if (!share.empty()) threads.emplace_back([&] { bytes += drain(cluster, topic, share); });
  threads.clear();
  std::printf("%llu\n", static_cast<unsigned long long>(bytes.load()));
}
