#include "kafka/aborted_transactions.h"

#include <algorithm>

#include "base/error.h"
#include "kafka/record.h"

namespace kb::kafka {
namespace {

constexpr std::size_t marker_bytes_max = 64 * 1024;
// The key of a marker: version int16, type int16 (ControlRecordType.java: 0 abort, 1 commit).
constexpr std::size_t marker_key_bytes = 4, marker_type_at = 2;

}  // namespace

ControlType control_type(const RecordBatch& batch) {
  CHECK(batch.is_control());
  std::string scratch;
  RecordReader reader(batch, inflate_records(batch, scratch, marker_bytes_max));
  RecordFrame frame;
  if (!reader.next(frame))
    fail(ErrorKind::corrupt, "the control batch at offset {} is empty", batch.base_offset());
  const auto key = parse_record(frame).key;
  if (!key || key->size() < marker_key_bytes)
    fail(ErrorKind::corrupt, "the control batch at offset {} has no type", batch.base_offset());
  switch (read_big_endian<std::int16_t>(key->data() + marker_type_at)) {
    case 0:
      return ControlType::abort;
    case 1:
      return ControlType::commit;
    default:
      return ControlType::other;
  }
}

AbortedTransactions::AbortedTransactions(std::vector<AbortedTransaction> aborted)
    : waiting_(std::move(aborted)) {
  std::ranges::sort(waiting_, std::ranges::greater{}, &AbortedTransaction::first_offset);
}

BatchFate AbortedTransactions::fate(const RecordBatch& batch) {
  for (; !waiting_.empty() && waiting_.back().first_offset <= batch.last_offset(); waiting_.pop_back())
    open_producers_.insert(waiting_.back().producer_id);
  if (batch.is_control()) {
    // A marker that compaction emptied still ends nothing: the broker keeps a marker with its record as long
    // as records of its transaction are there.
    if (batch.record_count() != 0 && control_type(batch) == ControlType::abort)
      open_producers_.erase(batch.producer_id());
    return BatchFate::control;
  }
  return batch.is_transactional() && open_producers_.contains(batch.producer_id()) ? BatchFate::aborted
                                                                                   : BatchFate::keep;
}

}  // namespace kb::kafka
