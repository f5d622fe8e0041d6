#include "engine/partition_producer.h"

#include <limits>

#include <fmt/format.h>

#include "base/error.h"

namespace kb::engine {
namespace {

using kafka::ErrorCode;

// As the broker counts: sequence numbers start again at 0 behind the greatest.
std::int32_t advance(std::int32_t sequence, std::int32_t by) {
  constexpr auto max = std::numeric_limits<std::int32_t>::max();
  return sequence > max - by ? by - (max - sequence) - 1 : sequence + by;
}

std::string name_of(const kafka::TopicPartition& target) {
  return fmt::format("{}/{}", target.topic, target.partition);
}

[[noreturn]] void throw_conflict(const kafka::TopicPartition& target, std::int64_t offset,
                                 const std::string& what) {
  throw Error(ErrorKind::conflict, fmt::format("{} at offset {}: {}", name_of(target), offset, what),
              "somebody else writes to the topic; stop them, delete the topic and run the restore again");
}

[[noreturn]] void refuse(const kafka::TopicPartition& target, const OutgoingBatch& sent,
                         const kafka::ProduceResponse::Partition& answer) {
  auto text =
      fmt::format("{}: the broker refused records with source offsets {} to {}: {}{}", name_of(target),
                  sent.batch.source.from, sent.batch.source.to - 1, kafka::describe(answer.error_code),
                  answer.error_message ? fmt::format(" ({})", *answer.error_message) : "");
  switch (answer.error_code) {
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::producer_fenced:
      throw Error(ErrorKind::conflict,
                  fmt::format("{}: another run of this restore took over", name_of(target)),
                  "nothing is lost: the other run goes on with it");
    case ErrorCode::out_of_order_sequence_number:
    case ErrorCode::duplicate_sequence_number:
    case ErrorCode::unknown_producer_id:
      // Who else writes there is found out by whoever reads the log.
      throw TargetLogDiffers(
          fmt::format("{} at offset {}: the log is not what was written", text, sent.expected_offset),
          "an unclean leader election may have cut the log, or somebody else writes to the topic; run "
          "the restore again: it goes on where the log ends");
    case ErrorCode::message_too_large:
      throw Error(ErrorKind::invalid, text,
                  "raise max.message.bytes of the target topic, or let the restore create it");
    default:
      throw Error(kafka::kind(answer.error_code), text);
  }
}

}  // namespace

BatchStamp stamp_of(const kafka::RecordBatch& batch) {
  return {.base_offset = batch.base_offset(),
          .producer_id = batch.producer_id(),
          .producer_epoch = batch.producer_epoch(),
          .base_sequence = batch.base_sequence(),
          .record_count = batch.record_count()};
}

PartitionProducer::PartitionProducer(kafka::TopicPartition target, SourceReader reader,
                                     const kafka::ProducerSession& session, std::int64_t end_offset)
    : target_(std::move(target)), reader_(std::move(reader)), session_(session), next_offset_(end_offset) {}

const OutgoingBatch* PartitionProducer::peek() {
  if (!may_send()) return nullptr;
  if (in_flight_ < unacknowledged_.size()) return &unacknowledged_[in_flight_];
  auto batch = reader_.ready();
  if (!batch) return nullptr;
  kafka::restamp(batch->bytes, {.producer_id = session_.producer_id,
                                .producer_epoch = session_.producer_epoch,
                                .base_sequence = next_sequence_});
  next_sequence_ = advance(next_sequence_, batch->record_count);
  unacknowledged_.push_back({.batch = std::move(*batch), .expected_offset = next_offset_});
  next_offset_ += unacknowledged_.back().batch.record_count;
  return &unacknowledged_.back();
}

std::size_t PartitionProducer::bytes_in_flight() const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < in_flight_; ++i) bytes += unacknowledged_[i].batch.bytes.size();
  return bytes;
}

PartitionProducer::Answer PartitionProducer::answered(const kafka::ProduceResponse::Partition& answer) {
  CHECK(in_flight_ > 0);
  const auto& sent = unacknowledged_.front();
  if (kafka::retriable(answer.error_code)) {  // which does not mean that it was not written
    answers_lost();
    return {.verdict = Verdict::retry, .code = answer.error_code};
  }
  if (answer.error_code != ErrorCode::none) refuse(target_, sent, answer);
  if (answer.base_offset != sent.expected_offset)
    throw_conflict(target_, sent.expected_offset,
                   fmt::format("records went to offset {}: another producer writes to the partition",
                               answer.base_offset));
  Answer result;
  acknowledge_oldest(result);
  acknowledged_ = true;
  --in_flight_;
  return result;
}

void PartitionProducer::answers_lost() {
  if (in_flight_ == 0) return;
  doubtful_ = std::exchange(in_flight_, 0);
  in_doubt_ = true;
}

void PartitionProducer::led_in(std::int32_t leader_epoch) {
  if (in_flight_ > 0) return;  // the answers will tell
  in_doubt_ |= leader_epoch_ && *leader_epoch_ != leader_epoch;
  leader_epoch_ = leader_epoch;
}

PartitionProducer::Answer PartitionProducer::log_end_is(std::int64_t log_end_offset,
                                                        std::int64_t high_watermark,
                                                        const BatchAt& batch_at) {
  CHECK(in_doubt_ && in_flight_ == 0);
  if (log_end_offset < end_offset_of(0))
    throw_differs(log_end_offset, fmt::format("though all before offset {} had been acknowledged: an unclean "
                                              "leader election cut the log",
                                              end_offset_of(0)));
  if (high_watermark < log_end_offset) return {.verdict = Verdict::retry};
  std::size_t written = 0;
  while (written < doubtful_ && end_offset_of(written + 1) <= log_end_offset) ++written;
  if (end_offset_of(written) != log_end_offset)
    throw_differs(log_end_offset, "where no batch of this restore ends");
  if (written > 0 && batch_at(log_end_offset - 1) != stamp_of_sent(unacknowledged_[written - 1]))
    throw_differs(log_end_offset, "behind a batch that this run did not write");
  Answer result;
  for (; written > 0; --written) acknowledge_oldest(result);
  doubtful_ = 0;
  in_doubt_ = acknowledged_ = false;
  return result;
}

void PartitionProducer::acknowledge_oldest(Answer& answer) {
  const auto& batch = unacknowledged_.front().batch;
  answer.records += static_cast<std::uint64_t>(batch.record_count);
  answer.bytes += batch.bytes.size();
  unacknowledged_.pop_front();
}

std::int64_t PartitionProducer::end_offset_of(std::size_t unacknowledged) const {
  return unacknowledged < unacknowledged_.size() ? unacknowledged_[unacknowledged].expected_offset
                                                 : next_offset_;
}

BatchStamp PartitionProducer::stamp_of_sent(const OutgoingBatch& sent) {
  auto stamp = stamp_of(kafka::RecordBatch::whole({sent.batch.bytes.data(), sent.batch.bytes.size()}));
  stamp.base_offset = sent.expected_offset;
  return stamp;
}

void PartitionProducer::throw_differs(std::int64_t log_end_offset, const std::string& how) const {
  throw TargetLogDiffers(
      fmt::format("{} ends at offset {}, {}", name_of(target_), log_end_offset, how),
      "run the restore again: it goes on where the log ends, or tells who else writes to the topic");
}

}  // namespace kb::engine
