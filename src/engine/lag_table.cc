#include "engine/lag_table.h"

#include <algorithm>

namespace kb::engine {

void LagTable::note(const std::string& topic, std::int32_t partition, const Seen& seen) {
  std::lock_guard lock(mutex_);
  auto& entry = entries_[{topic, partition}];
  if (seen.log_end >= 0)
    entry.lag = static_cast<std::uint64_t>(std::max<std::int64_t>(seen.log_end - seen.position, 0));
  entry.records += seen.records;
  entry.bytes += seen.bytes;
  entry.read_until_ms = std::max(entry.read_until_ms, seen.read_until_ms);
}

std::vector<Lag> LagTable::most(std::size_t count) const {
  std::vector<Lag> lags;
  {
    std::lock_guard lock(mutex_);
    lags.reserve(entries_.size());
    for (const auto& [where, entry] : entries_) {
      const auto mean =
          entry.records > 0 ? static_cast<double>(entry.bytes) / static_cast<double>(entry.records) : 0.0;
      lags.push_back({.topic = where.first,
                      .partition = where.second,
                      .records = entry.lag,
                      .bytes = static_cast<std::uint64_t>(mean * static_cast<double>(entry.lag)),
                      .read_until_ms = entry.read_until_ms});
    }
  }
  std::ranges::stable_sort(lags, std::ranges::greater(), &Lag::records);
  if (lags.size() > count) lags.resize(count);
  return lags;
}

std::uint64_t LagTable::records_max() const {
  std::lock_guard lock(mutex_);
  std::uint64_t max = 0;
  for (const auto& [where, entry] : entries_) max = std::max(max, entry.lag);
  return max;
}

std::uint64_t LagTable::records_sum() const {
  std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [where, entry] : entries_) sum += entry.lag;
  return sum;
}

void LagTable::clear() {
  std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace kb::engine
