#include "engine/block_merge.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "base/checksum.h"
#include "kafka/record_batch.h"

namespace kb::engine {
namespace {

using archive::BlockEncoding;
using archive::PendingBlock;

bool can_join(const PendingBlock& a, const PendingBlock& b, const BlockSettings& settings) {
  const bool same_bytes =
      a.block.inflated_from == b.block.inflated_from || a.block.raw_bytes == 0 || b.block.raw_bytes == 0;
  return a.stream == b.stream && a.block.next_offset == b.block.first_offset && same_bytes &&
         (a.block.holes.lost == 0) == (b.block.holes.lost == 0) &&  // the history tells where it was lost
         std::uint64_t{a.block.raw_bytes} + b.block.raw_bytes <= settings.block_bytes_target;
}

std::int64_t least_known(std::int64_t a, std::int64_t b) {
  return a < 0 ? b : b < 0 ? a : std::min(a, b);
}

std::uint32_t crc_of(const PendingBlock& pending) {
  if (pending.crc) return *pending.crc;
  std::uint32_t crc = 0;
  for (auto part : pending.parts) crc = crc32c(part, crc);
  return crc;
}

void join(PendingBlock& into, PendingBlock&& next) {
  auto& a = into.block;
  const auto& b = next.block;
  if (b.raw_bytes > 0) {
    into.crc = crc32c_combine(crc_of(into), crc_of(next), b.raw_bytes);
    a.inflated_from = b.inflated_from;
  }
  a.next_offset = b.next_offset;
  a.records += b.records;
  a.holes += b.holes;
  a.base_timestamp_min = least_known(a.base_timestamp_min, b.base_timestamp_min);
  a.max_timestamp = std::max(a.max_timestamp, b.max_timestamp);
  a.leader_epoch = std::max(a.leader_epoch, b.leader_epoch);
  a.raw_bytes += b.raw_bytes;
  a.stored_bytes += b.stored_bytes;
  std::move(next.parts.begin(), next.parts.end(), std::back_inserter(into.parts));
  std::move(next.owners.begin(), next.owners.end(), std::back_inserter(into.owners));
}

}  // namespace

void merge_blocks(std::vector<PendingBlock>& blocks, const BlockSettings& settings) {
  std::ranges::sort(blocks, {}, [](const PendingBlock& pending) {
    return std::tie(pending.stream, pending.block.first_offset);
  });
  std::vector<PendingBlock> merged;
  merged.reserve(blocks.size());
  for (auto& pending : blocks) {
    if (!merged.empty() && can_join(merged.back(), pending, settings))
      join(merged.back(), std::move(pending));
    else
      merged.push_back(std::move(pending));
  }
  for (auto& pending : merged) encode_block(pending, settings);
  blocks = std::move(merged);
}

}  // namespace kb::engine
