#include "engine/source_reader.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/checksum.h"
#include "base/error.h"
#include "engine/block_builder.h"
#include "kafka/record_batch_builder.h"

namespace kb::engine {
namespace {

bool inside(const archive::Block& block, const archive::Bounds& bounds) {
  return bounds.start <= block.first_offset && block.next_offset <= bounds.end;
}

// As the producer had compressed it, before `recompress` inflated it.
std::string compress_again(const kafka::RecordBatch& batch, kafka::CompressionType codec) {
  return kafka::encode_batch({.base_offset = batch.base_offset(),
                              .leader_epoch = batch.leader_epoch(),
                              .attributes = batch.attributes(),
                              .last_offset_delta = batch.last_offset_delta(),
                              .base_timestamp = batch.base_timestamp(),
                              .max_timestamp = batch.max_timestamp(),
                              .record_count = batch.record_count()},
                             batch.payload(), codec);
}

// CRC-32C of a block's stored bytes. Of batches that are stored as they are it is put together from their
// own, so that one pass over the bytes checks both; anything but whole batches gives nothing.
std::optional<std::uint32_t> crc_of(const archive::Block& block, std::string_view bytes) {
  if (block.encoding != archive::BlockEncoding::as_is) return crc32c(bytes);
  std::uint32_t crc = 0;
  try {
    while (auto batch = kafka::next_batch(bytes)) {
      auto part = batch->checked_crc32c();
      if (!part) return {};
      crc = crc32c_combine(crc, *part, batch->size_bytes());
    }
  } catch (const Error&) {  // a length or version that cannot be
    return {};
  }
  return bytes.empty() ? std::optional(crc) : std::nullopt;
}

}  // namespace

// The bytes of one block; goes back to the budget when the last batch in it is acknowledged.
struct SourceReader::Memory {
  std::shared_ptr<Buffer> stored;  // null when the block was decoded
  std::string decoded;
  ByteBudget::Lease lease;

  std::span<char> batches() { return stored ? stored->writable() : std::span<char>(decoded); }
  std::size_t bytes() const { return stored ? stored->capacity() : decoded.capacity(); }
};

SourceReader::SourceReader(storage::ObjectStore& store, const RestorePlan& plan,
                           const TargetPartition& target, const kafka::RebatchSettings& settings,
                           std::uint64_t skip_records)
    : store_(store), plan_(plan), target_(target), skip_records_(skip_records) {
  skip_whole_blocks();
  rebatcher_.emplace(settings, static_cast<std::int64_t>(skip_records_));
}

// Whole blocks can be passed over by their number of records; the rest is for the rebatcher.
void SourceReader::skip_whole_blocks() {
  while (skip_records_ > 0) {
    const auto* block = next_block();
    for (; block && block_ >= target_.sources[source_].blocks.size(); block_ = 0) ++source_;
    if (!block || !inside(*block, target_.sources[source_].bounds) || block->records > skip_records_) return;
    skip_records_ -= block->records;
    ++block_;
  }
}

const archive::Block* SourceReader::next_block() const {
  auto source = source_;
  auto block = block_;
  for (; source < target_.sources.size(); ++source, block = 0)
    if (block < target_.sources[source].blocks.size()) return &target_.sources[source].blocks[block];
  return nullptr;
}

std::size_t SourceReader::next_bytes() const {
  const auto* block = next_block();
  return block ? std::max<std::size_t>(std::size_t{block->raw_bytes} + block->stored_bytes, 1) : 0;
}

std::optional<kafka::OutputBatch> SourceReader::ready() {
  return rebatcher_->take();
}

void SourceReader::read(const Context& ctx, ByteBudget::Lease lease) {
  while (block_ >= target_.sources[source_].blocks.size()) {
    rebatcher_->flush();
    ++source_;
    block_ = 0;
  }
  const auto& source = target_.sources[source_];
  const auto& block = source.blocks[block_++];
  if (block.object != archive::Block::no_object && block.records > 0) {
    auto memory = std::make_shared<Memory>();
    memory->stored = stored_bytes(ctx, source, block);
    if (block.encoding != archive::BlockEncoding::as_is) {
      raw_batches(block, memory->stored->view(), memory->decoded);
      memory->stored.reset();
    }
    lease.resize(memory->bytes());
    memory->lease = std::move(lease);
    add_batches(source, block, memory);
  }
  if (!next_block()) rebatcher_->flush();
}

std::shared_ptr<Buffer> SourceReader::stored_bytes(const Context& ctx, const SourcePartition& source,
                                                   const archive::Block& block) const {
  const auto& key = plan_.objects.at(block.object).key;
  std::shared_ptr<Buffer> bytes;
  try {
    bytes = store_.get_range(ctx, key, {.offset = block.position, .length = block.stored_bytes});
  } catch (const Error& error) {
    throw error.while_doing("reading " + archive::describe(source.stream, block));
  }
  if (!bytes)
    fail(ErrorKind::corrupt, "object {} is missing: {}", key, archive::describe(source.stream, block));
  if (crc_of(block, bytes->view()) != block.crc)
    fail(ErrorKind::corrupt, "object {}: CRC-32C does not match at {}", key,
         archive::describe(source.stream, block));
  return bytes;
}

void SourceReader::add_batches(const SourcePartition& source, const archive::Block& block,
                               const std::shared_ptr<Memory>& memory) {
  const kafka::OffsetRange clip{.from = std::max(source.bounds.start, block.first_offset),
                                .to = std::min(source.bounds.end, block.next_offset)};
  const auto batches = memory->batches();
  const bool checked = block.encoding == archive::BlockEncoding::as_is;  // by crc_of()
  std::string_view rest(batches.data(), batches.size());
  while (auto batch = kafka::next_batch(rest)) {
    if (!checked && !batch->crc_matches())
      fail(ErrorKind::corrupt, "object {}: CRC-32C of the batch at offset {} does not match: {}",
           plan_.objects.at(block.object).key, batch->base_offset(), archive::describe(source.stream, block));
    if (block.inflated_from != 0) {
      auto again =
          std::make_shared<std::string>(compress_again(*batch, kafka::compression_type(block.inflated_from)));
      rebatcher_->add({.bytes = std::span(again->data(), again->size()), .owner = again, .clip = clip});
      continue;
    }
    auto bytes = batch->bytes();
    auto* writable = batches.data() + (bytes.data() - batches.data());
    rebatcher_->add({.bytes = std::span(writable, bytes.size()), .owner = memory, .clip = clip});
  }
  rebatcher_->keep_small();
  if (!rest.empty())
    fail(ErrorKind::corrupt, "object {}: {} bytes are left behind the batches: {}",
         plan_.objects.at(block.object).key, rest.size(), archive::describe(source.stream, block));
}

}  // namespace kb::engine
