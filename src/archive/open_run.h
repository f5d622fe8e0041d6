// Runs that are begun before it is known where they end: a continuous backup stores and checkpoints what
// comes, and the run's plan is written when it is closed, from what its checkpoints list. From then on it is
// a run like any other, with everything stored (docs/archive-format.md, "Open runs").
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "archive/run.h"

namespace kb::archive {

// Begins one: `opening` is its plan but for the ends, which are where it reads from. The base must be pinned.
// Nothing when the id is taken: choose another one.
std::optional<ShardWriter> open_run(const Context& ctx, const Archive& archive, const Plan& opening);

// What a run was opened with; empty when it is none of these.
std::optional<Plan> opening_of(const Context& ctx, const Archive& archive, const std::string& backup_id);

// What the cluster says when a run is closed, newer than what it was opened with.
struct ClosingFacts {
  std::int64_t captured_at_ms = 0;
  CapturedGroups groups;
  std::vector<CapturedTopic> topics;  // configs and replication factors; the rest is not looked at
  std::vector<HeldBack> held_back;
  std::optional<CapturedAcls> acls;
  std::optional<CapturedQuotas> client_quotas;
};

// The plan of a run with nothing left to do: each partition ends where `stored` ends. Pure.
Plan closed_plan(const Plan& opening, const Index& stored, const std::optional<ClosingFacts>& facts);

// Closes the run of another worker, which cannot add to it afterwards, and gives its plan; nothing when it
// has stored nothing. Can be repeated, and by several at once.
std::optional<Plan> close_run(const Context& ctx, const Archive& archive, const Plan& opening);

}  // namespace kb::archive
