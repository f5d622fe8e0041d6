// What a run has done so far; written by its threads, read by whoever shows it.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/circuit_breaker.h"
#include "engine/lag_table.h"
#include "engine/retention.h"

namespace kb::engine {

class TopicInWork {
 public:
  void set(const std::string& name) {
    std::lock_guard lock(mutex_);
    name_ = name;
  }
  std::string name() const {
    std::lock_guard lock(mutex_);
    return name_;
  }

 private:
  mutable std::mutex mutex_;
  std::string name_;
};

// The restore points of a continuous backup's archive, as far as this process knows.
class RestorePoints {
 public:
  static constexpr std::size_t newest_max = 30;
  struct State {
    std::uint64_t made = 0;           // committed by this process
    std::uint64_t count = 0;          // of the archive
    std::uint64_t bytes = 0;          // of its segments
    std::vector<std::string> newest;  // backup ids, newest first
    std::string oldest;
    std::int64_t captured_at_ms = 0;  // what the newest holds is what there was then
  };
  // `ids` are all, oldest first.
  void found(const std::vector<std::string>& ids, std::uint64_t bytes, std::int64_t captured_at_ms) {
    std::lock_guard lock(mutex_);
    const auto shown = std::min(ids.size(), newest_max);
    state_ = {state_.made,
              ids.size(),
              bytes,
              {ids.rbegin(), ids.rbegin() + static_cast<long>(shown)},
              ids.empty() ? "" : ids.front(),
              captured_at_ms};
  }
  void made(const std::string& backup_id, std::uint64_t bytes, std::int64_t captured_at_ms) {
    std::lock_guard lock(mutex_);
    ++state_.made;
    ++state_.count;
    state_.bytes += bytes;
    state_.newest.insert(state_.newest.begin(), backup_id);
    if (state_.newest.size() > newest_max) state_.newest.pop_back();
    if (state_.oldest.empty()) state_.oldest = backup_id;
    state_.captured_at_ms = captured_at_ms;
  }
  State state() const {
    std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  mutable std::mutex mutex_;
  State state_;
};

// What retention did last during a continuous backup.
class LastRetention {
 public:
  struct State {
    RetentionReport report;
    std::int64_t time_s = 0;  // Unix seconds
  };
  void set(RetentionReport report, std::int64_t time_s) {
    std::lock_guard lock(mutex_);
    state_ = State{std::move(report), time_s};
  }
  std::optional<State> state() const {
    std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<State> state_;
};

struct ProgressCounters {
  std::atomic<std::uint64_t> partitions_total = 0, partitions_done = 0;
  // Backup: offsets to read and read. Restore: records to write and acknowledged.
  std::atomic<std::uint64_t> records_total = 0, records_done = 0;
  // Backup: of batches read (total unknown, 0). Restore: raw bytes to write and acknowledged.
  std::atomic<std::uint64_t> bytes_total = 0, bytes_done = 0;
  std::atomic<std::uint64_t> lost_offsets = 0;  // Backup: gone before they were read.
  std::atomic<std::uint64_t> stored_bytes = 0, segments = 0, checkpoints = 0;
  std::atomic<std::uint64_t> held_back_offsets = 0, hanging_transactions = 0;  // Backup: of the whole run
  std::shared_ptr<CircuitBreakers> breakers = std::make_shared<CircuitBreakers>();
  RestorePoints points;     // Continuous backup.
  LastRetention retention;  // Continuous backup.
  LagTable lags;            // Continuous backup.
  TopicInWork topic;        // Restore: the last one of which a partition was begun.
};

}  // namespace kb::engine
