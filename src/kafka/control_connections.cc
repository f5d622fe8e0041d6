#include "kafka/control_connections.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/error.h"

namespace kb::kafka {

ControlConnections::Turn::Turn(const Context& ctx, ControlConnections& all, const Endpoint& endpoint)
    : all_(all), endpoint_(endpoint) {
  std::unique_lock lock(all.mutex_);
  auto& slot = all.slots_[to_string(endpoint)];
  if (!slot) slot = std::make_shared<Slot>();
  slot_ = slot;
  if (!all.released_.wait_until(lock, ctx.stop, ctx.deadline, [&] { return !slot_->busy; })) {
    if (ctx.stop.stop_requested()) ctx.check();
    fail(ErrorKind::timed_out, "{}: the connection is still in use by an earlier request",
         to_string(endpoint));
  }
  slot_->busy = true;
}

ControlConnections::Turn::~Turn() {
  std::lock_guard lock(all_.mutex_);
  slot_->busy = false;
  slot_->failed = succeeded_ ? 0 : ++all_.failures_;
  all_.released_.notify_all();
}

Connection& ControlConnections::Turn::connection(const Context& ctx) {
  if (!slot_->connection || slot_->connection->closed_by_broker())
    slot_->connection.emplace(Connection::open(ctx, endpoint_, all_.settings_));
  return *slot_->connection;
}

Endpoint ControlConnections::most_promising(std::span<const Endpoint> candidates) const {
  CHECK(!candidates.empty());
  std::lock_guard lock(mutex_);
  return *std::ranges::min_element(candidates, {}, [&](const Endpoint& candidate) {
    const auto address = to_string(candidate);
    const bool refused = breakers_->refuses(address);
    auto found = slots_.find(address);
    if (found == slots_.end()) return std::tuple(refused, false, std::uint64_t{0});
    return std::tuple(refused, found->second->busy, found->second->failed);
  });
}

void ControlConnections::keep_only(std::span<const Endpoint> endpoints) {
  std::lock_guard lock(mutex_);
  std::erase_if(slots_, [&](const auto& entry) {
    bool wanted =
        std::ranges::any_of(endpoints, [&](const Endpoint& each) { return to_string(each) == entry.first; });
    return !wanted && !entry.second->busy;
  });
}

std::size_t ControlConnections::size() const {
  std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace kb::kafka
