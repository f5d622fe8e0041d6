// What open transactions keep from being captured: a set ends at the last stable offset, and one transaction
// that nobody ends holds it back for ever.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/set.h"
#include "engine/progress_counters.h"
#include "kafka/cluster.h"
#include "kafka/open_transactions.h"

namespace kb::engine {

// A transaction is said to hang when its producer's last record is older than this, or when the base set was
// held back by it and is older: brokers end those of clients that keep the default transaction.timeout.ms
// (one minute) long before.
constexpr std::int64_t hanging_after_ms = 5 * 60 * 1000;

struct Held {
  std::int64_t last_stable_offset = 0;
  std::int64_t high_watermark = 0;  // asked for before the other, so never more than it was then
};

// Asks the leaders whose transactions those are. What they do not tell stays unknown and is no error.
std::vector<archive::HeldBack> held_back(const Context& ctx, kafka::Cluster& cluster,
                                         const std::map<kafka::TopicPartition, Held>& partitions,
                                         const archive::Capture* base, std::int64_t now_ms);

// The pure part of it.
archive::HeldBack judge(const kafka::TopicPartition& partition, const Held& held,
                        const std::optional<kafka::OpenTransaction>& open, const archive::Capture* base,
                        std::int64_t now_ms);

// "orders/3: a transaction of producer 4711, ..., keeps 312 offsets from offset 100 on out of this backup".
std::string to_string(const archive::HeldBack& held, std::int64_t captured_at_ms);
// One line for each transaction that hangs; the last one says how many were left out.
std::vector<std::string> hanging_warnings(const archive::Capture& capture);
std::uint64_t held_back_offsets(const archive::Capture& capture);
std::uint64_t hanging_transactions(const archive::Capture& capture);

}  // namespace kb::engine
