// The target's log as the checkpoint of a restore: how many records of the plan each partition holds already,
// behind a fence that keeps an earlier run from adding more.
//
// Each run of a restore writes with a higher epoch of one producer, and a producer's sequence numbers begin
// at 0 in each epoch. So the last batch of an epoch tells how many records that epoch wrote (base_sequence +
// record_count), and between epochs there are only the markers of fences. Source: KIP-98, KIP-360.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/restore_target.h"
#include "kafka/admin.h"
#include "storage/object_store.h"

namespace kb::engine {

struct Position {
  std::uint64_t records = 0;    // of the plan that are in the log
  std::int64_t end_offset = 0;  // where the next one goes
};

enum class ForeignData { refuse, append };

// For every partition of the shard in topics that were there before this run. Fences, reads the ends of the
// logs and compares the last record with the plan's. Throws conflict, naming partition and offset, for data
// that this restore did not write (but with `append` that stands before what it wrote) or that is not what
// the plan has there; nothing is fenced, and nothing changed, as long as a partition holds foreign data that
// is refused.
std::map<kafka::TopicPartition, Position> find_positions(const Context& ctx, kafka::Cluster& cluster,
                                                         storage::ObjectStore& store, const RestorePlan& plan,
                                                         const std::vector<TargetState>& target, int shard,
                                                         const kafka::ProducerSession& session,
                                                         ForeignData foreign);

// A topic that was there before the restore is either free of other records or left alone by every shard:
// throws conflict when partitions of a topic that the shard writes to hold anything but the beginning of what
// the plan has for them. A topic under load settings is this restore's own. Changes nothing, and needs no
// producer session: with append, a restore that has had one is taken for begun.
void refuse_foreign_topics(const Context& ctx, kafka::Cluster& cluster, storage::ObjectStore& store,
                           const RestorePlan& plan, const std::vector<TargetState>& target, int shard);

struct Completeness {
  std::uint64_t records = 0;  // of the plan that are in the logs
  std::string lacking;        // which partition lacks what first, for people; empty when nothing is lacking
};

// Whether every target partition ends with all that the plan has for it. Changes nothing, and fences nobody:
// shards may still be writing, and asking too early must not stop them. No fence is needed either: whoever
// went on with a partition fenced its earlier writers before, and nobody writes behind its last planned
// record. Who wrote a partition is taken from its last batch, so any division into shards will do. Throws
// conflict as find_positions().
Completeness check_complete(const Context& ctx, kafka::Cluster& cluster, storage::ObjectStore& store,
                            const RestorePlan& plan, const std::vector<TargetState>& target,
                            ForeignData foreign);

}  // namespace kb::engine
