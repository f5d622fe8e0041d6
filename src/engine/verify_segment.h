// What a segment must be according to the indexes that refer to it, and whether it is. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/index.h"
#include "engine/verify.h"

namespace kb::engine {

// A block as an index lists it.
struct ExpectedBlock {
  const archive::StreamId* stream = nullptr;
  std::int64_t first_offset = 0, next_offset = 0;
  std::uint64_t position = 0;
  std::uint32_t stored_bytes = 0, crc = 0;
  std::uint64_t digest = 0;  // of everything the index says about it
};
ExpectedBlock expected_block(const archive::StreamId& stream, const archive::Block& block);

struct ExpectedSegment {
  archive::ObjectEntry entry;
  std::vector<ExpectedBlock> blocks;  // may repeat: several indexes can list a block
};

struct SegmentFindings {
  std::vector<VerifyProblem> problems;
  std::uint64_t blocks = 0, batches = 0, records = 0;
};

// The object's own frame, every CRC, every batch, and that it is what the indexes say.
SegmentFindings check_segment(const ExpectedSegment& expected, std::string_view bytes);

// The segment as a whole cannot be used: one problem for each partition that needs it.
std::vector<VerifyProblem> unusable_segment(const ExpectedSegment& expected, const std::string& what);

// What is wrong with the bytes of one block; empty when nothing is. Counts what it sees into `findings`.
std::string check_block(const archive::Block& block, std::string_view stored, SegmentFindings& findings);

}  // namespace kb::engine
