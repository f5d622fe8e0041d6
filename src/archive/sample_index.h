// For tests: indexes made of random numbers, valid and awkward.
#pragma once
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include <fmt/format.h>

#include "archive/index.h"

namespace kb::archive::sample {

class RandomIndex {
 public:
  explicit RandomIndex(std::uint64_t seed) : random_(seed) {}

  Index make() {
    Index index;
    for (auto n = draw(4); n > 0; --n)
      index.objects.push_back({.key = fmt::format("segments/run/{}", draw(1000)),
                               .bytes = random_() >> draw(64),
                               .crc = static_cast<std::uint32_t>(random_())});
    for (auto n = draw(4); n > 0; --n) {
      StreamId stream{.topic = fmt::format("topic-{}", draw(3)),
                      .partition = static_cast<std::int32_t>(draw(3)),
                      .lineage = std::string(draw(20), 'x')};
      index.streams[stream] = make_blocks(index.objects.size());
    }
    return index;
  }

  std::uint64_t draw(std::uint64_t n) { return random_() % n; }

 private:
  std::vector<Block> make_blocks(std::size_t objects) {
    std::vector<Block> blocks;
    std::int64_t next = draw(4) == 0 ? std::numeric_limits<std::int64_t>::max() - 10'000 : 0;
    for (auto n = draw(6); n > 0; --n) {
      blocks.push_back(make_block(next + static_cast<std::int64_t>(draw(3)), objects));
      next = blocks.back().next_offset;
    }
    return blocks;
  }

  Block make_block(std::int64_t first, std::size_t objects) {
    Block block{.first_offset = first, .next_offset = first + 1 + static_cast<std::int64_t>(draw(1000))};
    auto left = static_cast<std::uint64_t>(block.next_offset - block.first_offset);
    for (auto* part :
         {&block.holes.aborted, &block.holes.control, &block.holes.compacted, &block.holes.lost}) {
      *part = draw(2) == 0 ? 0 : draw(left + 1);
      left -= *part;
    }
    block.records = left;
    block.base_timestamp_min = any_int64();
    block.max_timestamp = any_int64();
    block.leader_epoch = static_cast<std::int32_t>(any_int64());
    if (objects > 0 && draw(4) != 0) place(block, objects);
    return block;
  }

  void place(Block& block, std::size_t objects) {
    block.object = static_cast<std::uint32_t>(draw(objects));
    block.position = random_() >> draw(64);
    block.stored_bytes = static_cast<std::uint32_t>(random_() >> draw(64));
    block.raw_bytes = static_cast<std::uint32_t>(random_() >> draw(64));
    block.encoding = static_cast<BlockEncoding>(draw(3));
    block.inflated_from = static_cast<std::int8_t>(draw(5));
    block.crc = static_cast<std::uint32_t>(random_());
  }

  std::int64_t any_int64() {
    switch (draw(5)) {
      case 0:
        return std::numeric_limits<std::int64_t>::min();
      case 1:
        return std::numeric_limits<std::int64_t>::max();
      case 2:
        return -1;
      default:
        return static_cast<std::int64_t>(random_() >> draw(64));
    }
  }

  std::mt19937_64 random_;
};

}  // namespace kb::archive::sample
