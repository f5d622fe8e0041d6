#include "archive/index.h"

#include <algorithm>

#include "archive/varint.h"

namespace kb::archive {
namespace {

constexpr std::uint64_t index_version = 1;
// The fewest bytes that each of them can be encoded in.
constexpr std::size_t block_bytes_min = 11, object_bytes_min = 6, stream_bytes_min = 4;

// Part by part, since sums of damaged values overflow.
bool accounts_for_every_offset(const Block& block) {
  auto left = static_cast<std::uint64_t>(block.next_offset - block.first_offset);
  const auto& holes = block.holes;
  for (auto part : {block.records, holes.aborted, holes.control, holes.compacted, holes.lost}) {
    if (part > left) return false;
    left -= part;
  }
  return left == 0;
}

void encode_block(ByteWriter& out, const Block& block, std::int64_t previous_next) {
  // What cannot be decoded again must not be stored either.
  if (block.first_offset < previous_next || block.next_offset <= block.first_offset)
    fail(ErrorKind::internal, "index: block of offsets {} to {} behind offset {}", block.first_offset,
         block.next_offset - 1, previous_next);
  if (!accounts_for_every_offset(block))
    fail(ErrorKind::internal, "index: block at offset {} does not account for every offset",
         block.first_offset);
  out.sint(block.first_offset - previous_next);
  out.uint(static_cast<std::uint64_t>(block.next_offset - block.first_offset));
  out.uint(block.records);
  out.uint(block.holes.aborted);
  out.uint(block.holes.control);
  out.uint(block.holes.compacted);
  out.uint(block.holes.lost);
  out.sint(block.base_timestamp_min);
  out.sint(block.max_timestamp);
  out.sint(block.leader_epoch);
  out.uint(block.object == Block::no_object ? 0 : block.object + std::uint64_t{1});
  if (block.object == Block::no_object) return;
  out.uint(block.position);
  out.uint(block.stored_bytes);
  out.uint(block.raw_bytes);
  out.uint(static_cast<std::uint64_t>(block.encoding));
  out.uint(static_cast<std::uint64_t>(block.inflated_from));
  out.fixed32(block.crc);
}

void decode_bytes_part(ByteReader& in, Block& block) {
  block.position = in.uint();
  block.stored_bytes = in.uint_as<std::uint32_t>();
  block.raw_bytes = in.uint_as<std::uint32_t>();
  auto encoding = in.uint();
  if (encoding > static_cast<std::uint64_t>(BlockEncoding::zstd))
    fail(ErrorKind::corrupt, "index: unknown block encoding {}", encoding);
  block.encoding = static_cast<BlockEncoding>(encoding);
  block.inflated_from = in.uint_as<std::int8_t>();
  block.crc = in.fixed32();
}

Block decode_block(ByteReader& in, std::int64_t previous_next, std::size_t objects) {
  Block block;
  // Offsets are added as unsigned: damaged bytes must end in an error, not in overflow.
  auto plus = [](std::int64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + b);
  };
  block.first_offset = plus(previous_next, static_cast<std::uint64_t>(in.sint()));
  block.next_offset = plus(block.first_offset, in.uint());
  block.records = in.uint();
  block.holes = {.aborted = in.uint(), .control = in.uint(), .compacted = in.uint(), .lost = in.uint()};
  block.base_timestamp_min = in.sint();
  block.max_timestamp = in.sint();
  block.leader_epoch = in.sint_as<std::int32_t>();
  auto object = in.uint();
  if (object > objects) fail(ErrorKind::corrupt, "index: block in object {} of {}", object, objects);
  if (object != 0) {
    block.object = static_cast<std::uint32_t>(object - 1);
    decode_bytes_part(in, block);
  }
  if (block.first_offset < 0 || block.next_offset <= block.first_offset)
    fail(ErrorKind::corrupt, "index: block of offsets {} to {}", block.first_offset, block.next_offset);
  if (!accounts_for_every_offset(block))
    fail(ErrorKind::corrupt, "index: block at offset {} does not account for every offset",
         block.first_offset);
  return block;
}

std::vector<Block> decode_blocks(ByteReader& in, std::size_t objects) {
  std::vector<Block> blocks;
  auto n = in.count(block_bytes_min);
  blocks.reserve(n);
  for (std::int64_t next = 0; n > 0; --n) {
    blocks.push_back(decode_block(in, next, objects));
    if (blocks.back().first_offset < next)
      fail(ErrorKind::corrupt, "index: blocks overlap at offset {}", blocks.back().first_offset);
    next = blocks.back().next_offset;
  }
  return blocks;
}

}  // namespace

