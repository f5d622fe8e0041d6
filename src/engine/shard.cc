#include "engine/shard.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace kb::engine {
namespace {

// What a partition costs whatever it holds: so that empty ones are spread, too.
constexpr std::uint64_t bytes_per_partition = 16 * 1024;

}  // namespace

std::string to_string(const Shard& shard) {
  return fmt::format("{}/{}", shard.index, shard.count);
}

void require_shard(const Shard& shard) {
  if (shard.count < 1 || shard.count > shards_max)
    fail(ErrorKind::invalid, "shard {}: there are 1 to {} shards", to_string(shard), shards_max);
  if (shard.index < 0 || shard.index >= shard.count)
    fail(ErrorKind::invalid, "shard {}: shards are counted from 0 to {}", to_string(shard), shard.count - 1);
}

std::uint64_t share_of(std::uint64_t limit, const Shard& shard) {
  if (limit == 0) return 0;
  return std::max<std::uint64_t>(limit / static_cast<std::uint64_t>(shard.count), 1);
}

std::vector<int> divide(const std::vector<std::uint64_t>& bytes, int shards) {
  std::vector<std::size_t> order(bytes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return bytes[a] > bytes[b]; });
  using Load = std::pair<std::uint64_t, int>;  // bytes so far, shard
  std::priority_queue<Load, std::vector<Load>, std::greater<>> least;
  for (int shard = 0; shard < shards; ++shard) least.emplace(0, shard);
  std::vector<int> shard_of(bytes.size());
  for (auto i : order) {
    auto [load, shard] = least.top();
    least.pop();
    shard_of[i] = shard;
    least.emplace(load + bytes[i] + bytes_per_partition, shard);
  }
  return shard_of;
}

}  // namespace kb::engine
