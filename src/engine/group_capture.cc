#include "engine/group_capture.h"

#include <set>

#include "base/error.h"
#include "base/log.h"
#include "kafka/admin.h"

namespace kb::engine {
namespace {

archive::CapturedGroup capture_group(const Context& ctx, kafka::Cluster& cluster,
                                     const kafka::GroupListing& listing, const std::set<std::string>& topics,
                                     bool failure_is_error) {
  archive::CapturedGroup group{
      .group_id = listing.group_id, .protocol_type = listing.protocol_type, .state = listing.state};
  try {
    for (const auto& [tp, committed] : kafka::committed_offsets(ctx, cluster, listing.group_id))
      if (topics.contains(tp.topic))
        group.offsets.push_back({.topic = tp.topic,
                                 .partition = tp.partition,
                                 .offset = committed.offset,
                                 .leader_epoch = committed.leader_epoch,
                                 .metadata = committed.metadata});
  } catch (const Error& error) {
    ctx.check();
    if (failure_is_error) throw;
    LOG_WARN("committed offsets of group {} are not captured: {}", listing.group_id, error.what());
    group.not_captured = error.what();
  }
  return group;
}

}  // namespace

archive::CapturedGroups capture_groups(const Context& ctx, kafka::Cluster& cluster,
                                       const std::vector<std::string>& topics, std::optional<bool> wanted) {
  if (wanted == false) return {.not_captured = "spec.consumerGroupSnapshot is false"};
  const bool failure_is_error = wanted == true;
  const std::set<std::string> chosen(topics.begin(), topics.end());
  archive::CapturedGroups captured{.captured = true};
  try {
    for (const auto& listing : kafka::list_groups(ctx, cluster)) {
      auto group = capture_group(ctx, cluster, listing, chosen, failure_is_error);
      if (!group.offsets.empty() || !group.not_captured.empty()) captured.groups.push_back(std::move(group));
    }
  } catch (const Error& error) {
    ctx.check();
    if (failure_is_error) throw;
    LOG_WARN("consumer groups are not captured: {}", error.what());
    return {.not_captured = error.what()};
  }
  return captured;
}

}  // namespace kb::engine
