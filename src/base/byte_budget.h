// One byte budget per process: acquired before a fetch, released when the bytes are stored. Thread-safe.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

#include "base/context.h"

namespace kb {

class ByteBudget {
 public:
  // A share of the budget; gives it back when it dies. Owned by one thread at a time.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Lease() { resize(0); }
    std::size_t bytes() const { return bytes_; }
    // Never waits: growing past the budget is allowed, because who already holds bytes must not wait for
    // more.
    void resize(std::size_t bytes);

   private:
    friend class ByteBudget;
    Lease(ByteBudget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}
    ByteBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit ByteBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  std::size_t bytes_max() const { return bytes_max_; }
  std::size_t used() const;
  // Waits until the bytes fit, or until nothing is out (so that one oversized request can always go alone).
  Lease acquire(const Context& ctx, std::size_t bytes);
  // The same, no longer than until then; empty when the bytes do not fit by then.
  std::optional<Lease> acquire_until(const Context& ctx, std::size_t bytes, Clock::time_point until);
  // The same without waiting; empty when the bytes do not fit now.
  std::optional<Lease> try_acquire(std::size_t bytes);

 private:
  bool fits(std::size_t bytes) const { return used_ == 0 || used_ + bytes <= bytes_max_; }

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any released_;
  std::size_t used_ = 0;  // guarded by mutex_
};

}  // namespace kb
