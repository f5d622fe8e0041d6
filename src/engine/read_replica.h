// From which replica of a partition is read (KIP-392): its leader, or the one that the leader prefers for the
// rack we are in.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/context.h"
#include "kafka/messages_fetch.h"

namespace kb::engine {

// Of one partition. Pure; time is a parameter. A choice holds for `holds_for`, then the leader is asked anew.
class ReadReplica {
 public:
  using Answer = kafka::FetchResponse::Partition;
  static constexpr Duration holds_for = std::chrono::minutes(5);  // as metadata.max.age.ms of clients
  // So long a replica may give nothing. As long as it is in sync it knows within a second what the leader
  // has.
  static constexpr Duration patience = std::chrono::seconds(10);

  // The broker to read from; nothing: the leader.
  std::optional<std::int32_t> node_id(Clock::time_point now) const {
    return node_id_ && holds(now) ? node_id_ : std::nullopt;
  }
  // Whether that broker is read in the place of the leader.
  bool is(std::int32_t node_id) const { return node_id_ == node_id; }
  // Whether a request may name our rack: the leader tells then whom it prefers instead of giving records.
  bool may_change(Clock::time_point now) const { return !holds(now); }

  // Whether this is a replica's refusal, and not the leader's. It may only be behind or unaware, so it proves
  // nothing of the log: the leader is read next. An epoch that is another one is left to the caller.
  bool refused(std::int32_t node_id, const Answer& answer, Clock::time_point now);
  // After an answer without error; `moved_at` is when the last records came. `more_is_there`: the leader is
  // known to have more.
  void answered(std::int32_t node_id, const Answer& answer, Clock::time_point moved_at, bool more_is_there,
                Clock::time_point now);
  // The leader is read, whatever it prefers.
  void avoid(Clock::time_point now) { choose(std::nullopt, now); }

 private:
  bool holds(Clock::time_point now) const { return chosen_at_ && now - *chosen_at_ < holds_for; }
  void choose(std::optional<std::int32_t> node_id, Clock::time_point now) {
    node_id_ = node_id;
    chosen_at_ = now;
  }
  void forget() {
    node_id_.reset();
    chosen_at_.reset();
  }

  std::optional<std::int32_t> node_id_;  // nothing: the leader
  std::optional<Clock::time_point> chosen_at_;
};

}  // namespace kb::engine
