// Which batches of a fetch answer a read_committed consumer may see.
//
// Source: KIP-98 ("Reading transactional messages"): the answer lists the aborted transactions that overlap
// it; one begins at first_offset and ends at the abort marker of its producer. Fetch must have been asked
// with isolation level read_committed, so that it ends at the last stable offset.
#pragma once
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "kafka/record_batch.h"

namespace kb::kafka {

// What a control batch says; `other` are markers of brokers among themselves and versions to come.
enum class ControlType { abort, commit, other };
// The batch must be a control batch. Throws Error corrupt when it holds no readable marker.
ControlType control_type(const RecordBatch& batch);

struct AbortedTransaction {
  std::int64_t producer_id;
  std::int64_t first_offset;
};

enum class BatchFate {
  keep,
  aborted,  // records of an aborted transaction
  control,  // a marker: no consumer sees it, it occupies one offset
};

// Belongs to one thread; made anew for each partition of each answer, whose batches it is asked about in
// order.
class AbortedTransactions {
 public:
  // In any order.
  explicit AbortedTransactions(std::vector<AbortedTransaction> aborted);
  BatchFate fate(const RecordBatch& batch);

 private:
  std::vector<AbortedTransaction> waiting_;          // by first_offset, the next one last
  std::unordered_set<std::int64_t> open_producers_;  // inside an aborted transaction
};

}  // namespace kb::kafka
