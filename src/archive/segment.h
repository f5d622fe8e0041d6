// A segment: the object that holds blocks of record batches and, behind them, its own index, so that it can
// be understood without any other object (docs/archive-format.md, "Segments"). Pure.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/index.h"

namespace kb::archive {

// A block whose bytes are in memory. `parts` are its stored bytes in order and point into what `owners` keep.
struct PendingBlock {
  StreamId stream;
  Block block;  // everything but object, position and crc, which sealing fills in
  std::vector<std::string_view> parts;
  std::vector<std::shared_ptr<const void>> owners;
  std::optional<std::uint32_t> crc;  // CRC-32C of the parts, when it is known without reading them
};

struct SealedSegment {
  std::string key;
  std::vector<std::string_view> parts;  // what to put, in order; valid while the other members live
  Index index;                          // one object entry: this segment
  // what the parts point into
  std::string frame_head, frame_tail;
  std::vector<PendingBlock> blocks;
};

// Sorts the blocks by stream and offset, so that a stream's bytes lie together.
std::unique_ptr<SealedSegment> seal_segment(std::string key, std::vector<PendingBlock> blocks);

// The index that a segment carries, from the whole object's bytes. Checks the frame, that the object is the
// one named `key`, the CRC of every block, and that there is nothing else in it; throws corrupt, naming the
// object and, for a block, its partition and offsets. The entry of the object has its length and CRC.
Index open_segment(std::string_view key, std::string_view bytes);

// "orders/3 offsets 100 to 199", for messages.
std::string describe(const StreamId& stream, const Block& block);

}  // namespace kb::archive
