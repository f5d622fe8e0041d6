#include "cli/set_statistics.h"

namespace kb::cli {
namespace {

void add(StreamStatistics& to, const archive::Block& block) {
  to.records += block.records;
  to.raw_bytes += block.raw_bytes;
  to.stored_bytes += block.stored_bytes;
  to.holes += block.holes;
}

}  // namespace

SetStatistics count(const archive::Index& index, const archive::Set& set) {
  SetStatistics out{.segments = index.objects.size()};
  for (const auto& topic : set.capture.topics) {
    for (const auto& p : topic.partitions) {
      archive::StreamId stream{topic.name, p.partition, p.lineage};
      StreamStatistics numbers{.topic = topic.name, .partition = p.partition};
      if (auto it = index.streams.find(stream); it != index.streams.end())
        for (const auto& block : it->second) add(numbers, block);
      out.total.records += numbers.records;
      out.total.raw_bytes += numbers.raw_bytes;
      out.total.stored_bytes += numbers.stored_bytes;
      out.total.holes += numbers.holes;
      out.position[stream] = out.partitions.size();
      out.partitions.push_back(std::move(numbers));
    }
  }
  return out;
}

}  // namespace kb::cli
