// Large memory that is used again and again: fresh pages cost the kernel a fault and a clearing each, which
// for answers of 8 MiB is more than the copy into them.
#pragma once
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string_view>

#include "base/error.h"

namespace kb {

// Bytes that are filled by one thread, then shared as `const` by many. The contents start undefined.
class Buffer {
 public:
  // Of the memory's start, so that files can be read into it past the page cache (O_DIRECT).
  static constexpr std::size_t alignment = 4096;
  explicit Buffer(std::size_t capacity)
      : memory_(static_cast<char*>(::operator new[](capacity, std::align_val_t(alignment)))),
        capacity_(capacity) {}

  std::span<char> writable() { return {memory_.get() + begin_, size_}; }
  std::string_view view() const { return {memory_.get() + begin_, size_}; }
  // From now on it is only these bytes of what it was.
  void narrow(std::size_t begin, std::size_t size) {
    CHECK(begin + size <= size_);
    begin_ += begin;
    size_ = size;
  }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }  // what it costs, at most twice the size asked for

 private:
  friend class BufferPool;
  struct Release {
    void operator()(char* memory) const { ::operator delete[](memory, std::align_val_t(alignment)); }
  };
  const std::unique_ptr<char[], Release> memory_;
  const std::size_t capacity_;
  std::size_t begin_ = 0, size_ = 0;
};

// Gives out buffers and keeps those that come back, as far as it then holds no more memory, out and idle,
// than its users once had out at one time: what bounds them bounds it. The longest idle goes first.
// Thread-safe; buffers may outlive the pool.
class BufferPool {
 public:
  static constexpr std::size_t pooled_bytes_min = 64 * 1024;  // smaller ones are left to malloc

  BufferPool();
  // Of exactly `size` bytes; it comes back when the last owner drops it.
  std::shared_ptr<Buffer> take(std::size_t size);
  std::size_t idle_bytes() const;

 private:
  class Idle;
  const std::shared_ptr<Idle> idle_;
};

}  // namespace kb
