// What a run has done so far; written by its threads, read by whoever shows it.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/circuit_breaker.h"
#include "engine/lag_table.h"

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

// Restore points that a continuous backup has committed.
class RestorePointsMade {
 public:
  struct State {
    std::uint64_t count = 0;     // committed by this process
    std::uint64_t archived = 0;  // of the archive, as far as this process knows
    std::string newest;          // backup id
    std::int64_t captured_at_ms = 0;
  };
  void note(const std::string& backup_id, std::int64_t captured_at_ms) {
    std::lock_guard lock(mutex_);
    state_ = {state_.count + 1, state_.archived + 1, backup_id, captured_at_ms};
  }
  void found(std::uint64_t archived) {
    std::lock_guard lock(mutex_);
    state_.archived = archived;
  }
  State state() const {
    std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  mutable std::mutex mutex_;
  State state_;
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
  RestorePointsMade points;
  LagTable lags;      // Continuous backup.
  TopicInWork topic;  // Restore: the last one of which a partition was begun.
};

}  // namespace kb::engine
