// How far behind the logs a run is that follows them. Thread-safe.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace kb::engine {

// Of one partition.
struct Lag {
  std::string topic;
  std::int32_t partition = 0;
  std::uint64_t records = 0;       // offsets between what was read and the last stable offset
  std::uint64_t bytes = 0;         // those at the mean size of what was read
  std::int64_t read_until_ms = 0;  // greatest timestamp read, ms since 1970; 0: none yet
};

class LagTable {
 public:
  // What one answer says.
  struct Seen {
    std::int64_t log_end = -1;  // last stable offset; -1 not known
    std::int64_t position = 0;  // first offset that is not read
    std::int64_t read_until_ms = -1;
    std::uint64_t records = 0, bytes = 0;  // offsets covered, and the bytes they brought
  };
  void note(const std::string& topic, std::int32_t partition, const Seen& seen);
  // Those that lag most first.
  std::vector<Lag> most(std::size_t count) const;
  std::uint64_t records_max() const;
  std::uint64_t records_sum() const;
  // Partitions that nobody reads any more.
  void clear();

 private:
  struct Entry {
    std::uint64_t lag = 0, records = 0, bytes = 0;
    std::int64_t read_until_ms = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::int32_t>, Entry> entries_;  // guarded by mutex_
};

}  // namespace kb::engine
