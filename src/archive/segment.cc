#include "archive/segment.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "archive/varint.h"
#include "base/checksum.h"

namespace kb::archive {
namespace {

constexpr std::string_view head_magic = "KBSEG001";
constexpr std::string_view tail_magic = "KBSEGEND";
constexpr std::size_t trailer_bytes = 4 + 4 + tail_magic.size();  // footer length, footer CRC, magic

std::uint32_t place(PendingBlock& pending, std::uint64_t position) {
  std::uint32_t crc = pending.crc.value_or(0), bytes = 0;
  for (auto part : pending.parts) {
    if (!pending.crc) crc = crc32c(part, crc);
    bytes += static_cast<std::uint32_t>(part.size());
  }
  CHECK(bytes == pending.block.stored_bytes);
  pending.block.crc = crc;
  pending.block.object = bytes == 0 ? Block::no_object : 0;
  pending.block.position = bytes == 0 ? 0 : position;
  return bytes;
}

std::string make_trailer(std::string_view footer) {
  ByteWriter out;
  out.fixed32(static_cast<std::uint32_t>(footer.size()));
  out.fixed32(crc32c(footer));
  return std::move(out).take() + std::string(tail_magic);
}

struct Footer {
  Index index;
  std::size_t position;  // where the blocks end
};

Footer decode_footer(std::string_view key, std::string_view bytes) {
  if (bytes.size() < head_magic.size() + trailer_bytes || !bytes.starts_with(head_magic))
    fail(ErrorKind::corrupt, "object {} is not a segment ({} bytes)", key, bytes.size());
  if (!bytes.ends_with(tail_magic)) fail(ErrorKind::corrupt, "object {}: its end is missing or damaged", key);
  ByteReader trailer(bytes.substr(bytes.size() - trailer_bytes));
  auto length = trailer.fixed32(), crc = trailer.fixed32();
  auto body = bytes.substr(0, bytes.size() - trailer_bytes);
  if (length > body.size() - head_magic.size())
    fail(ErrorKind::corrupt, "object {}: footer of {} bytes", key, length);
  auto footer = body.substr(body.size() - length);
  if (crc32c(footer) != crc) fail(ErrorKind::corrupt, "object {}: CRC-32C of its footer does not match", key);
  auto index = decode_index(footer);
  if (index.objects.size() != 1 || index.objects[0].key != key)
    fail(ErrorKind::corrupt, "object {} holds the segment {}", key,
         index.objects.empty() ? "of no name" : index.objects[0].key);
  return {std::move(index), body.size() - length};
}

}  // namespace

std::unique_ptr<SealedSegment> seal_segment(std::string key, std::vector<PendingBlock> blocks) {
  auto sealed = std::make_unique<SealedSegment>();
  auto by_stream = [](const PendingBlock& a, const PendingBlock& b) {
    return std::tie(a.stream, a.block.first_offset) < std::tie(b.stream, b.block.first_offset);
  };
  std::sort(blocks.begin(), blocks.end(), by_stream);
  sealed->key = std::move(key);
  sealed->blocks = std::move(blocks);
  sealed->frame_head = head_magic;
  auto& index = sealed->index;
  index.objects.push_back({.key = sealed->key});
  sealed->parts.push_back(sealed->frame_head);
  std::uint64_t position = head_magic.size();
  auto crc = crc32c(head_magic);
  for (auto& pending : sealed->blocks) {
    auto bytes = place(pending, position);
    position += bytes;
    crc = crc32c_combine(crc, pending.block.crc, bytes);
    sealed->parts.insert(sealed->parts.end(), pending.parts.begin(), pending.parts.end());
    index.streams[pending.stream].push_back(pending.block);
  }
  auto footer = encode_index(index);
  sealed->frame_tail = footer + make_trailer(footer);
  sealed->parts.push_back(sealed->frame_tail);
  index.objects[0].bytes = position + sealed->frame_tail.size();
  index.objects[0].crc = crc32c(sealed->frame_tail, crc);
  return sealed;
}

Index open_segment(std::string_view key, std::string_view bytes) {
  auto [index, blocks_end] = decode_footer(key, bytes);
  auto position = head_magic.size();
  for (const auto& [stream, blocks] : index.streams) {
    for (const auto& block : blocks) {
      if (block.object == Block::no_object) continue;
      if (block.position != position || block.stored_bytes > blocks_end - position)
        fail(ErrorKind::corrupt, "object {}: {} are not where the block before them ends", key,
             describe(stream, block));
      if (crc32c(bytes.substr(position, block.stored_bytes)) != block.crc)
        fail(ErrorKind::corrupt, "object {}: CRC-32C does not match at {}", key, describe(stream, block));
      position += block.stored_bytes;
    }
  }
  if (position != blocks_end)
    fail(ErrorKind::corrupt, "object {}: {} bytes between blocks and footer", key, blocks_end - position);
  index.objects[0].bytes = bytes.size();
  index.objects[0].crc = crc32c(bytes);
  return index;
}

std::string describe(const StreamId& stream, const Block& block) {
  return fmt::format("{}/{} offsets {} to {}", stream.topic, stream.partition, block.first_offset,
                     block.next_offset - 1);
}

}  // namespace kb::archive
