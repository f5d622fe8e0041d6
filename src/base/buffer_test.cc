#include "base/buffer.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <vector>

#include "base/bounded_queue.h"
#include "base/task_group.h"

#include <doctest/doctest.h>

namespace kb {
namespace {

constexpr std::size_t mib = 1024 * 1024;

TEST_CASE("a buffer has the size asked for and at most a quarter more memory") {
  BufferPool pool;
  for (std::size_t size : {0u, 1u, 5u, 1000u, 65536u, 65537u, 1000000u, 8388609u}) {
    auto buffer = pool.take(size);
    CHECK_EQ(buffer->size(), size);
    CHECK_EQ(buffer->writable().size(), size);
    CHECK_GE(buffer->capacity(), size);
    CHECK_LE(buffer->capacity(), size + size / 4 + 1);
    std::ranges::fill(buffer->writable(), 'x');
    CHECK_EQ(buffer->view(), std::string(size, 'x'));
  }
}

TEST_CASE("memory comes back and is used again, also for a somewhat smaller size") {
  BufferPool pool;
  auto buffer = pool.take(8 * mib);
  auto* memory = buffer->writable().data();
  CHECK_EQ(pool.idle_bytes(), 0);
  buffer.reset();
  CHECK_EQ(pool.idle_bytes(), 8 * mib);
  buffer = pool.take(5 * mib);
  CHECK_EQ(buffer->writable().data(), memory);
  CHECK_EQ(buffer->size(), 5 * mib);
  CHECK_EQ(pool.idle_bytes(), 0);
}

TEST_CASE("a small answer does not hold a large buffer") {
  BufferPool pool;
  auto small = pool.take(1 * mib);
  pool.take(8 * mib).reset();
  small.reset();
  pool.take(3 * mib).reset();
  CHECK_EQ(pool.idle_bytes(), 4 * mib);
  auto buffer = pool.take(1 * mib);
  CHECK_EQ(buffer->capacity(), mib);
  CHECK_EQ(pool.idle_bytes(), 3 * mib);
}

TEST_CASE("no more memory is held than was out at one time: the longest idle goes first") {
  BufferPool pool;
  std::vector<std::shared_ptr<Buffer>> buffers;
  for (int i = 0; i < 3; ++i) buffers.push_back(pool.take(mib));
  auto* oldest = buffers[0]->writable().data();
  for (auto& buffer : buffers) buffer.reset();
  CHECK_EQ(pool.idle_bytes(), 3 * mib);
  auto large = pool.take(2 * mib);  // no class fits, so it is new, and two have to go for it
  CHECK_EQ(pool.idle_bytes(), mib);
  auto kept = pool.take(mib);
  CHECK_NE(kept->writable().data(), oldest);
  CHECK_EQ(pool.idle_bytes(), 0);
  kept.reset();
  large.reset();
  CHECK_EQ(pool.idle_bytes(), 3 * mib);
  auto larger = pool.take(8 * mib);  // alone more than ever was out
  CHECK_EQ(pool.idle_bytes(), 0);
  larger.reset();
  CHECK_EQ(pool.idle_bytes(), 8 * mib);
}

TEST_CASE("small buffers are not kept") {
  BufferPool pool;
  pool.take(1000).reset();
  CHECK_EQ(pool.idle_bytes(), 0);
}

TEST_CASE("a buffer may outlive its pool") {
  std::shared_ptr<const Buffer> buffer;
  {
    BufferPool pool;
    auto filled = pool.take(100000);
    std::ranges::fill(filled->writable(), 'y');
    buffer = std::move(filled);
  }
  CHECK_EQ(buffer->view(), std::string(100000, 'y'));
}

TEST_CASE("many threads fill, hand over and drop buffers") {
  // Held by three that fill, eight that wait and two that read, a quarter more than asked for at most.
  constexpr std::size_t idle_max = 13 * 5 * mib / 2;
  BufferPool pool;
  BoundedQueue<std::shared_ptr<const Buffer>> filled(8);
  TaskGroup group(Context{});
  std::atomic<int> producers = 3;
  for (unsigned seed = 0; seed < 3; ++seed) {
    group.spawn([&, seed](const Context& ctx) {
      std::minstd_rand random(seed + 1);
      for (int i = 0; i < 300; ++i) {
        auto buffer = pool.take(random() % (2 * mib) + 1);
        buffer->writable().front() = buffer->writable().back() = static_cast<char>(buffer->size());
        filled.push(ctx, std::move(buffer));
      }
      if (--producers == 0) filled.close();
    });
  }
  std::atomic<int> read = 0;
  for (int i = 0; i < 2; ++i) {
    group.spawn([&](const Context& ctx) {
      while (auto buffer = filled.pop(ctx)) {
        if ((*buffer)->view().back() == static_cast<char>((*buffer)->size())) ++read;
        if (pool.idle_bytes() > idle_max) read = -10000;
      }
    });
  }
  group.wait();
  CHECK_EQ(read, 900);
}

}  // namespace
}  // namespace kb
