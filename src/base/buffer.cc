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
  explicit Idle(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // The smallest of at least `size` bytes; null when that is more than twice `size`, or none is idle.
  std::unique_ptr<Buffer> take(std::size_t size) {
    std::lock_guard lock(mutex_);
    auto found = by_capacity_.lower_bound(size);
    if (found == by_capacity_.end() || found->first / 2 > size) return nullptr;
    auto buffer = std::move(found->second.back().buffer);  // the warmest
    found->second.pop_back();
    if (found->second.empty()) by_capacity_.erase(found);
    bytes_ -= buffer->capacity();
    return buffer;
  }

  void give_back(std::unique_ptr<Buffer> buffer) {
    if (buffer->capacity() < pooled_bytes_min || buffer->capacity() > bytes_max_) return;
    std::lock_guard lock(mutex_);
    while (bytes_ + buffer->capacity() > bytes_max_) drop_oldest();
    bytes_ += buffer->capacity();
    auto& same = by_capacity_[buffer->capacity()];
    same.push_back({++returns_, std::move(buffer)});
  }

  std::size_t bytes() const {
    std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  struct Returned {
    std::uint64_t order;
    std::unique_ptr<Buffer> buffer;
  };

  void drop_oldest() {
    auto oldest = by_capacity_.begin();
    for (auto each = oldest; each != by_capacity_.end(); ++each)
      if (each->second.front().order < oldest->second.front().order) oldest = each;
    bytes_ -= oldest->first;
    oldest->second.pop_front();
    if (oldest->second.empty()) by_capacity_.erase(oldest);
  }

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::map<std::size_t, std::deque<Returned>> by_capacity_;  // no deque is empty
  std::size_t bytes_ = 0;
  std::uint64_t returns_ = 0;
};

BufferPool::BufferPool(std::size_t idle_bytes_max) : idle_(std::make_shared<Idle>(idle_bytes_max)) {}

std::shared_ptr<Buffer> BufferPool::take(std::size_t size) {
  auto capacity = capacity_class(std::max<std::size_t>(size, 1));
  auto buffer = capacity < pooled_bytes_min ? nullptr : idle_->take(size);
  if (!buffer) {
    buffer = std::make_unique<Buffer>(capacity);
    prefer_huge_pages(buffer->memory_.get(), capacity);
  }
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
