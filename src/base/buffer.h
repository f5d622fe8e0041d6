// Large memory that is used again and again: fresh pages cost the kernel a fault and a clearing each, which
// for answers of 8 MiB is more than the copy into them.
#pragma once
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

namespace kb {

// Bytes that are filled by one thread, then shared as `const` by many. The contents start undefined.
class Buffer {
 public:
  explicit Buffer(std::size_t capacity)
      : memory_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}
  std::span<char> writable() { return {memory_.get(), size_}; }
  std::string_view view() const { return {memory_.get(), size_}; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }  // what it costs, at most twice the size asked for

 private:
  friend class BufferPool;
  const std::unique_ptr<char[]> memory_;
  const std::size_t capacity_;
  std::size_t size_ = 0;
};

// Gives out buffers and keeps those that come back, the longest idle dropped first. Thread-safe; buffers may
// outlive the pool.
class BufferPool {
 public:
  static constexpr std::size_t pooled_bytes_min = 64 * 1024;  // smaller ones are left to malloc

  explicit BufferPool(std::size_t idle_bytes_max);
  // Of exactly `size` bytes; it comes back when the last owner drops it.
  std::shared_ptr<Buffer> take(std::size_t size);
  std::size_t idle_bytes() const;  // never more than idle_bytes_max

 private:
  class Idle;
  const std::shared_ptr<Idle> idle_;
};

}  // namespace kb
