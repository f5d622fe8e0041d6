#include "engine/shard.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "base/error.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

std::vector<std::uint64_t> loads(const std::vector<std::uint64_t>& bytes, const std::vector<int>& shard_of,
                                 int shards) {
  std::vector<std::uint64_t> loads(static_cast<std::size_t>(shards));
  REQUIRE(shard_of.size() == bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) loads.at(static_cast<std::size_t>(shard_of[i])) += bytes[i];
  return loads;
}

}  // namespace

TEST_CASE("the largest goes first, to the shard that has least") {
  CHECK(divide({10 << 20, 80 << 20, 30 << 20, 50 << 20}, 2) == std::vector<int>{0, 0, 1, 1});
  CHECK(divide({1 << 20, 1 << 20, 1 << 20}, 3) == std::vector<int>{0, 1, 2});
  CHECK(divide({5, 5, 5}, 1) == std::vector<int>{0, 0, 0});
  CHECK(divide({}, 4).empty());
}

TEST_CASE("equal partitions are dealt out evenly, empty ones too") {
  for (std::uint64_t bytes : {0ULL, 1ULL, 1ULL << 20, 1ULL << 30}) {
    auto shard_of = divide(std::vector<std::uint64_t>(1000, bytes), 8);
    for (int shard = 0; shard < 8; ++shard) CHECK(std::count(shard_of.begin(), shard_of.end(), shard) == 125);
  }
}

TEST_CASE("more shards than partitions leave shards empty") {
  CHECK(divide({1 << 20, 2 << 20}, 5) == std::vector<int>{1, 0});
}

TEST_CASE("no shard has more than a partition above the least, whatever the sizes") {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::uint64_t> bytes(1 + random() % 60);
    for (auto& b : bytes) b = std::uint64_t{random()} >> (random() % 32);
    const int shards = 1 + static_cast<int>(random() % 9);
    auto shard_of = divide(bytes, shards);
    CHECK(shard_of == divide(bytes, shards));
    auto load = loads(bytes, shard_of, shards);
    auto [least, most] = std::minmax_element(load.begin(), load.end());
    constexpr std::uint64_t cost_of_partitions = 60 * 16 * 1024;
    REQUIRE(*most - *least <= *std::max_element(bytes.begin(), bytes.end()) + cost_of_partitions);
  }
}

TEST_CASE("what is no shard is refused, saying what is") {
  auto refusal = [](Shard shard) {
    try {
      require_shard(shard);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal({0, 1}).empty());
  CHECK(refusal({3, 4}).empty());
  CHECK(refusal({4, 4}) == "shard 4/4: shards are counted from 0 to 3");
  CHECK(refusal({-1, 4}) == "shard -1/4: shards are counted from 0 to 3");
  CHECK(refusal({0, 0}) == "shard 0/0: there are 1 to 1000 shards");
  CHECK_FALSE(refusal({0, shards_max + 1}).empty());
}

TEST_CASE("the shares of a limit are never more than the limit, and never none") {
  CHECK(share_of(1000, {}) == 1000);
  CHECK(share_of(1000, {.index = 2, .count = 3}) == 333);
  CHECK(share_of(0, {.index = 0, .count = 4}) == 0);
  CHECK(share_of(3, {.index = 0, .count = 4}) == 1);
}
