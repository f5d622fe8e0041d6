// The division of a run's partitions over several workers. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kb::engine {

// One worker's share of a run: all of it by default.
struct Shard {
  int index = 0;  // from 0
  int count = 1;
  bool operator==(const Shard&) const = default;
};

// Keeps the objects that a commit has to look up, and the transactional ids of a restore, within reason.
constexpr int shards_max = 1000;

// "0/4": as it is given on the command line.
std::string to_string(const Shard& shard);

// Throws invalid for what cannot be a shard.
void require_shard(const Shard& shard);

// One of `count` equal shares of a limit on the whole run; 0 is unlimited, and no share of a limit is.
std::uint64_t share_of(std::uint64_t limit, const Shard& shard);

// The shard of each partition, given how many bytes each has: the largest first, each to the shard that has
// least. The same for the same input, wherever it is computed.
std::vector<int> divide(const std::vector<std::uint64_t>& bytes, int shards);

}  // namespace kb::engine
