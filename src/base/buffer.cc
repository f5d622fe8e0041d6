#include "base/buffer.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

namespace kb {
namespace {

// Four capacities per doubling: at most a quarter is wasted.
std::size_t capacity_class(std::size_t size) {
  std::size_t step = std::max<std::size_t>(std::bit_floor(size) / 4, 1);
  return (size + step - 1) / step * step;
}

// Where the kernel lets programs choose (transparent_hugepage/enabled: madvise), a fault then brings 2 MiB
// instead of 4 KiB. Most of what a short run pays for its memory are faults.
void prefer_huge_pages(char* memory, std::size_t size) {
  constexpr std::size_t worthwhile = 4 * 1024 * 1024;
  if (size >= worthwhile) madvise(memory, size, MADV_HUGEPAGE);
}

}  // namespace

class BufferPool::Idle {
 public:
  // The smallest of at least `size` bytes that is no more than twice that, or else a new one.
  std::unique_ptr<Buffer> take(std::size_t size) {
    const auto capacity = capacity_class(size);
    if (capacity < pooled_bytes_min) return std::make_unique<Buffer>(capacity);
    auto buffer = take_idle(size, capacity);
    if (!buffer) {
      buffer = std::make_unique<Buffer>(capacity);
      prefer_huge_pages(buffer->memory_.get(), capacity);
    }
    return buffer;
  }

  void give_back(std::unique_ptr<Buffer> buffer) {
    const auto capacity = buffer->capacity();
    if (capacity < pooled_bytes_min) return;
    std::lock_guard lock(mutex_);
    out_bytes_ -= capacity;
    idle_bytes_ += capacity;
    by_capacity_[capacity].push_back({++returns_, std::move(buffer)});
  }

  std::size_t bytes() const {
    std::lock_guard lock(mutex_);
    return idle_bytes_;
  }

 private:
  struct Returned {
    std::uint64_t order;
    std::unique_ptr<Buffer> buffer;
  };

  std::unique_ptr<Buffer> take_idle(std::size_t size, std::size_t capacity) {
    std::lock_guard lock(mutex_);
    auto found = by_capacity_.lower_bound(size);
    std::unique_ptr<Buffer> buffer;
    if (found != by_capacity_.end() && found->first / 2 <= size) {
      buffer = std::move(found->second.back().buffer);  // the warmest
      found->second.pop_back();
      if (found->second.empty()) by_capacity_.erase(found);
      capacity = buffer->capacity();
      idle_bytes_ -= capacity;
    }
    out_bytes_ += capacity;
    out_bytes_most_ = std::max(out_bytes_most_, out_bytes_);
    while (out_bytes_ + idle_bytes_ > out_bytes_most_) drop_oldest();
    return buffer;
  }

  void drop_oldest() {
    auto oldest = by_capacity_.begin();
    for (auto each = oldest; each != by_capacity_.end(); ++each)
      if (each->second.front().order < oldest->second.front().order) oldest = each;
    idle_bytes_ -= oldest->first;
    oldest->second.pop_front();
    if (oldest->second.empty()) by_capacity_.erase(oldest);
  }

  mutable std::mutex mutex_;
  // guarded by mutex_
  std::map<std::size_t, std::deque<Returned>> by_capacity_;  // no deque is empty
  std::size_t out_bytes_ = 0, out_bytes_most_ = 0, idle_bytes_ = 0;
  std::uint64_t returns_ = 0;
};

BufferPool::BufferPool() : idle_(std::make_shared<Idle>()) {}

std::shared_ptr<Buffer> BufferPool::take(std::size_t size) {
  auto buffer = idle_->take(std::max<std::size_t>(size, 1));
  buffer->begin_ = 0;
  buffer->size_ = size;
  // AddressSanitizer then sees a view that is used after its buffer went back, or beyond the size.
  ASAN_UNPOISON_MEMORY_REGION(buffer->memory_.get(), buffer->size_);
  ASAN_POISON_MEMORY_REGION(buffer->memory_.get() + size, buffer->capacity_ - size);
  return {buffer.release(), [idle = idle_](Buffer* returned) {
            ASAN_POISON_MEMORY_REGION(returned->memory_.get(), returned->capacity_);
            idle->give_back(std::unique_ptr<Buffer>(returned));
          }};
}

std::size_t BufferPool::idle_bytes() const {
  return idle_->bytes();
}

}  // namespace kb
