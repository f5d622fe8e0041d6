// Which bytes of which object hold which offsets: the part of the archive that everything else is found
// through. Pure; format in docs/archive-format.md, "Index body".
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kb::archive {

// A partition of a topic as far as its offsets mean the same records: a topic that was deleted and created
// again, an unclean truncation or a compacted log read afresh start a new lineage, named after the run
// (backup id) that began it.
struct StreamId {
  std::string topic;
  std::int32_t partition = 0;
  std::string lineage;
  auto operator<=>(const StreamId&) const = default;
};

enum class BlockEncoding : std::uint8_t { as_is = 0, lz4 = 1, zstd = 2 };

// Offsets that a block covers without holding a record there, by reason.
struct Holes {
  std::uint64_t aborted = 0;    // records of aborted transactions
  std::uint64_t control = 0;    // commit and abort markers
  std::uint64_t compacted = 0;  // removed by the log cleaner
  std::uint64_t lost = 0;       // deleted by retention before the backup came to them
  std::uint64_t total() const { return aborted + control + compacted + lost; }
  Holes& operator+=(const Holes& other);
  bool operator==(const Holes&) const = default;
};

// Consecutive batches of one stream. Covers [first_offset, next_offset) without a gap:
// records + holes.total() == next_offset - first_offset.
struct Block {
  static constexpr std::uint32_t no_object = 0xffffffff;

  std::int64_t first_offset = 0;
  std::int64_t next_offset = 0;
  std::uint64_t records = 0;
  Holes holes;
  std::int64_t base_timestamp_min = -1;  // least base_timestamp of its batches, ms; records may be older
  std::int64_t max_timestamp = -1;       // greatest timestamp of its records, ms
  std::int32_t leader_epoch = -1;        // of its last batch
  std::uint32_t object = no_object;      // into Index::objects; no_object when the block holds no bytes
  std::uint64_t position = 0;            // in the object
  std::uint32_t stored_bytes = 0;
  std::uint32_t raw_bytes = 0;  // of the batches, before the block's own encoding
  BlockEncoding encoding = BlockEncoding::as_is;
  std::int8_t inflated_from = 0;  // Kafka's codec number the batches had before `recompress` inflated them
  std::uint32_t crc = 0;          // CRC-32C of the stored bytes
  bool operator==(const Block&) const = default;
};

struct ObjectEntry {
  std::string key;
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;  // CRC-32C of the whole object
  bool operator==(const ObjectEntry&) const = default;
};

struct Index {
  std::vector<ObjectEntry> objects;
  std::map<StreamId, std::vector<Block>> streams;  // blocks in ascending order of first_offset
  bool operator==(const Index&) const = default;

  std::size_t block_count() const;
  // Adds the blocks of `other` behind those of the same stream.
  void append(const Index& other);
};

// Throws corrupt.
std::string encode_index(const Index& index);
Index decode_index(std::string_view bytes);

// A half-open range of offsets of one stream.
struct Bounds {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

// What of `index` the bounds reach: blocks that overlap them, and the objects these need. Streams without
// bounds are dropped.
Index restrict_to(const Index& index, const std::map<StreamId, Bounds>& bounds);

// The first offset in [bounds.start, bounds.end) that no block covers, or bounds.end when all are covered.
std::int64_t first_uncovered(const std::vector<Block>& blocks, Bounds bounds);

}  // namespace kb::archive
