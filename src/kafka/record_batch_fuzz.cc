// Arbitrary bytes as a partition's records: walked, checked, inflated, read, re-stamped and made into batches
// for a broker. Anything may be refused by an Error; what comes out must be what a broker accepts.
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "kafka/aborted_transactions.h"
#include "kafka/rebatch.h"

namespace {

using namespace kb;
using namespace kb::kafka;

constexpr std::size_t inflated_bytes_max = 1 << 20;

// A fuzzer never guesses a CRC, so the batch gets the right one.
std::string with_right_crc(const RecordBatch& batch) {
  std::string bytes(batch.bytes());
  write_header(bytes, {.base_offset = batch.base_offset(),
                       .leader_epoch = batch.leader_epoch(),
                       .attributes = batch.attributes(),
                       .last_offset_delta = batch.last_offset_delta(),
                       .base_timestamp = batch.base_timestamp(),
                       .max_timestamp = batch.max_timestamp(),
                       .producer = {batch.producer_id(), batch.producer_epoch(), batch.base_sequence()},
                       .record_count = batch.record_count()});
  return bytes;
}

std::int64_t read(const RecordBatch& batch) {
  std::string scratch;
  RecordReader reader(batch, inflate_records(batch, scratch, inflated_bytes_max));
  std::int64_t records = 0;
  for (RecordFrame frame; reader.next(frame); ++records) static_cast<void>(parse_record(frame));
  return records;
}

void rebatch_one(const RecordBatch& batch) {
  auto bytes = with_right_crc(batch);
  Rebatcher rebatcher({.max_message_bytes = 4096, .inflated_bytes_max = inflated_bytes_max});
  rebatcher.add({.bytes = bytes, .owner = {}, .clip = {batch.base_offset() + 1, batch.last_offset()}});
  rebatcher.flush();
  std::int64_t records = 0;
  while (const auto output = rebatcher.take()) {
    restamp(output->bytes, {.producer_id = 5, .producer_epoch = 1, .base_sequence = 9});
    const auto made = RecordBatch::whole({output->bytes.data(), output->bytes.size()});
    if (!made.crc_matches() || !made.is_dense() || made.size_bytes() > 4096) std::abort();
    records += output->record_count;
  }
  const auto& counts = rebatcher.counts();
  if (records != counts.records_out || counts.records_in != counts.records_clipped + records) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  AbortedTransactions transactions({{.producer_id = 1, .first_offset = 0}});
  try {
    while (const auto batch = next_batch(rest)) {
      try {
        static_cast<void>(batch->crc_matches());
        static_cast<void>(transactions.fate(*batch));
        if (read(*batch) != batch->record_count()) std::abort();
        rebatch_one(*batch);
      } catch (const Error&) {
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
