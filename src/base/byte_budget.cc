#include "base/byte_budget.h"

#include <algorithm>

namespace kb {

void ByteBudget::Lease::resize(std::size_t bytes) {
  if (!budget_) return;
  {
    std::lock_guard lock(budget_->mutex_);
    budget_->used_ = budget_->used_ - bytes_ + bytes;
  }
  if (bytes < bytes_) budget_->released_.notify_all();
  bytes_ = bytes;
}

std::size_t ByteBudget::used() const {
  std::lock_guard lock(mutex_);
  return used_;
}

ByteBudget::Lease ByteBudget::acquire(const Context& ctx, std::size_t bytes) {
  std::unique_lock lock(mutex_);
  if (!released_.wait_until(lock, ctx.stop, ctx.deadline, [&] { return fits(bytes); })) ctx.check();
  used_ += bytes;
  return {this, bytes};
}

std::optional<ByteBudget::Lease> ByteBudget::acquire_until(const Context& ctx, std::size_t bytes,
                                                           Clock::time_point until) {
  std::unique_lock lock(mutex_);
  if (!released_.wait_until(lock, ctx.stop, std::min(until, ctx.deadline), [&] { return fits(bytes); })) {
    ctx.check();
    return std::nullopt;
  }
  used_ += bytes;
  return Lease(this, bytes);
}

std::optional<ByteBudget::Lease> ByteBudget::try_acquire(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  if (!fits(bytes)) return std::nullopt;
  used_ += bytes;
  return Lease(this, bytes);
}

}  // namespace kb
