// For tests: the sources of a target partition in a memory store, made of generated records through the
// functions that a backup uses. Not thread-safe.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "archive/segment.h"
#include "engine/block_builder.h"
#include "engine/source_reader.h"
#include "kafka/record_generator.h"
#include "storage/memory.h"

namespace kb::engine {

// Records as a consumer of the target sees them: the target gives offsets of its own.
inline std::vector<kafka::OwnedRecord> without_offsets(std::vector<kafka::OwnedRecord> records) {
  for (auto& record : records) record.offset = 0;
  return records;
}

class SampleSources {
 public:
  explicit SampleSources(std::uint64_t seed = 1) : generator(seed) {}

  struct Shape {
    std::int64_t first = 0;
    int batches = 10;
    std::int64_t records_per_batch = 5;
    int batches_per_block = 2;
    bool with_holes = false;
    kafka::CompressionType codec = kafka::CompressionType::none;
    BlockSettings settings = {.encoding = archive::BlockEncoding::as_is};
    std::int64_t clip_front = 0, clip_back = 0;  // offsets that the set does not reach
  };

  // A stream of the topic in an object of its own, as the next source. `bounds` leave its ends out.
  void add(const std::string& topic, const Shape& shape) {
    SourcePartition source{.stream = {topic, 0, "l"}, .bounds = {.start = shape.first, .end = shape.first}};
    std::vector<kafka::OwnedRecord> all;
    std::vector<archive::PendingBlock> blocks;
    for (int made = 0; made < shape.batches; made += shape.batches_per_block)
      add_block(shape, std::min(shape.batches_per_block, shape.batches - made), source, all, blocks);
    source.bounds = {shape.first + shape.clip_front, source.bounds.end - shape.clip_back};
    for (auto& record : all)
      if (source.bounds.start <= record.offset && record.offset < source.bounds.end) wanted.push_back(record);
    store_blocks(std::move(source), std::move(blocks));
  }

  // Offsets without a record, as the next block of a source of its own.
  void add_lost(const std::string& topic, std::int64_t first, std::int64_t next) {
    SourcePartition source{.stream = {topic, 0, "l"}, .bounds = {first, next}};
    source.blocks = {lost_block(source.stream, first, next).block};
    target.sources.push_back(std::move(source));
  }

  SourceReader reader(std::uint64_t skip_records = 0, const kafka::RebatchSettings& settings = {}) {
    return {store, plan, target, settings, skip_records};
  }
  // Changes one bit of the object of the source.
  void damage(std::size_t source, std::uint64_t position) {
    const auto& key = key_of(source);
    auto bytes = *store.get({}, key);
    bytes.at(position) ^= 4;
    store.overwrite(key, bytes);
  }
  const std::string& key_of(std::size_t source) const {
    return plan.objects.at(target.sources[source].blocks.front().object).key;
  }

  kafka::RecordGenerator generator;
  storage::MemoryStore store;
  RestorePlan plan;
  TargetPartition target;
  std::vector<kafka::OwnedRecord> wanted;  // of all sources, in order

 private:
  void add_block(const Shape& shape, int batches, SourcePartition& source,
                 std::vector<kafka::OwnedRecord>& all, std::vector<archive::PendingBlock>& blocks) {
    auto first = source.bounds.end, next = first;
    auto answer = std::make_shared<std::string>();
    for (int i = 0; i < batches; ++i) {
      auto records = generator.records(next, shape.records_per_batch, shape.with_holes);
      *answer += kafka::make_batch(records.front().offset, records, {.codec = shape.codec});
      next = records.back().offset + 1;
      all.insert(all.end(), records.begin(), records.end());
    }
    auto built = build_blocks({.stream = source.stream,
                               .position = first,
                               .end = next,
                               .records = *answer,
                               .aborted_transactions = {},
                               .owner = answer},
                              shape.settings);
    for (auto& block : built.blocks) blocks.push_back(std::move(block));
    source.bounds.end = next;
  }

  void store_blocks(SourcePartition source, std::vector<archive::PendingBlock> blocks) {
    auto segment = archive::seal_segment(fmt::format("segments/{}", plan.objects.size()), std::move(blocks));
    store.put_if_absent({}, segment->key, segment->parts);
    source.blocks = segment->index.streams.at(source.stream);
    for (auto& block : source.blocks)
      if (block.object != archive::Block::no_object)
        block.object = static_cast<std::uint32_t>(plan.objects.size());
    plan.objects.push_back(segment->index.objects.at(0));
    target.sources.push_back(std::move(source));
  }
};

// Reads all that is left, as a consumer of the target would.
inline std::vector<kafka::OwnedRecord> read_rest(SourceReader& reader) {
  ByteBudget budget(64 * 1024 * 1024);
  std::vector<kafka::OwnedRecord> records;
  for (;;) {
    while (auto batch = reader.ready()) {
      auto some = kafka::read_records(kafka::RecordBatch::whole({batch->bytes.data(), batch->bytes.size()}));
      records.insert(records.end(), some.begin(), some.end());
    }
    if (reader.finished()) return without_offsets(std::move(records));
    reader.read({}, budget.acquire({}, reader.next_bytes()));
  }
}

}  // namespace kb::engine
