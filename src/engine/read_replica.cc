#include "engine/read_replica.h"

#include <algorithm>

namespace kb::engine {

bool ReadReplica::refused(std::int32_t node_id, const Answer& answer, Clock::time_point now) {
  using enum kafka::ErrorCode;
  const bool refuses = answer.error_code != none || answer.diverging_epoch.end_offset >= 0;
  if (!is(node_id) || !refuses) return false;
  if (answer.error_code == fenced_leader_epoch || answer.error_code == unknown_leader_epoch) {
    forget();
    return false;
  }
  avoid(now);
  return true;
}

void ReadReplica::answered(std::int32_t node_id, const Answer& answer, Clock::time_point moved_at,
                           bool more_is_there, Clock::time_point now) {
  const auto preferred = answer.preferred_read_replica;
  if (preferred >= 0 && preferred != node_id) return choose(preferred, now);
  if (!is(node_id) || now - std::max(moved_at, *chosen_at_) < patience) return;
  // Where nothing is known, the leader is asked: it prefers the same one again, or has news.
  if (more_is_there)
    avoid(now);
  else
    forget();
}

}  // namespace kb::engine
