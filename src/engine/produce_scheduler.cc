#include "engine/produce_scheduler.h"

#include <algorithm>

#include "base/error.h"

namespace kb::engine {
namespace {

std::size_t divided(std::size_t count, std::size_t by) {
  return (count + by - 1) / std::max<std::size_t>(by, 1);
}

}  // namespace

ProduceScheduler::ProduceScheduler(Producers producers, const Limits& limits, LeaderOf leader)
    : limits_{.workers_per_broker = std::max<std::size_t>(limits.workers_per_broker, 1),
              .partitions_at_once_max = std::max<std::size_t>(limits.partitions_at_once_max, 1)},
      leader_(std::move(leader)) {
  for (auto& producer : producers) put(std::move(producer));
}

void ProduceScheduler::put(std::unique_ptr<PartitionProducer> producer) {
  auto leader = leader_(producer->target());
  auto& waiting = brokers_[leader].waiting;
  // Those that hold memory come first: others wait for it.
  if (producer->holds_any())
    waiting.push_front(std::move(producer));
  else
    waiting.push_back(std::move(producer));
  ++waiting_;
}

// The limit is divided among the brokers that have any partitions, or those of one in trouble would use it
// up.
std::size_t ProduceScheduler::share_of_broker() const {
  const auto in_use =
      static_cast<std::size_t>(std::count_if(brokers_.begin(), brokers_.end(), [](auto& each) {
        return each.second.out > 0 || !each.second.waiting.empty();
      }));
  return divided(limits_.partitions_at_once_max, in_use);
}

// How many more partitions of a broker may be worked on.
std::size_t ProduceScheduler::room(const Broker& broker) const {
  const auto share = share_of_broker();
  const auto left = limits_.partitions_at_once_max - std::min(out_, limits_.partitions_at_once_max);
  return std::min({share - std::min(broker.out, share), left, broker.waiting.size()});
}

std::map<std::int32_t, ProduceScheduler::Broker>::iterator ProduceScheduler::least_served() {
  auto best = brokers_.end();
  for (auto it = brokers_.begin(); it != brokers_.end(); ++it) {
    if (it->second.workers >= limits_.workers_per_broker || room(it->second) == 0) continue;
    const auto rank = [](const Broker& broker) { return std::pair(!broker.holders_wait(), broker.workers); };
    if (best == brokers_.end() || rank(it->second) < rank(best->second)) best = it;
  }
  return best;
}

std::optional<std::int32_t> ProduceScheduler::begin(const Context& ctx) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ctx.check();
    if (waiting_ == 0 && out_ == 0) return std::nullopt;
    if (auto it = least_served(); it != brokers_.end()) {
      ++it->second.workers;
      return it->first;
    }
    changed_.wait_until(lock, ctx.stop, ctx.deadline, [&, seen = changes_] { return changes_ != seen; });
  }
}

void ProduceScheduler::end(std::int32_t node_id) {
  std::lock_guard lock(mutex_);
  --brokers_[node_id].workers;
  changed();
}

ProduceScheduler::Producers ProduceScheduler::take(std::int32_t node_id, std::size_t active,
                                                   std::size_t most) {
  std::lock_guard lock(mutex_);
  auto& broker = brokers_[node_id];
  const auto share =
      divided(std::min(broker.out + broker.waiting.size(), share_of_broker()), limits_.workers_per_broker);
  const auto wanted = std::min(share, most);
  const auto count = std::min(room(broker), wanted - std::min(active, wanted));
  Producers taken;
  for (std::size_t i = 0; i < count; ++i) {
    taken.push_back(std::move(broker.waiting.front()));
    broker.waiting.pop_front();
  }
  broker.out += count;
  out_ += count;
  waiting_ -= count;
  return taken;
}

bool ProduceScheduler::has_more(std::int32_t node_id) const {
  std::lock_guard lock(mutex_);
  auto it = brokers_.find(node_id);
  return it != brokers_.end() && room(it->second) > 0;
}

bool ProduceScheduler::holders_wait(std::int32_t node_id) const {
  std::lock_guard lock(mutex_);
  auto it = brokers_.find(node_id);
  return it != brokers_.end() && it->second.holders_wait();
}

bool ProduceScheduler::holders_wait() const {
  std::lock_guard lock(mutex_);
  return std::ranges::any_of(brokers_,
                             [](auto& each) { return each.first >= 0 && each.second.holders_wait(); });
}

void ProduceScheduler::give_back(std::int32_t node_id, std::unique_ptr<PartitionProducer> producer) {
  std::lock_guard lock(mutex_);
  --brokers_[node_id].out;
  --out_;
  put(std::move(producer));
  changed();
}

void ProduceScheduler::done(std::int32_t node_id, std::size_t count) {
  if (count == 0) return;
  std::lock_guard lock(mutex_);
  brokers_[node_id].out -= count;
  out_ -= count;
  changed();
}

void ProduceScheduler::leaders_changed() {
  std::lock_guard lock(mutex_);
  std::vector<std::unique_ptr<PartitionProducer>> all;
  for (auto& [node_id, broker] : brokers_)
    for (auto& producer : std::exchange(broker.waiting, {})) all.push_back(std::move(producer));
  waiting_ = 0;
  for (auto& producer : all) put(std::move(producer));
  changed();
}

void ProduceScheduler::changed() {
  ++changes_;
  changed_.notify_all();
}

}  // namespace kb::engine
