// How much a set holds, counted from its index. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "archive/index.h"
#include "archive/set.h"

namespace kb::cli {

// Of the blocks that the bounds of the set reach. A block that a bound cuts through counts whole, so records
// and bytes can be a little more than what a restore writes.
struct StreamStatistics {
  std::string topic;
  std::int32_t partition = 0;
  std::uint64_t records = 0, raw_bytes = 0, stored_bytes = 0;
  archive::Holes holes;
  void fields(auto& f) {
    f("topic", topic, "Topic.");
    f("partition", partition, "Partition.");
    f("records", records, "Records.");
    f("rawBytes", raw_bytes, "Bytes of their batches.");
    f("storedBytes", stored_bytes, "Bytes in segments.");
    f("aborted", holes.aborted, "Offsets of aborted transactions.");
    f("control", holes.control, "Offsets of transaction markers.");
    f("compacted", holes.compacted, "Offsets that the log cleaner had emptied.");
    f("lost", holes.lost, "Offsets that retention deleted before they were read.");
  }
};

struct SetStatistics {
  StreamStatistics total;
  std::uint64_t segments = 0;
  std::vector<StreamStatistics> partitions;  // in the order of the set
  std::map<archive::StreamId, std::size_t> position;

  const StreamStatistics& of(const archive::StreamId& stream) const {
    return partitions[position.at(stream)];
  }
  void fields(auto& f) {
    f("records", total.records, "Records.");
    f("rawBytes", total.raw_bytes, "Bytes of their batches.");
    f("storedBytes", total.stored_bytes, "Bytes in segments.");
    f("segments", segments, "Segments.");
    f("partitions", partitions, "By partition.");
  }
};

SetStatistics count(const archive::Index& index, const archive::Set& set);

}  // namespace kb::cli
