#include "engine/segment_writer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace kb::engine {

SegmentWriter::SegmentWriter(const Context& ctx, storage::ObjectStore& store, archive::ShardWriter& shard,
                             const SegmentSettings& settings, std::size_t budget_bytes,
                             ProgressCounters& progress)
    : store_(store),
      shard_(shard),
      settings_(settings),
      held_bytes_max_(budget_bytes / 2),
      progress_(progress),
      uploads_(1),
      tasks_(ctx) {
  for (int i = 0; i < settings.uploads_in_flight_max; ++i)
    tasks_.spawn([this](const Context& c) { upload_loop(c); });
  tasks_.spawn([this](const Context& c) { timer_loop(c); });
}

void SegmentWriter::add(const Context& ctx, BlockBatch batch) {
  if (batch.blocks.empty()) return;
  std::optional<SegmentClass> full;
  {
    std::lock_guard lock(mutex_);
    auto& open = open_[batch.segment_class];
    if (open.blocks.empty()) open.since = Clock::now();
    for (auto& pending : batch.blocks) {
      open.stored_bytes += pending.block.stored_bytes;
      open.blocks.push_back(std::move(pending));
    }
    open.held_bytes += batch.lease.bytes();
    open.leases.push_back(std::move(batch.lease));
    full = due(Clock::now());
  }
  if (full) seal(ctx, *full);
}

std::optional<SegmentClass> SegmentWriter::due(Clock::time_point now) const {
  std::size_t held = 0;
  const std::pair<const SegmentClass, Open>* largest = nullptr;
  for (const auto& entry : open_) {
    const auto& open = entry.second;
    if (open.blocks.empty()) continue;
    if (open.stored_bytes >= settings_.segment_bytes_max ||
        now - open.since >= settings_.segment_interval_max)
      return entry.first;
    held += open.held_bytes;
    if (!largest || open.held_bytes > largest->second.held_bytes) largest = &entry;
  }
  if (largest && held >= held_bytes_max_) return largest->first;
  return std::nullopt;
}

void SegmentWriter::seal(const Context& ctx, SegmentClass segment_class) {
  Open open;
  Sealed sealed;
  {
    std::lock_guard lock(mutex_);
    open = std::exchange(open_[segment_class], {});
    if (open.blocks.empty()) return;
    sealed.number = sealed_count_++;
  }
  if (settings_.before_seal) settings_.before_seal(open.blocks);
  sealed.segment = archive::seal_segment(shard_.next_segment_key(), std::move(open.blocks));
  sealed.leases = std::move(open.leases);
  uploads_.push(ctx, std::move(sealed));
}

void SegmentWriter::note(archive::HistoryEvent event) {
  std::lock_guard lock(mutex_);
  archive::add_history(happened_, {std::move(event)});
}

void SegmentWriter::upload_loop(const Context& ctx) {
  while (auto sealed = uploads_.pop(ctx)) upload(ctx, std::move(*sealed));
}

void SegmentWriter::upload(const Context& ctx, Sealed sealed) {
  auto& segment = *sealed.segment;
  auto index = std::move(segment.index);
  bool has_bytes = std::any_of(segment.blocks.begin(), segment.blocks.end(),
                               [](const archive::PendingBlock& b) { return b.block.stored_bytes > 0; });
  if (!has_bytes) {
    index.objects.clear();  // holes only: they are in the checkpoint
  } else if (!store_.put_if_absent(ctx, segment.key, segment.parts)) {
    fail(ErrorKind::conflict, "object {} exists already", segment.key);
  } else {
    progress_.segments += 1;
    progress_.stored_bytes += index.objects[0].bytes;
  }
  std::lock_guard lock(mutex_);
  stored_.emplace(sealed.number, std::move(index));
  ++stored_count_;
  changed_.notify_all();
}

void SegmentWriter::timer_loop(const Context& ctx) {
  auto tick =
      std::min<Duration>(settings_.segment_interval_max, std::chrono::milliseconds(is_prompt() ? 50 : 200));
  for (;;) {
    std::optional<SegmentClass> over_age;
    bool checkpoint_due = false, seals_all = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, ctx.stop, tick, [&] { return finished_ || is_checkpoint_wanted(); });
      if (finished_) return;
      const auto now = Clock::now();
      over_age = due(now);
      seals_all = is_prompt_seal_due(now);
      checkpoint_due = is_checkpoint_wanted() ||
                       (settings_.checkpoints && now - checkpointed_at_ >= settings_.checkpoint_interval);
    }
    ctx.check();
    if (seals_all)
      seal_all(ctx);
    else if (over_age)
      seal(ctx, *over_age);
    if (checkpoint_due) checkpoint(ctx);
  }
}

bool SegmentWriter::is_prompt_seal_due(Clock::time_point now) const {
  if (!is_prompt()) return false;
  int objects = 1;  // the checkpoint
  auto since = now;
  for (const auto& [segment_class, open] : open_) {
    if (open.blocks.empty()) continue;
    ++objects;
    since = std::min(since, open.since);
  }
  return objects > 1 && now - since >= objects * settings_.prompt_write_interval;
}

bool SegmentWriter::is_checkpoint_wanted() const {
  return is_prompt() && checkpointed_count_ < sealed_count_ && stored_count_ == sealed_count_;
}

archive::Index SegmentWriter::checkpointed() const {
  std::lock_guard lock(mutex_);
  return checkpointed_;
}

// Takes the segments in the order in which they were sealed, up to the first that is not stored yet: so a
// checkpoint never lists a block of a stream without those before it.
void SegmentWriter::checkpoint(const Context& ctx) {
  std::lock_guard one_at_a_time(checkpointing_);
  archive::Index since;
  archive::History happened;
  auto from = Clock::now();
  {
    std::lock_guard lock(mutex_);
    happened = std::exchange(happened_, {});
    checkpointed_at_ = from;
    for (auto it = stored_.begin(); it != stored_.end() && it->first == checkpointed_count_;
         it = stored_.erase(it)) {
      since.append(it->second);
      ++checkpointed_count_;
    }
  }
  if (since.block_count() == 0 && happened.empty()) return;
  shard_.checkpoint(ctx, since, happened);
  progress_.checkpoints += 1;
  if (!is_prompt()) return;
  std::lock_guard lock(mutex_);
  checkpointed_.append(since);
}

void SegmentWriter::drain(const Context& ctx) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, ctx.stop, ctx.deadline, [&] { return stored_count_ == sealed_count_; }))
    ctx.check();
}

void SegmentWriter::finish(Clock::time_point deadline) {
  try {
    auto ctx = context();
    ctx.deadline = std::min(ctx.deadline, deadline);
    store_the_rest(ctx);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) rethrow_failure();  // what stopped us
    throw;
  }
  tasks_.wait();
}

void SegmentWriter::seal_all(const Context& ctx) {
  for (auto segment_class : {SegmentClass::deleted, SegmentClass::compacted}) seal(ctx, segment_class);
}

void SegmentWriter::store_the_rest(const Context& ctx) {
  seal_all(ctx);
  drain(ctx);
  checkpoint(ctx);
  uploads_.close();
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }
}

}  // namespace kb::engine
