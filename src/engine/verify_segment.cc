#include "engine/verify_segment.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "archive/segment.h"
#include "base/checksum.h"
#include "base/error.h"
#include "engine/block_builder.h"
#include "kafka/record.h"
#include "kafka/record_batch.h"

namespace kb::engine {
namespace {

constexpr std::size_t inflated_bytes_max = std::size_t{1} << 30;  // of one batch, as when it was backed up

std::uint64_t digest_of(const archive::StreamId& stream, const archive::Block& b) {
  // Two CRCs over different orders: this tells honest indexes apart, nobody has a reason to forge one.
  auto text = fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", stream.topic,
                          stream.partition, stream.lineage, b.first_offset, b.next_offset, b.records,
                          b.holes.aborted, b.holes.control, b.holes.compacted, b.holes.lost,
                          b.base_timestamp_min, b.max_timestamp, b.leader_epoch, b.position, b.stored_bytes,
                          b.raw_bytes, static_cast<int>(b.encoding), static_cast<int>(b.inflated_from));
  auto forward = crc32c(text);
  std::reverse(text.begin(), text.end());
  return (std::uint64_t{forward} << 32 | crc32c(text)) ^ b.crc;
}

VerifyProblem problem_of(const std::string& object, const ExpectedBlock& block, std::string what) {
  return {
      object,         block.stream->topic, block.stream->partition, block.first_offset, block.next_offset - 1,
      std::move(what)};
}

bool bytes_match(const ExpectedBlock& block, std::string_view bytes) {
  return block.position <= bytes.size() && block.stored_bytes <= bytes.size() - block.position &&
         crc32c(bytes.substr(block.position, block.stored_bytes)) == block.crc;
}

// The segment cannot be opened: which of its blocks are hit.
std::vector<VerifyProblem> damage(const ExpectedSegment& expected, std::string_view bytes,
                                  const std::string& what) {
  std::vector<const ExpectedBlock*> bad;
  for (const auto& block : expected.blocks)
    if (!bytes_match(block, bytes)) bad.push_back(&block);
  if (bad.empty()) return {{.object = expected.entry.key, .what = what}};
  if (bad.size() == expected.blocks.size() && bad.size() > 1) return unusable_segment(expected, what);
  std::vector<VerifyProblem> problems;
  for (const auto* block : bad)
    problems.push_back(problem_of(expected.entry.key, *block, "CRC-32C does not match"));
  return problems;
}

class BlockWalk {
 public:
  BlockWalk(const archive::Block& block, std::string_view raw) : block_(block), rest_(raw) {}

  // Throws corrupt.
  void run(SegmentFindings& findings) {
    while (auto batch = kafka::next_batch(rest_)) {
      look_at(*batch);
      ++findings.batches;
    }
    if (!rest_.empty()) fail(ErrorKind::corrupt, "ends inside a batch");
    if (records_ != block_.records)
      fail(ErrorKind::corrupt, "holds {} records instead of {}", records_, block_.records);
    if (records_ > 0 && max_timestamp_ != block_.max_timestamp)
      fail(ErrorKind::corrupt, "newest timestamp is {} instead of {}", max_timestamp_, block_.max_timestamp);
    findings.records += records_;
  }

 private:
  void look_at(const kafka::RecordBatch& batch) {
    auto at = batch.base_offset();
    if (!batch.crc_matches())
      fail(ErrorKind::corrupt, "CRC-32C of the batch at offset {} does not match", at);
    if (batch.is_control()) fail(ErrorKind::corrupt, "the batch at offset {} is a transaction marker", at);
    // Only the first batch may begin before the block and only the last may end behind it: cut by a bound.
    bool is_first = position_ < 0;
    bool fits = is_first ? batch.next_offset() > block_.first_offset : at >= position_;
    if (!fits || at >= block_.next_offset)
      fail(ErrorKind::corrupt, "the batch of offsets {} to {} does not belong there", at,
           batch.last_offset());
    position_ = batch.next_offset();
    records_ += records_within(batch);
    max_timestamp_ = std::max(max_timestamp_, batch.max_timestamp());
  }

