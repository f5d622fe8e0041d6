#include "engine/partition_producer.h"

#include <limits>

#include "base/checksum.h"
#include "base/error.h"
#include "engine/sample_source.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
using kafka::ErrorCode;
using Verdict = PartitionProducer::Verdict;

namespace {

constexpr kafka::RebatchSettings as_stored{.merge_below_bytes = 0, .merge_compressed_below_bytes = 0};

PartitionProducer producer_of(SampleSources& made, std::int64_t end_offset = 0) {
  return {{"copy", 4},
          made.reader(0, as_stored),
          {.transactional_id = "t", .producer_id = 77, .producer_epoch = 5},
          end_offset};
}

// The next batch to send, after reading what it takes; null when there is nothing left or nothing may be
// sent.
const OutgoingBatch* next_of(PartitionProducer& producer) {
  while (producer.hungry()) producer.reader().read({}, {});
  return producer.peek();
}

kafka::RecordBatch view(const OutgoingBatch& outgoing) {
  return kafka::RecordBatch::whole({outgoing.batch.bytes.data(), outgoing.batch.bytes.size()});
}

kafka::ProduceResponse::Partition accepted_at(std::int64_t base_offset) {
  return {.base_offset = base_offset};
}

kafka::ProduceResponse::Partition refused(ErrorCode code) {
  return {.error_code = code, .base_offset = -1, .error_message = "because"};
}

// Sends one batch and lets the broker accept it.
void send_and_accept(PartitionProducer& producer) {
  const auto* batch = next_of(producer);
  REQUIRE(batch != nullptr);
  auto expected = batch->expected_offset;
  producer.sent();
  CHECK(producer.answered(accepted_at(expected)).verdict == Verdict::acknowledged);
}

Error failure_of(PartitionProducer& producer, const kafka::ProduceResponse::Partition& answer) {
  REQUIRE(next_of(producer) != nullptr);
  producer.sent();
  try {
    producer.answered(answer);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

}  // namespace

TEST_CASE("batches carry the session and rising sequence numbers, and go behind the end offset") {
  SampleSources made;
  made.add("orders", {.first = 900, .batches = 4, .records_per_batch = 5});
  auto producer = producer_of(made, 1000);
  for (int i = 0; i < 4; ++i) {
    const auto* outgoing = next_of(producer);
    REQUIRE(outgoing != nullptr);
    auto batch = view(*outgoing);
    CHECK(batch.base_offset() == 0);
    CHECK(batch.leader_epoch() == -1);
    CHECK(batch.producer_id() == 77);
    CHECK(batch.producer_epoch() == 5);
    CHECK(batch.base_sequence() == 5 * i);
    CHECK(batch.crc_matches());
    CHECK(outgoing->expected_offset == 1000 + 5 * i);
    producer.sent();
    auto bytes = outgoing->batch.bytes.size();
    auto answer = producer.answered(accepted_at(1000 + 5 * i));
    CHECK(answer.verdict == Verdict::acknowledged);
    CHECK(answer.records == 5);
    CHECK(answer.bytes == bytes);
  }
  CHECK(next_of(producer) == nullptr);
  CHECK(producer.done());
}

TEST_CASE("peek shows the same batch until it is sent") {
  SampleSources made;
  made.add("orders", {});
  auto producer = producer_of(made);
  const auto* first = next_of(producer);
  REQUIRE(first != nullptr);
  CHECK(next_of(producer) == first);
  CHECK(view(*first).base_sequence() == 0);
}

TEST_CASE("the first batch goes alone until it is acknowledged") {
  SampleSources made;
  made.add("orders", {});
  auto producer = producer_of(made);
  REQUIRE(next_of(producer) != nullptr);
  producer.sent();
  CHECK(producer.peek() == nullptr);
  CHECK(!producer.hungry());
  CHECK(!producer.done());
  CHECK(producer.answered(refused(ErrorCode::not_leader_or_follower)).verdict == Verdict::retry);
  REQUIRE(next_of(producer) != nullptr);
  CHECK(view(*next_of(producer)).base_sequence() == 0);
  producer.sent();
  CHECK(producer.peek() == nullptr);
  producer.answered(accepted_at(0));
  REQUIRE(next_of(producer) != nullptr);
  producer.sent();
  REQUIRE(next_of(producer) != nullptr);
  CHECK(view(*next_of(producer)).base_sequence() == 10);
}

TEST_CASE("after a retry all that was on its way is sent again: the same bytes, in order") {
  SampleSources made;
  made.add("orders", {});
  auto producer = producer_of(made);
  send_and_accept(producer);
  const auto send_three = [&] {
    std::vector<std::string> sent;
    for (int i = 0; i < 3; ++i) {
      const auto* outgoing = next_of(producer);
      REQUIRE(outgoing != nullptr);
      sent.emplace_back(outgoing->batch.bytes.data(), outgoing->batch.bytes.size());
      CHECK(view(*outgoing).base_sequence() == 5 * (i + 1));
      producer.sent();
    }
    CHECK(producer.in_flight() == 3);
    return sent;
  };
  auto sent = send_three();
  auto answer = producer.answered(refused(ErrorCode::not_enough_replicas));
  CHECK(answer.verdict == Verdict::retry);
  CHECK(answer.code == ErrorCode::not_enough_replicas);
  CHECK(producer.in_flight() == 0);
  CHECK(send_three() == sent);
  producer.send_again();  // a connection broke
  CHECK(producer.in_flight() == 0);
  CHECK(send_three() == sent);
  for (int i = 1; i <= 3; ++i) producer.answered(accepted_at(5 * i));
  CHECK(producer.in_flight() == 0);
  CHECK(view(*next_of(producer)).base_sequence() == 20);
}

TEST_CASE("a batch that failed in the middle is retried with those behind it; those before stay accepted") {
  SampleSources made;
  made.add("orders", {});
  auto producer = producer_of(made);
  send_and_accept(producer);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(next_of(producer) != nullptr);
    producer.sent();
  }
  producer.answered(accepted_at(5));
  CHECK(producer.answered(refused(ErrorCode::request_timed_out)).verdict == Verdict::retry);
  const auto* again = next_of(producer);
  REQUIRE(again != nullptr);
  CHECK(view(*again).base_sequence() == 10);
  CHECK(again->expected_offset == 10);
}

TEST_CASE("all records of all sources are sent, once each") {
  SampleSources made;
  made.add("first", {.first = 50, .codec = kafka::CompressionType::gzip});
  made.add("second", {.first = 3, .batches = 3});
  auto producer = producer_of(made);
  std::vector<kafka::OwnedRecord> sent;
  while (const auto* outgoing = next_of(producer)) {
    for (auto& record : kafka::read_records(view(*outgoing))) sent.push_back(record);
    send_and_accept(producer);
  }
  CHECK(producer.done());
  CHECK(without_offsets(sent) == without_offsets(made.wanted));
}

TEST_CASE("sequence numbers start again at 0 behind 2^31-1") {
  // Headers that claim many records: compressed batches pass without being looked into.
  constexpr std::int32_t half = 1 << 30;
  struct {
    std::vector<std::int32_t> counts;
    std::int32_t last_sequence;
  } const table[] = {
      {{half, half - 1, 10}, std::numeric_limits<std::int32_t>::max()},
      {{half, half, 10}, 0},
      {{half, half + 5, 10}, 5},
  };
  for (const auto& row : table) {
    SampleSources made;
    made.add("orders", {.batches = 1});
    auto& source = made.target.sources[0];
    std::string bytes;
    std::int64_t at = 0;
    for (auto count : row.counts) {
      bytes += kafka::encode_batch({.base_offset = at, .last_offset_delta = count - 1, .record_count = count},
                                   "", kafka::CompressionType::lz4);
      at += count;
    }
    source.bounds = {.start = 0, .end = at};
    auto size = static_cast<std::uint32_t>(bytes.size());
    source.blocks = {{.first_offset = 0,
                      .next_offset = at,
                      .records = static_cast<std::uint64_t>(at),
                      .object = 0,
                      .stored_bytes = size,
                      .raw_bytes = size,
                      .crc = crc32c(bytes)}};
    made.store.overwrite(made.key_of(0), bytes);
    auto producer = producer_of(made);
    send_and_accept(producer);
    send_and_accept(producer);
    const auto* last = next_of(producer);
    REQUIRE(last != nullptr);
    CHECK(view(*last).base_sequence() == row.last_sequence);
    CHECK(last->expected_offset == at - 10);
  }
}

TEST_CASE("an offset that was not expected is a conflict with another producer") {
  SampleSources made;
  made.add("orders", {});
  auto producer = producer_of(made, 100);
  auto error = failure_of(producer, accepted_at(101));
  CHECK(error.kind() == ErrorKind::conflict);
  CHECK(std::string(error.what()) ==
        "copy/4 at offset 100: records went to offset 101: another producer writes to the partition");
  CHECK(!error.hint().empty());
}

TEST_CASE("what the broker refuses is told by kind") {
  struct {
    ErrorCode code;
    ErrorKind kind;
  } const table[] = {{ErrorCode::invalid_producer_epoch, ErrorKind::conflict},
                     {ErrorCode::producer_fenced, ErrorKind::conflict},
                     {ErrorCode::out_of_order_sequence_number, ErrorKind::unavailable},
                     {ErrorCode::duplicate_sequence_number, ErrorKind::unavailable},
                     {ErrorCode::unknown_producer_id, ErrorKind::unavailable},
                     {ErrorCode::message_too_large, ErrorKind::invalid},
                     {ErrorCode::topic_authorization_failed, ErrorKind::denied},
                     {ErrorCode::invalid_record, ErrorKind::invalid}};
  for (const auto& row : table) {
    CAPTURE(static_cast<int>(row.code));
    SampleSources made;
    made.add("orders", {.first = 30});
    auto producer = producer_of(made, 100);
    auto error = failure_of(producer, refused(row.code));
    CHECK(error.kind() == row.kind);
    CHECK(std::string(error.what()).starts_with("copy/4"));
  }
}

TEST_CASE("a refusal names the source offsets and says what the broker said") {
  SampleSources made;
  made.add("orders", {.first = 30});
  auto producer = producer_of(made);
  std::string text = failure_of(producer, refused(ErrorCode::message_too_large)).what();
  CHECK(text.find("source offsets 30 to 34") != std::string::npos);
  CHECK(text.find("because") != std::string::npos);
}
