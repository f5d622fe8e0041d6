// One target partition while it is written: what is ready, what is on its way, what is acknowledged. Decides
// what an answer means; knows nothing of connections.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "engine/source_reader.h"
#include "kafka/admin.h"
#include "kafka/messages_produce.h"

namespace kb::engine {

// A batch with its place in the target's log and in the producer's sequence.
struct OutgoingBatch {
  kafka::OutputBatch batch;
  std::int64_t expected_offset = 0;
};

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
  // The answer to the oldest batch on its way. After a retry those sent behind it are to be sent again, too,
  // and their answers must not be told. Throws conflict when another producer writes to the partition,
  // invalid when the target refuses the records.
  Answer answered(const kafka::ProduceResponse::Partition& answer);
  // Nothing on its way will be answered.
  void send_again() { in_flight_ = 0; }

  FailureRow failures;             // of whoever sends
  Clock::time_point not_before{};  // it rests until then
  // Why nothing may be written: the target has settings that are right only for what is finished.
  std::string only_if_finished;

 private:
  // A broker that knows nothing of a producer takes any sequence number. So the first batch goes alone: were
  // it refused for the moment and the second one not, the first could never be sent again.
  bool may_send() const { return acknowledged_ || in_flight_ == 0; }

  const kafka::TopicPartition target_;
  SourceReader reader_;
  const kafka::ProducerSession session_;
  std::int64_t next_offset_;
  std::int32_t next_sequence_ = 0;
  std::deque<OutgoingBatch> unacknowledged_;  // in order; the first in_flight_ are on their way
  std::size_t in_flight_ = 0;
  bool acknowledged_ = false;  // any batch yet
};

}  // namespace kb::engine
