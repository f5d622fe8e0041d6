// Turns what a fetch answer holds for a partition into blocks: walks the batches, checks their CRCs, leaves
// out what a read_committed consumer would not see and accounts for every offset. Decodes no record, but in a
// batch that a bound cuts through. Pure.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "archive/segment.h"
#include "kafka/aborted_transactions.h"

namespace kb::engine {

struct BlockSettings {
  archive::BlockEncoding encoding =
      archive::BlockEncoding::zstd;  // of blocks whose batches are not compressed
  int level = 3;
  bool recompress = false;                       // inflate what producers compressed, too
  std::size_t block_bytes_target = 1024 * 1024;  // a block is closed at the first batch behind this size
  std::size_t inflated_bytes_max = 1024 * 1024 * 1024;  // of one batch
};

struct FetchedPartition {
  archive::StreamId stream;
  std::int64_t position = 0;  // the offset that was asked for
  std::int64_t end = 0;       // nothing at or behind it is taken
  std::string_view records;   // as answered: whole batches, then perhaps a part of one
  std::vector<kafka::AbortedTransaction> aborted_transactions;
  std::shared_ptr<const void> owner;  // of the memory of `records`
};

struct BuiltBlocks {
  std::vector<archive::PendingBlock> blocks;
  std::int64_t position = 0;         // the offset to ask for next
  std::uint64_t records = 0;         // stored
  std::uint64_t raw_bytes = 0;       // of the stored batches
  std::uint64_t owned_bytes = 0;     // memory that the blocks hold besides the answer
  bool holds_answer = false;         // whether any block points into the answer
  bool holds_partial_batch = false;  // the answer ended inside a batch
};

// Throws corrupt (CRC, structure) or invalid (message formats 0 and 1), naming topic, partition and offset.
BuiltBlocks build_blocks(const FetchedPartition& fetched, const BlockSettings& settings);

// Compresses a block that is stored as it is, unless most of it was compressed by its producers.
void encode_block(archive::PendingBlock& pending, const BlockSettings& settings);

// A block without bytes: offsets [first, next) that retention deleted before they were read.
archive::PendingBlock lost_block(const archive::StreamId& stream, std::int64_t first, std::int64_t next);

// The raw batches of a block as they were before the block's own encoding; `scratch` keeps them when they had
// to be decoded. Throws corrupt.
std::string_view raw_batches(const archive::Block& block, std::string_view stored, std::string& scratch);

}  // namespace kb::engine