  std::uint64_t records_within(const kafka::RecordBatch& batch) const {
    if (batch.base_offset() >= block_.first_offset && batch.next_offset() <= block_.next_offset)
      return static_cast<std::uint64_t>(batch.record_count());
    std::string scratch;
    kafka::RecordReader reader(batch, kafka::inflate_records(batch, scratch, inflated_bytes_max));
    std::uint64_t n = 0;
    for (kafka::RecordFrame frame; reader.next(frame);)
      if (block_.first_offset <= frame.offset && frame.offset < block_.next_offset) ++n;
    return n;
  }

  const archive::Block& block_;
  std::string_view rest_;
  std::int64_t position_ = -1;  // behind the last batch
  std::uint64_t records_ = 0;
  std::int64_t max_timestamp_ = -1;
};

}  // namespace

ExpectedBlock expected_block(const archive::StreamId& stream, const archive::Block& block) {
  return {.stream = &stream,
          .first_offset = block.first_offset,
          .next_offset = block.next_offset,
          .position = block.position,
          .stored_bytes = block.stored_bytes,
          .crc = block.crc,
          .digest = digest_of(stream, block)};
}

std::vector<VerifyProblem> unusable_segment(const ExpectedSegment& expected, const std::string& what) {
  std::map<std::pair<std::string, std::int32_t>, VerifyProblem> by_partition;
  for (const auto& block : expected.blocks) {
    auto [it, is_new] = by_partition.try_emplace({block.stream->topic, block.stream->partition},
                                                 problem_of(expected.entry.key, block, what));
    auto& problem = it->second;
    problem.first_offset = std::min(problem.first_offset, block.first_offset);
    problem.last_offset = std::max(problem.last_offset, block.next_offset - 1);
  }
  std::vector<VerifyProblem> problems;
  for (auto& [partition, problem] : by_partition) problems.push_back(std::move(problem));
  if (problems.empty()) problems.push_back({.object = expected.entry.key, .what = what});
  return problems;
}

std::string check_block(const archive::Block& block, std::string_view stored, SegmentFindings& findings) {
  auto span = static_cast<std::uint64_t>(block.next_offset - block.first_offset);
  if (block.next_offset < block.first_offset || block.records + block.holes.total() != span)
    return fmt::format("{} records and {} known holes do not make {} offsets", block.records,
                       block.holes.total(), span);
  try {
    std::string scratch;
    BlockWalk(block, raw_batches(block, stored, scratch)).run(findings);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

SegmentFindings check_segment(const ExpectedSegment& expected, std::string_view bytes) {
  SegmentFindings findings;
  const auto& key = expected.entry.key;
  archive::Index own;
  try {
    own = archive::open_segment(key, bytes);
  } catch (const Error& error) {
    findings.problems = damage(expected, bytes, error.what());
    return findings;
  }
  if (own.objects[0].bytes != expected.entry.bytes || own.objects[0].crc != expected.entry.crc)
    findings.problems.push_back({.object = key, .what = "is another object than the index lists"});
  std::set<std::uint64_t> digests;
  for (const auto& [stream, blocks] : own.streams) {
    for (const auto& block : blocks) {
      digests.insert(digest_of(stream, block));
      ++findings.blocks;
      auto stored = bytes.substr(block.stored_bytes == 0 ? 0 : block.position, block.stored_bytes);
      auto wrong = check_block(block, stored, findings);
      if (!wrong.empty())
        findings.problems.push_back(problem_of(key, expected_block(stream, block), std::move(wrong)));
    }
  }
  for (const auto& block : expected.blocks)
    if (!digests.contains(block.digest))
      findings.problems.push_back(
          problem_of(key, block, "the index lists it otherwise than the segment itself"));
  return findings;
}

}  // namespace kb::engine
