// One target partition while it is written: what is ready, what is on its way, what is acknowledged. Decides
// what an answer means; knows nothing of connections.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "engine/source_reader.h"
#include "kafka/admin.h"
#include "kafka/messages_produce.h"

namespace kb::engine {

// A log is not what the answers of its brokers have told, as after an unclean leader election that cut it:
// unavailable, as whoever reads it again can go on where it ends.
class TargetLogDiffers : public Error {
 public:
  TargetLogDiffers(const std::string& what, const std::string& hint)
      : Error(ErrorKind::unavailable, what, hint) {}
};

// A batch with its place in the target's log and in the producer's sequence.
struct OutgoingBatch {
  kafka::OutputBatch batch;
  std::int64_t expected_offset = 0;
};

// What a log says of a batch, and what we know of it.
struct BatchStamp {
  std::int64_t base_offset = 0, producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1, record_count = 0;
  bool operator==(const BatchStamp&) const = default;
};
BatchStamp stamp_of(const kafka::RecordBatch& batch);

// What is sent again without a look at the log may be there twice afterwards. Brokers know a batch again only
// as long as they remember its producer, and they measure that by the timestamps of its records: with those
// of last week it is forgotten after minutes (producer.id.expiration.check.interval.ms), and when a broker
// was killed at once. So after every failure, and when another broker leads, the end of the log says what has
// been written. Only what a broker has yet to read from a connection that we have left can come after that;
// such a broker has not been killed since, and what it remembers keeps that out.
//
// Owned by one thread at a time.
class PartitionProducer {
 public:
  // Records from `position` on go to offsets from `end_offset` on.
  PartitionProducer(kafka::TopicPartition target, SourceReader reader, const kafka::ProducerSession& session,
                    std::int64_t end_offset);

  const kafka::TopicPartition& target() const { return target_; }
  SourceReader& reader() { return reader_; }
  bool done() { return !peek() && reader_.finished() && unacknowledged_.empty(); }
  // The next batch to send, stamped; null when reader() has to read first or nothing is left.
  const OutgoingBatch* peek();
  // Whether it could send if only reader() read on.
  bool hungry() { return may_send() && !peek() && !reader_.finished(); }
  void sent() { ++in_flight_; }
  std::size_t in_flight() const { return in_flight_; }
  // Behind the last record that was handed out.
  std::int64_t end_offset() const { return next_offset_; }
  // Whether it has batches in memory; it can send them without reading anything.
  bool holds_any() { return !unacknowledged_.empty() || peek(); }
  std::size_t bytes_in_flight() const;

  enum class Verdict { acknowledged, retry };
  struct Answer {
    Verdict verdict = Verdict::acknowledged;
    kafka::ErrorCode code = kafka::ErrorCode::none;
    std::uint64_t records = 0, bytes = 0;  // acknowledged
  };
  // The answer to the oldest batch on its way. After a retry it and those sent behind it are in doubt, and
  // the answers to these must not be told. Throws conflict when another producer writes to the partition,
  // invalid when the target refuses the records, and TargetLogDiffers.
  Answer answered(const kafka::ProduceResponse::Partition& answer);
  // Nothing on its way will be answered: it is in doubt.
  void answers_lost();
  // To be told before something is sent. Another leader may have another log.
  void led_in(std::int32_t leader_epoch);
  // Whether it sends nothing before log_end_is() has told what is written already.
  bool in_doubt() const { return in_doubt_; }
  // The batch that holds an offset of the log, all of which is below the high watermark.
  using BatchAt = std::function<BatchStamp(std::int64_t offset)>;
  // To be asked of the leader when nothing is on its way any more. A retry as long as replicas lack a part of
  // the log. Throws TargetLogDiffers; what `batch_at` throws changes nothing.
  Answer log_end_is(std::int64_t log_end_offset, std::int64_t high_watermark, const BatchAt& batch_at);

  FailureRow failures;             // of whoever sends
  Clock::time_point not_before{};  // it rests until then
  // Why nothing may be written: the target has settings that are right only for what is finished.
  std::string only_if_finished;

 private:
  // A broker that knows nothing of a producer takes any sequence number. So the first batch, ever or after
  // doubts, goes alone: were it refused for the moment and the second one not, the first could never be sent
  // again.
  bool may_send() const { return !in_doubt_ && (acknowledged_ || in_flight_ == 0); }
  void acknowledge_oldest(Answer& answer);
  // Behind so many of the unacknowledged.
  std::int64_t end_offset_of(std::size_t unacknowledged) const;
  static BatchStamp stamp_of_sent(const OutgoingBatch& sent);
  [[noreturn]] void throw_differs(std::int64_t log_end_offset, const std::string& how) const;

  const kafka::TopicPartition target_;
  SourceReader reader_;
  const kafka::ProducerSession session_;
  std::int64_t next_offset_;
  std::int32_t next_sequence_ = 0;
  std::deque<OutgoingBatch> unacknowledged_;  // in order; the first in_flight_ or doubtful_ have been sent
  std::size_t in_flight_ = 0, doubtful_ = 0;
  std::optional<std::int32_t> leader_epoch_;  // in which it sent last
  bool in_doubt_ = false;
  bool acknowledged_ = false;  // any batch since there were doubts
};

}  // namespace kb::engine
