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

// A log as these tests write it: five records a batch, sequence numbers like offsets.
PartitionProducer::BatchAt batch_of(std::int64_t producer_id = 77) {
  return [producer_id](std::int64_t offset) {
    const auto base = offset / 5 * 5;
    return BatchStamp{.base_offset = base,
                      .producer_id = producer_id,
                      .producer_epoch = 5,
                      .base_sequence = static_cast<std::int32_t>(base),
                      .record_count = 5};
  };
}

// Asked where nothing new is written.
BatchStamp no_batch(std::int64_t offset) {
  FAIL("asked for the batch at offset " << offset);
  return {};
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
  CHECK(producer.log_end_is(0, 0, no_batch).records == 0);
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

namespace {

// Sends so many batches of five records, from `sequence` on; what they are.
std::vector<std::string> send_batches(PartitionProducer& producer, int count, std::int32_t sequence) {
  std::vector<std::string> sent;
  for (int i = 0; i < count; ++i) {
    const auto* outgoing = next_of(producer);
    REQUIRE(outgoing != nullptr);
    CHECK(view(*outgoing).base_sequence() == sequence + 5 * i);
    sent.emplace_back(outgoing->batch.bytes.data(), outgoing->batch.bytes.size());
    producer.sent();
  }
  return sent;
}

// One that has three batches on their way, behind five acknowledged records.
PartitionProducer with_three_on_their_way(SampleSources& made) {
  auto producer = producer_of(made);
  send_and_accept(producer);
  send_batches(producer, 3, 5);
  return producer;
}

}  // namespace

TEST_CASE("nothing is sent again before the log has told what it has") {
  SampleSources made;
  made.add("orders", {});
  auto producer = producer_of(made);
  send_and_accept(producer);
  auto sent = send_batches(producer, 3, 5);
  SUBCASE("refused for the moment") {
    auto answer = producer.answered(refused(ErrorCode::not_enough_replicas));
    CHECK(answer.verdict == Verdict::retry);
    CHECK(answer.code == ErrorCode::not_enough_replicas);
  }
  SUBCASE("a connection broke") {
    producer.answers_lost();
  }
  CHECK(producer.in_flight() == 0);
  CHECK(producer.in_doubt());
  CHECK(!producer.hungry());
  CHECK(producer.peek() == nullptr);
  CHECK(producer.holds_any());
  CHECK(!producer.done());

  CHECK(producer.log_end_is(5, 5, no_batch).records == 0);
  CHECK(!producer.in_doubt());
  CHECK(send_batches(producer, 1, 5) == std::vector(sent.begin(), sent.begin() + 1));
  CHECK(producer.peek() == nullptr);  // alone: who knows what the broker remembers
  producer.answered(accepted_at(5));
  CHECK(send_batches(producer, 2, 10) == std::vector(sent.begin() + 1, sent.end()));
}

TEST_CASE("what the log has is acknowledged and not sent again, though every answer was lost") {
  for (int written = 0; written <= 3; ++written) {
    CAPTURE(written);
    SampleSources made;
    made.add("orders", {});
    auto producer = with_three_on_their_way(made);
    producer.answers_lost();
    auto answer = producer.log_end_is(5 + 5 * written, 5 + 5 * written, batch_of());
    CHECK(answer.verdict == Verdict::acknowledged);
    CHECK(answer.records == 5 * static_cast<std::uint64_t>(written));
    CHECK((answer.bytes > 0) == (written > 0));
    const auto* next = next_of(producer);
    REQUIRE(next != nullptr);
    CHECK(next->expected_offset == 5 + 5 * written);
    CHECK(view(*next).base_sequence() == 5 + 5 * written);
  }
}

TEST_CASE("what replicas lack is not acknowledged, and stays in doubt") {
  SampleSources made;
  made.add("orders", {});
  auto producer = with_three_on_their_way(made);
  producer.answered(refused(ErrorCode::request_timed_out));
  auto answer = producer.log_end_is(20, 10, no_batch);
  CHECK(answer.verdict == Verdict::retry);
  CHECK(answer.records == 0);
  CHECK(producer.in_doubt());
  CHECK(producer.peek() == nullptr);
  CHECK(producer.log_end_is(20, 20, batch_of()).records == 15);
}

TEST_CASE("a batch that failed in the middle is in doubt with those behind it; those before stay accepted") {
  SampleSources made;
  made.add("orders", {});
  auto producer = with_three_on_their_way(made);
  producer.answered(accepted_at(5));
  CHECK(producer.answered(refused(ErrorCode::request_timed_out)).verdict == Verdict::retry);
  CHECK(producer.log_end_is(10, 10, batch_of()).records == 0);
  const auto* again = next_of(producer);
  REQUIRE(again != nullptr);
  CHECK(view(*again).base_sequence() == 10);
  CHECK(again->expected_offset == 10);
}

TEST_CASE("doubts upon doubts: a batch that is sent again may be written by then") {
  SampleSources made;
  made.add("orders", {});
  auto producer = with_three_on_their_way(made);
  producer.answers_lost();
  producer.log_end_is(10, 10, batch_of());
  send_batches(producer, 1, 10);
  producer.answers_lost();
  CHECK(producer.log_end_is(15, 15, batch_of()).records == 5);
  CHECK(next_of(producer)->expected_offset == 15);
}

TEST_CASE("a log that ends where no batch of ours does differs from what was written") {
  const struct {
    std::int64_t log_end_offset;
    const char* text;
  } table[] = {
      {4,
       "copy/4 ends at offset 4, though all before offset 5 had been acknowledged: an unclean leader "
       "election cut the log"},
      {7, "copy/4 ends at offset 7, where no batch of this restore ends"},
      {25, "copy/4 ends at offset 25, where no batch of this restore ends"}};
  for (const auto& row : table) {
    CAPTURE(row.log_end_offset);
    SampleSources made;
    made.add("orders", {});
    auto producer = with_three_on_their_way(made);
    producer.answers_lost();
    CHECK_THROWS_WITH_AS(producer.log_end_is(row.log_end_offset, row.log_end_offset, no_batch), row.text,
                         TargetLogDiffers);
  }
}

TEST_CASE("what stands at the end of the log counts only when it is the batch that was sent") {
  SampleSources made;
  made.add("orders", {});
  auto producer = with_three_on_their_way(made);
  producer.answers_lost();
  CHECK_THROWS_WITH_AS(producer.log_end_is(10, 10, batch_of(78)),
                       "copy/4 ends at offset 10, behind a batch that this run did not write",
                       TargetLogDiffers);
  CHECK_THROWS_AS(
      producer.log_end_is(10, 10, [](auto) -> BatchStamp { fail(ErrorKind::timed_out, "no answer"); }),
      Error);
  CHECK(producer.in_doubt());
  CHECK(producer.log_end_is(10, 10, batch_of()).records == 5);
}

TEST_CASE("another leader is asked for its log before anything is sent to it") {
  SampleSources made;
  made.add("orders", {});
  auto producer = producer_of(made);
  producer.led_in(7);
  CHECK(!producer.in_doubt());
  send_and_accept(producer);
  producer.led_in(7);
  CHECK(!producer.in_doubt());
  send_batches(producer, 1, 5);
  producer.led_in(8);
  CHECK(!producer.in_doubt());  // as long as there are answers to come
  producer.answered(accepted_at(5));
  producer.led_in(8);
  CHECK(producer.in_doubt());
  CHECK(next_of(producer) == nullptr);
  SUBCASE("the log is what it was") {
    CHECK(producer.log_end_is(10, 10, no_batch).records == 0);
    CHECK(next_of(producer)->expected_offset == 10);
  }
  SUBCASE("it has less") {
    CHECK_THROWS_AS(producer.log_end_is(5, 5, no_batch), TargetLogDiffers);
  }
  SUBCASE("it has more") {
    CHECK_THROWS_AS(producer.log_end_is(15, 15, no_batch), TargetLogDiffers);
  }
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

TEST_CASE("a log that differs from what was written is told apart: whoever reads it again can go on") {
  for (auto code : {ErrorCode::out_of_order_sequence_number, ErrorCode::duplicate_sequence_number,
                    ErrorCode::unknown_producer_id}) {
    CAPTURE(static_cast<int>(code));
    SampleSources made;
    made.add("orders", {});
    auto producer = producer_of(made);
    REQUIRE(next_of(producer) != nullptr);
    producer.sent();
    CHECK_THROWS_AS(producer.answered(refused(code)), TargetLogDiffers);
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
