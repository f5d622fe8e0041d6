#include "engine/group_capture.h"

#include <chrono>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "kafka/admin.h"
#include "kafka/admin_access.h"

namespace kb::engine {
namespace {

// One coordinator that is away must not cost the patience of every group it has.
constexpr auto patience_after_a_failure = std::chrono::seconds(5);

constexpr std::string_view only_some =
    "the principal may not describe the cluster, so brokers list only the groups that it may describe";

class Groups {
 public:
  Groups(kafka::Cluster& cluster, const std::vector<std::string>& topics, bool failure_is_error)
      : cluster_(cluster), topics_(topics.begin(), topics.end()), failure_is_error_(failure_is_error) {}

  bool failure_is_error() const { return failure_is_error_; }
  // Patience was spent already.
  void hurry() { impatient_ = true; }

  archive::CapturedGroup capture(const Context& ctx, const kafka::GroupListing& listing) {
    archive::CapturedGroup group{.group_id = listing.group_id,
                                 .protocol_type = listing.protocol_type,
                                 .type = listing.type,
                                 .state = listing.state};
    try {
      add_offsets(impatient_ ? ctx.with_timeout(patience_after_a_failure) : ctx, group);
    } catch (const Error& error) {
      ctx.check();
      if (failure_is_error_) throw;
      impatient_ |= error.retryable();
      LOG_WARN("committed offsets of group {} are not captured: {}", listing.group_id, error.what());
      group.not_captured = error.what();
    }
    return group;
  }

 private:
  void add_offsets(const Context& ctx, archive::CapturedGroup& group) {
    for (const auto& [tp, committed] : kafka::committed_offsets(ctx, cluster_, group.group_id))
      if (topics_.contains(tp.topic))
        group.offsets.push_back({.topic = tp.topic,
                                 .partition = tp.partition,
                                 .offset = committed.offset,
                                 .leader_epoch = committed.leader_epoch,
                                 .metadata = committed.metadata});
  }

  kafka::Cluster& cluster_;
  const std::set<std::string> topics_;
  const bool failure_is_error_;
  bool impatient_ = false;
};

// Brokers that cannot tell are old, or busy; the listing itself says then what there is to say.
bool lists_only_some(const Context& ctx, kafka::Cluster& cluster) {
  try {
    return kafka::sees_every_group(ctx, cluster) == false;
  } catch (const Error& error) {
    ctx.check();
    LOG_DEBUG("whether every group is listed is not known: {}", error.what());
    return false;
  }
}

// Why groups may be missing although they were listed; throws when that is no capture.
std::string why_some_may_be_missing(const Context& ctx, kafka::Cluster& cluster,
                                    const kafka::ListedGroups& listed, bool failure_is_error) {
  const auto& doubt = listed.doubt;
  // What may not be known is not a failure: nothing shows that a group is missing.
  if (doubt && doubt->passing && (failure_is_error || listed.groups.empty()))
    throw Error(ErrorKind::unavailable, doubt->reason,
                "start the broker that has the partition, or wait until its leaders rest");
  if (!lists_only_some(ctx, cluster)) return doubt ? doubt->reason : "";
  // Nothing at all may be all there is, or all that may be seen.
  if (listed.groups.empty())
    throw Error(ErrorKind::denied, std::string(only_some) + ", and that is none",
                "grant the principal Describe on the cluster, or on the groups");
  return doubt ? fmt::format("{}; {}", only_some, doubt->reason) : std::string(only_some);
}

archive::CapturedGroups capture_listed(const Context& ctx, kafka::Cluster& cluster, Groups groups) {
  const auto listed = kafka::list_groups(ctx, cluster);
  archive::CapturedGroups captured{
      .captured = true,
      .not_captured = why_some_may_be_missing(ctx, cluster, listed, groups.failure_is_error())};
  if (listed.doubt && listed.doubt->passing) groups.hurry();
  for (const auto& listing : listed.groups) {
    auto group = groups.capture(ctx, listing);
    if (!group.offsets.empty() || !group.not_captured.empty()) captured.groups.push_back(std::move(group));
  }
  return captured;
}

}  // namespace

archive::CapturedGroups capture_groups(const Context& ctx, kafka::Cluster& cluster,
                                       const std::vector<std::string>& topics, std::optional<bool> wanted) {
  if (wanted == false) return {.not_captured = "spec.consumerGroupSnapshot is false"};
  const bool failure_is_error = wanted == true;
  try {
    return capture_listed(ctx, cluster, Groups(cluster, topics, failure_is_error));
  } catch (const Error& error) {
    ctx.check();
    if (failure_is_error) throw error.while_doing("spec.consumerGroupSnapshot: capturing consumer groups");
    LOG_WARN("consumer groups are not captured: {}", error.what());
    return {.not_captured = error.what()};
  }
}

}  // namespace kb::engine
