#include "engine/block_builder.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/checksum.h"
#include "base/error.h"
#include "kafka/compression.h"
#include "kafka/record_batch_builder.h"

namespace kb::engine {
namespace {

using archive::BlockEncoding;
using kafka::CompressionType;
using kafka::RecordBatch;

CompressionType codec_of(BlockEncoding encoding) {
  switch (encoding) {
    case BlockEncoding::as_is:
      return CompressionType::none;
    case BlockEncoding::lz4:
      return CompressionType::lz4;
    case BlockEncoding::zstd:
      return CompressionType::zstd;
  }
  fail(ErrorKind::internal, "block encoding {}", static_cast<int>(encoding));
}

// Records of a batch with offsets in [first, next): the only reason to look inside one.
std::uint64_t count_records(const RecordBatch& batch, std::int64_t first, std::int64_t next,
                            std::size_t bytes_max) {
  std::string scratch;
  kafka::RecordReader reader(batch, kafka::inflate_records(batch, scratch, bytes_max));
  std::uint64_t n = 0;
  for (kafka::RecordFrame frame; reader.next(frame);)
    if (first <= frame.offset && frame.offset < next) ++n;
  return n;
}

// The same batch with its records not compressed.
std::string inflate_batch(const RecordBatch& batch, std::size_t bytes_max) {
  std::string scratch;
  kafka::BatchHeader header{.base_offset = batch.base_offset(),
                            .leader_epoch = batch.leader_epoch(),
                            .attributes = batch.attributes(),
                            .last_offset_delta = batch.last_offset_delta(),
                            .base_timestamp = batch.base_timestamp(),
                            .max_timestamp = batch.max_timestamp(),
                            .producer = {batch.producer_id(), batch.producer_epoch(), batch.base_sequence()},
                            .record_count = batch.record_count()};
  return kafka::encode_batch(header, kafka::inflate_records(batch, scratch, bytes_max),
                             CompressionType::none);
}

void encode(archive::PendingBlock& pending, const BlockSettings& settings) {
  auto& block = pending.block;
  std::string raw;
  raw.reserve(block.raw_bytes);
  for (auto part : pending.parts) raw += part;
  auto stored = std::make_shared<std::string>();
  kafka::compress(codec_of(settings.encoding), raw, *stored, settings.level);
  stored->shrink_to_fit();
  pending.parts = {*stored};
  pending.owners = {stored};
  pending.crc.reset();
  block.stored_bytes = static_cast<std::uint32_t>(stored->size());
  block.encoding = settings.encoding;
}

class Builder {
 public:
  Builder(const FetchedPartition& fetched, const BlockSettings& settings)
      : fetched_(fetched), settings_(settings), filter_(fetched.aborted_transactions) {
    built_.position = fetched.position;
  }

  BuiltBlocks build() {
    auto rest = fetched_.records;
    while (built_.position < fetched_.end) {
      auto batch = kafka::next_batch(rest);
      if (!batch) {
        built_.holds_partial_batch = !rest.empty();
        break;
      }
      if (batch->base_offset() >= fetched_.end) {
        skip_to_end();
        break;
      }
      if (batch->next_offset() > built_.position) add(*batch);
      if (open_ && open_->block.raw_bytes >= settings_.block_bytes_target) close();
    }
    close();
    return std::move(built_);
  }

 private:
  // The log goes on behind the end, so up to it nothing is left: the cleaner took it.
  void skip_to_end() {
    auto& block = open().block;
    block.holes.compacted += static_cast<std::uint64_t>(fetched_.end - built_.position);
    block.next_offset = built_.position = fetched_.end;
  }

  void add(const RecordBatch& batch) {
    auto crc = batch.checked_crc32c();
    if (!crc)
      fail(ErrorKind::corrupt,
           "CRC-32C of the batch at offset {} does not match: the broker sent damaged bytes",
           batch.base_offset());
    auto fate = filter_.fate(batch);
    auto inflated_from =
        settings_.recompress && fate == kafka::BatchFate::keep ? batch.codec() : CompressionType::none;
    if (open_ && fate == kafka::BatchFate::keep &&
        open_->block.inflated_from != static_cast<int>(inflated_from) && open_->block.raw_bytes > 0)
      close();
    auto& pending = open();
    auto first = std::max(batch.base_offset(), built_.position);
    auto next = std::min(batch.next_offset(), fetched_.end);
    pending.block.holes.compacted += static_cast<std::uint64_t>(first - built_.position);
    auto span = static_cast<std::uint64_t>(next - first);
    switch (fate) {
      case kafka::BatchFate::control:
        pending.block.holes.control += span;
        break;
      case kafka::BatchFate::aborted:
        pending.block.holes.aborted += span;
        break;
      case kafka::BatchFate::keep:
        keep(pending, batch, *crc, first, next, inflated_from);
        break;
    }
    pending.block.leader_epoch = std::max(pending.block.leader_epoch, batch.leader_epoch());
    pending.block.next_offset = built_.position = next;
  }

