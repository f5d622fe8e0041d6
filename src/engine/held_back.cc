#include "engine/held_back.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/quantities.h"

namespace kb::engine {
namespace {

using kafka::TopicPartition;

constexpr std::size_t warnings_max = 5;
constexpr std::size_t asked_partitions_max = 1000;

// Since when the base set knows of the same transaction.
bool known_to(const archive::Capture& base, const TopicPartition& partition, std::int64_t offset) {
  return std::ranges::any_of(base.held_back, [&](const archive::HeldBack& before) {
    return before.topic == partition.topic && before.partition == partition.partition &&
           before.offset == offset;
  });
}

}  // namespace

archive::HeldBack judge(const TopicPartition& partition, const Held& held,
                        const std::optional<kafka::OpenTransaction>& open, const archive::Capture* base,
                        std::int64_t now_ms) {
  archive::HeldBack result{
      .topic = partition.topic,
      .partition = partition.partition,
      .offset = held.last_stable_offset,
      .offsets = static_cast<std::uint64_t>(held.high_watermark - held.last_stable_offset)};
  // Meanwhile it may have ended, and another one be the oldest.
  if (open && open->first_offset == held.last_stable_offset) {
    result.producer_id = open->producer_id;
    result.last_record_ms = open->last_timestamp_ms;
  }
  const bool silent = result.last_record_ms >= 0 && now_ms - result.last_record_ms >= hanging_after_ms;
  const bool old = base && base->captured_at_ms > 0 && now_ms - base->captured_at_ms >= hanging_after_ms &&
                   known_to(*base, partition, held.last_stable_offset);
  result.hanging = silent || old;
  return result;
}

std::vector<archive::HeldBack> held_back(const Context& ctx, kafka::Cluster& cluster,
                                         const std::map<TopicPartition, Held>& partitions,
                                         const archive::Capture* base, std::int64_t now_ms) {
  std::vector<TopicPartition> asked;
  for (const auto& [partition, held] : partitions)
    if (asked.size() < asked_partitions_max) asked.push_back(partition);
  std::map<TopicPartition, kafka::OpenTransaction> open;
  if (!asked.empty()) open = kafka::open_transactions(ctx, cluster, asked);
  std::vector<archive::HeldBack> result;
  for (const auto& [partition, held] : partitions) {
    const auto found = open.find(partition);
    result.push_back(judge(partition, held, found == open.end() ? std::nullopt : std::optional(found->second),
                           base, now_ms));
  }
  return result;
}

std::string to_string(const archive::HeldBack& held, std::int64_t captured_at_ms) {
  auto whose = held.producer_id < 0 ? std::string("an open transaction")
                                    : fmt::format("an open transaction of producer {}", held.producer_id);
  if (held.last_record_ms >= 0)
    whose += fmt::format(", whose last record is {} old,",
                         format_duration(std::chrono::milliseconds(
                             std::max<std::int64_t>(captured_at_ms - held.last_record_ms, 0))));
  return fmt::format("{}/{}: {} keeps {} offsets from {} on out of this backup", held.topic, held.partition,
                     whose, format_count(held.offsets), held.offset);
}

std::vector<std::string> hanging_warnings(const archive::Capture& capture) {
  std::vector<std::string> warnings;
  std::size_t left_out = 0;
  for (const auto& held : capture.held_back) {
    if (!held.hanging) continue;
    if (warnings.size() < warnings_max)
      warnings.push_back(to_string(held, capture.captured_at_ms) +
                         ": kafka-transactions.sh find-hanging and abort");
    else
      ++left_out;
  }
  if (left_out > 0)
    warnings.push_back(fmt::format("and {} more partitions are held back by open transactions", left_out));
  return warnings;
}

std::uint64_t held_back_offsets(const archive::Capture& capture) {
  std::uint64_t offsets = 0;
  for (const auto& held : capture.held_back) offsets += held.offsets;
  return offsets;
}

std::uint64_t hanging_transactions(const archive::Capture& capture) {
  return static_cast<std::uint64_t>(std::ranges::count_if(capture.held_back, &archive::HeldBack::hanging));
}

}  // namespace kb::engine
