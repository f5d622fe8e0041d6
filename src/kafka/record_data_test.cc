// Batches of independent producers (tests/data/record-batches, made by tests/golden/record-batches/make.sh)
// against what Apache's consumer read of them.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/checksum.h"
#include "base/error.h"
#include "kafka/aborted_transactions.h"
#include "kafka/rebatch.h"
#include "kafka/record_generator.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::kafka;

namespace {

const std::filesystem::path folder = std::filesystem::path(KB_TEST_DATA) / "record-batches";

std::string content(const std::string& file) {
  std::ifstream in(folder / file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines(const std::string& file) {
  std::ifstream in(folder / file);
  std::vector<std::string> all;
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".bin") names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

// The format of tests/support/dump_line.h.
std::string described(std::optional<std::string_view> bytes) {
  constexpr std::size_t literal_max = 16;
  if (!bytes) return "-";
  if (bytes->size() > literal_max)
    return fmt::format("{}:{}", bytes->size(), sha256_hex(*bytes).substr(0, 2 * literal_max));
  std::string hex;
  for (const char byte : *bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return fmt::format("{}:{}", bytes->size(), hex);
}

// What follows the offset and the timestamp type.
std::string described(const Record& record) {
  std::string headers;
  for (const auto& header : record.headers)
    headers +=
        fmt::format("{}{}={}", headers.empty() ? "" : ";", described(header.key), described(header.value));
  return fmt::format("{}\t{}\t{}\t{}", record.timestamp, described(record.key), described(record.value),
                     headers);
}

// The lines of the batches that are not control batches and that `wanted` wants.
std::vector<std::string> read_lines(std::string_view log, auto wanted) {
  std::vector<std::string> all;
  std::string scratch;
  while (const auto batch = next_batch(log)) {
    REQUIRE(batch->crc_matches());
    if (!wanted(*batch) || batch->is_control()) continue;
    RecordReader reader(*batch, inflate_records(*batch, scratch, 1 << 20));
    for (RecordFrame frame; reader.next(frame);)
      all.push_back(fmt::format("{}\t{}\t{}", frame.offset, batch->is_log_append_time() ? 'L' : 'C',
                                described(parse_record(frame))));
  }
  REQUIRE(log.empty());
  return all;
}

// https://kafka.apache.org/documentation/#log: an entry is version int16, producer id, first offset, last
// offset and last stable offset int64.
std::vector<AbortedTransaction> aborted_transactions(const std::string& index) {
  constexpr std::size_t entry_bytes = 34;
  std::vector<AbortedTransaction> aborted;
  for (std::size_t at = 0; at < index.size(); at += entry_bytes)
    aborted.push_back({.producer_id = read_big_endian<std::int64_t>(index.data() + at + 2),
                       .first_offset = read_big_endian<std::int64_t>(index.data() + at + 10)});
  return aborted;
}

}  // namespace

TEST_CASE("batches of librdkafka and the Java producer are read as Apache's consumer reads them") {
  const auto names = golden_names();
  REQUIRE_GE(names.size(), 20);
  for (const auto& name : names) {
    CAPTURE(name);
    const auto read = read_lines(content(name + ".bin"), [](const RecordBatch&) { return true; });
    REQUIRE(read == lines(name + ".records"));
    REQUIRE_FALSE(read.empty());
  }
}

TEST_CASE("the golden batches have every codec, hole and bit that is to be read") {
  std::set<std::string> seen;
  for (const auto& name : golden_names()) {
    const auto log = content(name + ".bin");
    std::string_view rest = log;
    while (const auto batch = next_batch(rest)) {
      seen.insert(std::string(kafka::name(batch->codec())));
      if (batch->is_log_append_time()) seen.insert("log append time");
      if (batch->is_transactional()) seen.insert("transactional");
      if (batch->is_control()) seen.insert("control");
      if (batch->has_delete_horizon()) seen.insert("delete horizon");
      if (batch->record_count() == 0) seen.insert("emptied");
      if (batch->record_count() > 0 && !batch->is_dense()) seen.insert("holes");
      if (batch->codec() == CompressionType::snappy)
        seen.insert(batch->payload().starts_with("\x82SNAPPY") ? "snappy of xerial" : "snappy raw");
    }
  }
  for (const auto* what : {"none", "gzip", "snappy", "lz4", "zstd", "log append time", "transactional",
                           "control", "delete horizon", "emptied", "holes", "snappy of xerial", "snappy raw"})
    CHECK_MESSAGE(seen.contains(what), what);
}

TEST_CASE("the transaction filter leaves what a read_committed consumer sees") {
  int checked = 0;
  for (const auto& name : golden_names()) {
    if (!std::filesystem::exists(folder / (name + ".txnindex"))) continue;
    CAPTURE(name);
    AbortedTransactions transactions(aborted_transactions(content(name + ".txnindex")));
    const auto committed = read_lines(content(name + ".bin"), [&](const RecordBatch& batch) {
      return transactions.fate(batch) == BatchFate::keep;
    });
    CHECK(committed == lines(name + ".committed"));
    CHECK(committed != lines(name + ".records"));
    ++checked;
  }
  CHECK_GE(checked, 2);
}

TEST_CASE("batches made for a broker hold the same records as the golden ones") {
  constexpr RebatchSettings merge_all{.merge_below_bytes = 1 << 20, .merge_compressed_below_bytes = 1 << 20};
  for (const auto& name : golden_names())
    for (const RebatchSettings& settings : {RebatchSettings{}, merge_all}) {
      CAPTURE(name);
      auto log = content(name + ".bin");
      Rebatcher rebatcher(settings);
      std::string_view rest = log;
      while (const auto batch = next_batch(rest))
        if (!batch->is_control())
          rebatcher.add({.bytes = {log.data() + (batch->bytes().data() - log.data()), batch->size_bytes()},
                         .owner = {}});
      rebatcher.flush();
      std::vector<std::string> made, expected;
      while (const auto output = rebatcher.take()) {
        restamp(output->bytes, {.producer_id = 1, .producer_epoch = 0, .base_sequence = 0});
        const auto batch = RecordBatch::whole({output->bytes.data(), output->bytes.size()});
        REQUIRE(batch.crc_matches());
        REQUIRE(batch.is_dense());
        for (const auto& record : read_records(batch)) made.push_back(described(record.view()));
      }
      for (const auto& line : lines(name + ".records")) expected.push_back(line.substr(line.find('\t') + 3));
      CHECK(made == expected);
    }
}
