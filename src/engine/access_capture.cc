#include "engine/access_capture.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"

namespace kb::engine {
namespace {

void require_few(std::size_t count, std::string_view what) {
  if (count > captured_entries_max)
    fail(ErrorKind::invalid, "the cluster has {} {}, more than the {} that are captured", count, what,
         captured_entries_max);
}

archive::CapturedAcl as_captured(const kafka::Acl& acl) {
  return {.resource_type = acl.resource_type,
          .resource_name = acl.resource_name,
          .pattern_type = acl.pattern_type,
          .principal = acl.principal,
          .host = acl.host,
          .operation = acl.operation,
          .permission = acl.permission};
}

auto order_of(const archive::CapturedAcl& acl) {
  return std::tie(acl.resource_type, acl.resource_name, acl.pattern_type, acl.principal, acl.host,
                  acl.operation, acl.permission);
}

archive::CapturedQuota as_captured(const kafka::ClientQuota& quota) {
  archive::CapturedQuota captured{.entity = {}, .values = quota.values};
  for (const auto& entity : quota.entity) captured.entity.push_back({entity.type, entity.name});
  return captured;
}

}  // namespace

bool concerns(const kafka::Acl& acl, const std::vector<std::string>& topics) {
  if (acl.resource_type != "TOPIC") return true;
  if (acl.pattern_type == "LITERAL")
    return acl.resource_name == "*" || std::ranges::find(topics, acl.resource_name) != topics.end();
  return std::ranges::any_of(topics,
                             [&](const std::string& topic) { return topic.starts_with(acl.resource_name); });
}

archive::CapturedAcls capture_acls(const Context& ctx, kafka::Cluster& cluster,
                                   const std::vector<std::string>& topics) {
  archive::CapturedAcls captured{.captured = true};
  try {
    for (const auto& acl : kafka::list_acls(ctx, cluster))
      if (concerns(acl, topics)) captured.entries.push_back(as_captured(acl));
    require_few(captured.entries.size(), "ACLs");
  } catch (const Error& error) {
    ctx.check();
    LOG_INFO("ACLs are not captured: {}", error.what());
    return {.not_captured = error.what()};
  }
  std::ranges::sort(captured.entries, {}, order_of);
  return captured;
}

archive::CapturedQuotas capture_client_quotas(const Context& ctx, kafka::Cluster& cluster) {
  archive::CapturedQuotas captured{.captured = true};
  try {
    for (const auto& quota : kafka::list_client_quotas(ctx, cluster))
      captured.entries.push_back(as_captured(quota));
    require_few(captured.entries.size(), "client quotas");
    std::ranges::sort(captured.entries, {}, &archive::CapturedQuota::entity);
  } catch (const Error& error) {
    ctx.check();
    LOG_INFO("client quotas are not captured: {}", error.what());
    return {.not_captured = error.what()};
  }
  return captured;
}

}  // namespace kb::engine
