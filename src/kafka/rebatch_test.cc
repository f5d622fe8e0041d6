#include "kafka/rebatch.h"

#include <numeric>

#include "base/error.h"
#include "kafka/record_generator.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::kafka;

namespace {

using Bytes = std::shared_ptr<std::string>;

// A partition's stored batches and the records that a restore has to bring.
struct Source {
  struct Stored {
    Bytes bytes;
    OffsetRange clip;
  };
  std::vector<Stored> batches;
  std::vector<OwnedRecord> wanted;  // with their source offsets
  std::int64_t records = 0;

  void add(std::string bytes, OffsetRange clip = {}) {
    const auto batch = RecordBatch::whole(bytes);
    for (auto& record : read_records(batch))
      if (clip.contains(record.offset)) wanted.push_back(std::move(record));
    records += batch.record_count();
    batches.push_back({std::make_shared<std::string>(std::move(bytes)), clip});
  }
};

struct Result {
  std::vector<OutputBatch> outputs;
  std::vector<std::string> copies;  // of the outputs' bytes
  RebatchCounts counts;
};

Result rebatch(const Source& source, const RebatchSettings& settings = {}, std::int64_t skip = 0) {
  Rebatcher rebatcher(settings, skip);
  Result result;
  const auto take_all = [&] {
    while (auto output = rebatcher.take()) {
      result.copies.emplace_back(output->bytes.data(), output->bytes.size());
      result.outputs.push_back(std::move(*output));
    }
  };
  for (const auto& [bytes, clip] : source.batches) {
    rebatcher.add({.bytes = *bytes, .owner = bytes, .clip = clip});
    take_all();
  }
  rebatcher.flush();
  take_all();
  result.counts = rebatcher.counts();
  return result;
}

// What a broker checks of a batch (LogValidator.java), and that its records are readable.
std::vector<OwnedRecord> accepted_records(std::string bytes, const RebatchSettings& settings) {
  REQUIRE_LE(bytes.size(), settings.max_message_bytes);
  restamp(bytes, {.producer_id = 1, .producer_epoch = 0, .base_sequence = 0});
  const auto batch = RecordBatch::whole(bytes);
  REQUIRE(batch.crc_matches());
  REQUIRE(batch.is_dense());
  REQUIRE_GT(batch.record_count(), 0);
  REQUIRE_EQ(batch.attributes() & ~RecordBatch::compression_mask, 0);
  auto records = read_records(batch);
  REQUIRE_EQ(batch.max_timestamp(), std::ranges::max(records, {}, &OwnedRecord::timestamp).timestamp);
  for (std::size_t index = 0; index < records.size(); ++index)
    REQUIRE_EQ(records[index].offset, static_cast<std::int64_t>(index));
  return records;
}

// Every output is acceptable, and together they are the wanted records from `skip` on, with true counts and
// offsets.
void require_exact(const Source& source, const Result& result, const RebatchSettings& settings,
                   std::int64_t skip = 0) {
  auto expected = source.wanted.begin() + std::min<std::ptrdiff_t>(skip, std::ssize(source.wanted));
  const auto skipped = expected - source.wanted.begin();
  for (std::size_t index = 0; index < result.outputs.size(); ++index) {
    const auto& output = result.outputs[index];
    auto records = accepted_records(result.copies[index], settings);
    REQUIRE_EQ(output.record_count, static_cast<std::int32_t>(records.size()));
    REQUIRE_LE(records.size(), static_cast<std::size_t>(source.wanted.end() - expected));
    REQUIRE_EQ(output.source,
               OffsetRange{expected->offset, (expected + (std::ssize(records) - 1))->offset + 1});
    for (auto& record : records) {
      record.offset = expected->offset;
      REQUIRE(record == *expected);
      ++expected;
    }
  }
  REQUIRE(expected == source.wanted.end());
  const auto& counts = result.counts;
  REQUIRE_EQ(counts.batches_in, std::ssize(source.batches));
  REQUIRE_EQ(counts.batches_out, std::ssize(result.outputs));
  REQUIRE_EQ(counts.records_in, source.records);
  REQUIRE_EQ(counts.records_clipped, source.records - std::ssize(source.wanted));
  REQUIRE_EQ(counts.records_skipped, skipped);
  REQUIRE_EQ(counts.records_out, std::ssize(source.wanted) - skipped);
}

// Everything that a log can hold, in random order.
Source random_source(RecordGenerator& random) {
  Source source;
  std::int64_t offset = random.between(0, 1'000'000);
  const auto usual_codec = random.codec();
  for (auto left = random.between(1, 40); left > 0; --left) {
    if (random.one_in(5)) offset += random.between(1, 50);  // markers, aborted batches, emptied batches
    const bool holes = random.one_in(5);
    const auto count = random.one_in(3) ? 1 : random.between(1, 30);
    const auto records = random.records(offset, count, holes, random.one_in(10) ? 3000 : 150);
    RecordBatchBuilder::Options options{.codec = random.one_in(8) ? random.codec() : usual_codec,
                                        .producer = {random.between(-1, 9), 3, 44},
                                        .leader_epoch = 5};
    if (random.one_in(6)) options.more_attributes |= RecordBatch::log_append_time_bit;
    if (random.one_in(6)) options.more_attributes |= RecordBatch::transactional_bit;
    if (random.one_in(9)) options.more_attributes |= RecordBatch::delete_horizon_bit;
    if (holes) options.trailing_offsets = static_cast<std::int32_t>(random.between(0, 9));
    auto bytes = make_batch(offset, records, options);
    const auto next = RecordBatch::whole(bytes).next_offset();
    OffsetRange clip{};
    if (random.one_in(8)) clip.from = random.between(offset, next);
    if (random.one_in(8)) clip.to = random.between(std::max(offset, clip.from), next);
    source.add(std::move(bytes), clip);
    if (random.one_in(20))
      source.add(encode_batch({.base_offset = next, .last_offset_delta = 3}, {}, CompressionType::none));
    offset = next + 4;
  }
  return source;
}

RebatchSettings random_settings(RecordGenerator& random) {
  return {.max_message_bytes = static_cast<std::size_t>(random.between(5'000, 50'000)),
          .merge_below_bytes = static_cast<std::size_t>(random.between(0, 10'000)),
          .merge_compressed_below_bytes = static_cast<std::size_t>(random.between(0, 5'000)),
          .merged_bytes_max = static_cast<std::size_t>(random.between(0, 60'000)),
          .merged_inflated_bytes_max = static_cast<std::size_t>(random.between(0, 60'000))};
}

Source source_of(std::initializer_list<std::string> batches) {
  Source source;
  for (const auto& bytes : batches) source.add(bytes);
  return source;
}

std::string plain_batch(std::int64_t offset, std::int64_t count,
                        const RecordBatchBuilder::Options& options = {}, std::int64_t value_bytes_max = 50) {
  return make_batch(offset, RecordGenerator(3).records(offset, count, false, value_bytes_max), options);
}

constexpr RebatchSettings merge_nothing{.merge_below_bytes = 0, .merge_compressed_below_bytes = 0};
constexpr RebatchSettings merge_all{.merge_below_bytes = 1'000'000,
                                    .merge_compressed_below_bytes = 1'000'000};

std::string complaint(const Source& source, const RebatchSettings& settings) {
  try {
    rebatch(source, settings);
  } catch (const Error& error) {
    return fmt::format("{}: {}", info(error.kind()).name, error.what());
  }
  return {};
}

}  // namespace

TEST_CASE("random partitions come out exactly, whatever the settings and the skip") {
  RebatchCounts seen;
  for (std::uint64_t seed = 0; seed < 2500; ++seed) {
    CAPTURE(seed);
    RecordGenerator random(seed);
    const auto source = random_source(random);
    const auto settings = random_settings(random);
    const auto skip = random.one_in(2) ? 0 : random.between(0, std::ssize(source.wanted) + 3);
    const auto result = rebatch(source, settings, skip);
    require_exact(source, result, settings, skip);
    seen.batches_passed += result.counts.batches_passed;
    seen.batches_decoded += result.counts.batches_decoded;
  }
  CHECK_GT(seen.batches_passed, 3'000);
  CHECK_GT(seen.batches_decoded, 3'000);
}

TEST_CASE("the same input gives the same bytes, whatever was done before") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RecordGenerator random(seed);
    const auto source = random_source(random);
    const auto settings = random_settings(random);
    const auto first = rebatch(source, settings);
    rebatch(random_source(random), random_settings(random));
    const auto again = rebatch(source, settings);
    REQUIRE(first.copies == again.copies);
    REQUIRE_EQ(first.counts, again.counts);
  }
}

TEST_CASE("a restore that resumes at any output goes on with the very next record") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    RecordGenerator random(seed);
    const auto source = random_source(random);
    const auto settings = random_settings(random);
    for (std::int64_t skip = 0; skip <= std::ssize(source.wanted); skip += 1 + random.between(0, 20))
      require_exact(source, rebatch(source, settings, skip), settings, skip);
  }
}

TEST_CASE("a batch that needs nothing passes without a copy or a look inside") {
  for (const auto codec : all_codecs) {
    // Damaged inside: nobody may notice here.
    auto bytes = plain_batch(10, 40, {.codec = codec, .more_attributes = RecordBatch::transactional_bit});
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    Source source;
    source.batches.push_back({std::make_shared<std::string>(bytes), {}});
    const auto result = rebatch(source, merge_nothing);
    REQUIRE_EQ(result.outputs.size(), 1);
    const auto& output = result.outputs[0];
    CHECK_EQ(output.bytes.data(), source.batches[0].bytes->data());
    CHECK_EQ(output.owner, source.batches[0].bytes);
    CHECK_EQ(result.copies[0], bytes);
    CHECK_EQ(output.record_count, 40);
    CHECK_EQ(output.source, OffsetRange{10, 50});
    CHECK_EQ(result.counts.batches_passed, 1);
    CHECK_EQ(result.counts.batches_decoded, 0);
  }
}

TEST_CASE("a small batch without a partner passes as it is") {
  const auto source = source_of({plain_batch(0, 1), plain_batch(1, 1, {.codec = CompressionType::gzip}),
                                 plain_batch(2, 1, {.codec = CompressionType::zstd}), plain_batch(3, 1)});
  const auto result = rebatch(source, merge_all);
  require_exact(source, result, merge_all);
  CHECK_EQ(result.counts.batches_passed, 4);
}

TEST_CASE("small neighbours of one codec are merged up to the limits") {
  for (const auto codec : all_codecs) {
    Source source;
    for (std::int64_t offset = 0; offset < 3000; ++offset)
      source.add(plain_batch(offset, 1, {.codec = codec}));
    const auto all = rebatch(source, merge_all);
    require_exact(source, all, merge_all);
    CHECK_EQ(all.counts.batches_out, 1);

    auto settings = merge_all;
    settings.merged_bytes_max = 10'000;
    const auto some = rebatch(source, settings);
    require_exact(source, some, settings);
    CHECK_GT(some.counts.batches_out, 10);
    for (const auto& bytes : some.copies) CHECK_LE(bytes.size(), settings.merged_bytes_max);

    settings = merge_all;
    settings.merged_inflated_bytes_max = 10'000;
    const auto by_inflated = rebatch(source, settings);
    require_exact(source, by_inflated, settings);
    CHECK_GT(by_inflated.counts.batches_out, 10);
  }
}

TEST_CASE("a big batch keeps its place between small ones") {
  const auto source = source_of(
      {plain_batch(0, 1), plain_batch(1, 1), plain_batch(2, 900), plain_batch(902, 1), plain_batch(903, 1)});
  const RebatchSettings settings{.merge_below_bytes = 1000};
  const auto result = rebatch(source, settings);
  require_exact(source, result, settings);
  CHECK_EQ(result.counts.batches_out, 3);
  CHECK_EQ(result.outputs[1].bytes.data(), source.batches[2].bytes->data());
}

TEST_CASE("holes are closed and the codec stays") {
  for (const auto codec : all_codecs) {
    const auto records = RecordGenerator(4).records(100, 50, true);
    const auto source = source_of({make_batch(100, records, {.codec = codec, .trailing_offsets = 7})});
    const auto result = rebatch(source, merge_nothing);
    require_exact(source, result, merge_nothing);
    REQUIRE_EQ(result.outputs.size(), 1);
    CHECK_EQ(RecordBatch::whole(result.copies[0]).codec(), codec);
    CHECK_EQ(result.outputs[0].source, OffsetRange{records.front().offset, records.back().offset + 1});
  }
}

TEST_CASE("clipping leaves the wanted offsets, also none") {
  for (std::int64_t from = 8; from <= 22; ++from)
    for (std::int64_t to = from; to <= 22; ++to) {
      Source source;
      source.add(plain_batch(10, 10), {from, to});
      require_exact(source, rebatch(source), {});
    }
}

TEST_CASE("LogAppendTime becomes the records' own time") {
  const auto bytes = plain_batch(5, 20, {.more_attributes = RecordBatch::log_append_time_bit});
  const auto source = source_of({bytes});
  const auto result = rebatch(source, merge_nothing);
  require_exact(source, result, merge_nothing);
  const auto output = RecordBatch::whole(result.copies[0]);
  CHECK_FALSE(output.is_log_append_time());
  CHECK_EQ(output.base_timestamp(), RecordBatch::whole(bytes).max_timestamp());
  CHECK_EQ(output.max_timestamp(), output.base_timestamp());
}

TEST_CASE("what is too big for max.message.bytes is split by records") {
  for (const auto codec : all_codecs) {
    RecordGenerator random(6);
    std::vector<OwnedRecord> records;
    for (std::int64_t offset = 0; offset < 60; ++offset) {
      std::string noise(static_cast<std::size_t>(random.between(1, 3000)), '\0');
      for (auto& byte : noise) byte = static_cast<char>(random.between(0, 255));
      records.push_back({offset, 7, {}, noise, {}});
    }
    const auto source = source_of({make_batch(0, records, {.codec = codec})});
    const RebatchSettings settings{.max_message_bytes = 4'000};
    const auto result = rebatch(source, settings);
    require_exact(source, result, settings);
    CHECK_GT(result.counts.batches_out, 20);
  }
}

TEST_CASE("a record that fits nowhere is an error that names it") {
  const auto records = RecordGenerator(7).records(40, 3, false, 20);
  auto big = records;
  big[1].value = RecordGenerator(8).bytes(5000);
  for (auto& byte : *big[1].value) byte = static_cast<char>(byte * 131 + (&byte - big[1].value->data()) * 89);
  const RebatchSettings settings{.max_message_bytes = 2'000};
  CHECK(complaint(source_of({make_batch(40, big, {})}), settings)
            .starts_with("invalid: the record at offset 41 needs a batch of 5"));
  const auto zstd =
      make_batch(41, RecordGenerator(9).records(41, 1, false), {.codec = CompressionType::zstd});
  CHECK_EQ(complaint(source_of({zstd}), {.max_message_bytes = 70, .merge_compressed_below_bytes = 0})
               .starts_with("invalid: the record at offset 41 needs a zstd batch of "),
           true);
}

TEST_CASE("one record is compressed harder before it is called too big") {
  std::string text;
  RecordGenerator random(10);
  for (int word = 0; word < 20'000; ++word) text += "word" + std::to_string(random.between(0, 900)) + ' ';
  const std::vector<OwnedRecord> record{{0, 1, {}, text, {}}};
  for (const auto codec : {CompressionType::gzip, CompressionType::lz4, CompressionType::zstd}) {
    const auto strong =
        make_batch(0, record, {.codec = codec, .level = strongest_level(codec), .trailing_offsets = 1});
    REQUIRE_LT(strong.size(), make_batch(0, record, {.codec = codec}).size());
    const auto source = source_of({strong});
    const RebatchSettings settings{.max_message_bytes = strong.size()};
    require_exact(source, rebatch(source, settings), settings);
  }
}

TEST_CASE("damage, control batches and overlaps are refused") {
  auto damaged = plain_batch(10, 5, {.trailing_offsets = 1});
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  Source source;
  source.batches.push_back({std::make_shared<std::string>(damaged), {}});
  CHECK_EQ(complaint(source, {}), "corrupt: the batch at offset 10 does not match its CRC-32C");

  CHECK_EQ(complaint(source_of({plain_batch(3, 1, {.more_attributes = RecordBatch::control_bit})}), {}),
           "corrupt: the batch at offset 3 is a control batch, not records");
  CHECK_EQ(complaint(source_of({plain_batch(0, 5), plain_batch(4, 5)}), {}),
           "corrupt: the batch at offset 4 comes after offset 4");
  Source clipped;
  clipped.add(plain_batch(0, 5), {0, 4});
  clipped.add(plain_batch(4, 5));
  CHECK_EQ(complaint(clipped, {}), "");

  const auto bomb = make_batch(0, {OwnedRecord{0, 0, {}, std::string(1'000'000, 'x'), {}}},
                               {.codec = CompressionType::zstd, .trailing_offsets = 1});
  CHECK_EQ(complaint(source_of({bomb}), {.inflated_bytes_max = 500'000}),
           "corrupt: the batch at offset 0: zstd data inflates to more than 500000 bytes");
}

TEST_CASE("after a flush another source partition may begin anywhere") {
  Rebatcher rebatcher({});
  for (const std::int64_t offset : {500, 0}) {
    const auto bytes = std::make_shared<std::string>(plain_batch(offset, 3));
    rebatcher.add({.bytes = *bytes, .owner = bytes});
    rebatcher.flush();
    const auto output = rebatcher.take();
    REQUIRE(output);
    CHECK_EQ(output->source, OffsetRange{offset, offset + 3});
    CHECK_FALSE(rebatcher.take());
  }
}

TEST_CASE("source offsets stay true in merged batches with holes between and inside") {
  Source source;
  std::int64_t offset = 0;
  for (int batch = 0; batch < 50; ++batch, offset = source.wanted.back().offset + 100)
    source.add(make_batch(
        offset, RecordGenerator(static_cast<std::uint64_t>(batch)).records(offset, 5, true, 10), {}));
  const auto result = rebatch(source, merge_all);
  require_exact(source, result, merge_all);
  CHECK_LT(result.counts.batches_out, 25);
}