  void keep(archive::PendingBlock& pending, const RecordBatch& batch, std::uint32_t crc, std::int64_t first,
            std::int64_t next, CompressionType inflated_from) {
    auto& block = pending.block;
    bool whole = first == batch.base_offset() && next == batch.next_offset();
    auto records = whole ? static_cast<std::uint64_t>(batch.record_count())
                         : count_records(batch, first, next, settings_.inflated_bytes_max);
    block.records += records;
    block.holes.compacted += static_cast<std::uint64_t>(next - first) - records;
    built_.records += records;
    if (records == 0) return;
    auto oldest = batch.is_log_append_time() || batch.has_delete_horizon() ? batch.max_timestamp()
                                                                           : batch.base_timestamp();
    block.base_timestamp_min =
        block.base_timestamp_min < 0 ? oldest : std::min(block.base_timestamp_min, oldest);
    block.max_timestamp = std::max(block.max_timestamp, batch.max_timestamp());
    auto bytes = batch.bytes();
    if (inflated_from != CompressionType::none) {
      block.inflated_from = static_cast<std::int8_t>(inflated_from);
      bytes = inflate(pending, batch);
      crc = crc32c(bytes);
    } else if (batch.codec() == CompressionType::none) {
      uncompressed_bytes_ += bytes.size();
    }
    pending.parts.push_back(bytes);
    pending.crc = crc32c_combine(pending.crc.value_or(0), crc, bytes.size());
    block.raw_bytes += static_cast<std::uint32_t>(bytes.size());
    built_.raw_bytes += bytes.size();
  }

  std::string_view inflate(archive::PendingBlock& pending, const RecordBatch& batch) {
    auto inflated = std::make_shared<std::string>(inflate_batch(batch, settings_.inflated_bytes_max));
    uncompressed_bytes_ += inflated->size();
    pending.owners.push_back(inflated);
    return *inflated;
  }

  archive::PendingBlock& open() {
    if (!open_) {
      open_.emplace();
      open_->stream = fetched_.stream;
      open_->block.first_offset = open_->block.next_offset = built_.position;
      uncompressed_bytes_ = 0;
    }
    return *open_;
  }

  void close() {
    if (!open_) return;
    auto& block = open_->block;
    block.stored_bytes = block.raw_bytes;
    // Batches that are compressed already do not get smaller; a block of both kinds goes by the larger part.
    if (settings_.encoding != BlockEncoding::as_is && 2 * uncompressed_bytes_ > block.raw_bytes) {
      encode(*open_, settings_);
      built_.owned_bytes += block.stored_bytes;
    } else if (block.raw_bytes > 0) {
      open_->owners.push_back(fetched_.owner);
      built_.holds_answer = true;
      if (block.inflated_from != 0) built_.owned_bytes += block.raw_bytes;
    }
    built_.blocks.push_back(std::move(*open_));
    open_.reset();
  }

  const FetchedPartition& fetched_;
  const BlockSettings& settings_;
  kafka::AbortedTransactions filter_;
  BuiltBlocks built_;
  std::optional<archive::PendingBlock> open_;
  std::size_t uncompressed_bytes_ = 0;  // of the open block
};

}  // namespace

BuiltBlocks build_blocks(const FetchedPartition& fetched, const BlockSettings& settings) {
  try {
    return Builder(fetched, settings).build();
  } catch (const Error& error) {
    throw error.while_doing(
        fmt::format("{}/{} at offset {}", fetched.stream.topic, fetched.stream.partition, fetched.position));
  }
}

// Each part is a batch.
void encode_block(archive::PendingBlock& pending, const BlockSettings& settings) {
  if (settings.encoding == BlockEncoding::as_is) return;
  std::uint64_t uncompressed_bytes = 0;
  for (auto part : pending.parts)
    if (auto rest = part; kafka::next_batch(rest)->codec() == CompressionType::none)
      uncompressed_bytes += part.size();
  if (2 * uncompressed_bytes > pending.block.raw_bytes) encode(pending, settings);
}

archive::PendingBlock lost_block(const archive::StreamId& stream, std::int64_t first, std::int64_t next) {
  archive::PendingBlock lost{.stream = stream};
  lost.block.first_offset = first;
  lost.block.next_offset = next;
  lost.block.holes.lost = static_cast<std::uint64_t>(next - first);
  return lost;
}

std::string_view raw_batches(const archive::Block& block, std::string_view stored, std::string& scratch) {
  if (block.encoding == BlockEncoding::as_is) return stored;
  kafka::decompress(codec_of(block.encoding), stored, scratch, block.raw_bytes);
  if (scratch.size() != block.raw_bytes)
    fail(ErrorKind::corrupt, "block inflates to {} bytes instead of {}", scratch.size(), block.raw_bytes);
  return scratch;
}

}  // namespace kb::engine
