// What stands at the target, and whether the plan may be carried out there.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/kafka_restore.h"
#include "base/error.h"
#include "engine/restore_plan.h"
#include "kafka/admin.h"

namespace kb::engine {

enum class TargetAction {
  create,    // it does not exist
  load,      // an earlier run of this restore created it: it goes on
  existing,  // it exists; its settings stay
  finished,  // it has records and its final settings, as an earlier run of this restore leaves it
};

// One topic of the plan at the target.
struct TargetState {
  TargetAction action = TargetAction::create;
  std::int32_t partitions = 0;                     // that exist
  std::map<std::int32_t, std::int64_t> log_start;  // by partition
  std::map<std::int32_t, std::int64_t> log_end;    // high watermarks
  kafka::TopicConfig config;                       // of an existing one
  std::string only_if_finished;                    // what speaks against writing more; set by unfit()
  bool has_records() const;
};

std::vector<TargetState> inspect_target(const Context& ctx, kafka::Cluster& cluster, const RestorePlan& plan);

// All reasons why the plan cannot be carried out, as one Error: topics that are missing, too few partitions,
// settings that would change or delete records. What speaks against writing more to a topic that may be
// finished is left in its state. Data that is there is judged by find_positions(). Pure.
std::optional<Error> unfit(const api::KafkaRestoreSpec& spec, const RestorePlan& plan,
                           std::vector<TargetState>& target, std::int64_t now_ms);

// Creates what is missing of the shard's topics, under load settings. False when somebody else was faster
// with one of them, as another shard may be: then look at the target again, since some may have been created.
bool create_missing(const Context& ctx, kafka::Cluster& cluster, const RestorePlan& plan, int shard,
                    std::vector<TargetState>& target);
// Gives the topics that this restore created their final settings, but for a retention that is held. Returns
// what was held, with the command that releases it.
std::vector<std::string> finish_configs(const Context& ctx, kafka::Cluster& cluster, const RestorePlan& plan,
                                        const std::vector<TargetState>& target, std::int64_t now_ms);

}  // namespace kb::engine