Holes& Holes::operator+=(const Holes& other) {
  aborted += other.aborted;
  control += other.control;
  compacted += other.compacted;
  lost += other.lost;
  return *this;
}

std::size_t Index::block_count() const {
  std::size_t n = 0;
  for (const auto& [stream, blocks] : streams) n += blocks.size();
  return n;
}

void Index::append(const Index& other) {
  auto shift = static_cast<std::uint32_t>(objects.size());
  objects.insert(objects.end(), other.objects.begin(), other.objects.end());
  for (const auto& [stream, blocks] : other.streams) {
    auto& mine = streams[stream];
    for (auto block : blocks) {
      if (block.object != Block::no_object) block.object += shift;
      mine.push_back(block);
    }
    auto by_offset = [](const Block& a, const Block& b) { return a.first_offset < b.first_offset; };
    if (!std::is_sorted(mine.begin(), mine.end(), by_offset)) std::sort(mine.begin(), mine.end(), by_offset);
  }
}

std::string encode_index(const Index& index) {
  ByteWriter out;
  out.uint(index_version);
  out.uint(index.objects.size());
  for (const auto& object : index.objects) {
    out.string(object.key);
    out.uint(object.bytes);
    out.fixed32(object.crc);
  }
  out.uint(index.streams.size());
  for (const auto& [stream, blocks] : index.streams) {
    out.string(stream.topic);
    out.uint(static_cast<std::uint64_t>(stream.partition));
    out.string(stream.lineage);
    out.uint(blocks.size());
    std::int64_t next = 0;
    for (const auto& block : blocks) {
      encode_block(out, block, next);
      next = block.next_offset;
    }
  }
  return std::move(out).take();
}

Index decode_index(std::string_view bytes) {
  ByteReader in(bytes);
  if (auto version = in.uint(); version != index_version)
    throw Error(ErrorKind::invalid, fmt::format("index version {} is not known", version),
                "the archive was written by a newer version of kafka-backup");
  Index index;
  for (auto n = in.count(object_bytes_min); n > 0; --n) {
    auto& object = index.objects.emplace_back();
    object.key = in.string();
    object.bytes = in.uint();
    object.crc = in.fixed32();
  }
  for (auto n = in.count(stream_bytes_min); n > 0; --n) {
    StreamId stream;
    stream.topic = in.string();
    stream.partition = in.uint_as<std::int32_t>();
    stream.lineage = in.string();
    auto blocks = decode_blocks(in, index.objects.size());
    if (!index.streams.emplace(std::move(stream), std::move(blocks)).second)
      fail(ErrorKind::corrupt, "index: a stream is listed twice");
  }
  if (!in.done()) fail(ErrorKind::corrupt, "index: bytes left over");
  return index;
}

Index restrict_to(const Index& index, const std::map<StreamId, Bounds>& bounds) {
  Index result;
  std::vector<std::uint32_t> renumbered(index.objects.size(), Block::no_object);
  for (const auto& [stream, blocks] : index.streams) {
    auto it = bounds.find(stream);
    if (it == bounds.end()) continue;
    for (auto block : blocks) {
      if (block.next_offset <= it->second.start || block.first_offset >= it->second.end) continue;
      if (block.object != Block::no_object) {
        auto& number = renumbered.at(block.object);
        if (number == Block::no_object) {
          number = static_cast<std::uint32_t>(result.objects.size());
          result.objects.push_back(index.objects[block.object]);
        }
        block.object = number;
      }
      result.streams[stream].push_back(block);
    }
  }
  return result;
}

std::int64_t first_uncovered(const std::vector<Block>& blocks, Bounds bounds) {
  auto at = bounds.start;
  for (const auto& block : blocks) {
    if (block.next_offset <= at) continue;
    if (block.first_offset > at || at >= bounds.end) break;
    at = block.next_offset;
  }
  return std::min(std::max(at, bounds.start), bounds.end);
}

}  // namespace kb::archive
