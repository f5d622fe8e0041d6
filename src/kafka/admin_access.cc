#include "kafka/admin_access.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kafka/messages_access.h"
#include "kafka/rounds.h"

namespace kb::kafka {
namespace {

template <class E, std::size_t N>
std::string word_of(const std::array<std::pair<E, std::string_view>, N>& words, E value) {
  const auto found = std::ranges::find(words, value, [](const auto& entry) { return entry.first; });
  return found == words.end() ? fmt::format("UNKNOWN({})", static_cast<int>(value))
                              : std::string(found->second);
}

std::string word(AclResource value) {
  using enum AclResource;
  static constexpr std::array<std::pair<AclResource, std::string_view>, 6> words{
      {{topic, "TOPIC"},
       {group, "GROUP"},
       {cluster, "CLUSTER"},
       {transactional_id, "TRANSACTIONAL_ID"},
       {delegation_token, "DELEGATION_TOKEN"},
       {user, "USER"}}};
  return word_of(words, value);
}

std::string word(AclPattern value) {
  using enum AclPattern;
  static constexpr std::array<std::pair<AclPattern, std::string_view>, 2> words{
      {{literal, "LITERAL"}, {prefixed, "PREFIXED"}}};
  return word_of(words, value);
}

std::string word(AclPermission value) {
  using enum AclPermission;
  static constexpr std::array<std::pair<AclPermission, std::string_view>, 2> words{
      {{deny, "DENY"}, {allow, "ALLOW"}}};
  return word_of(words, value);
}

std::string word(AclOperation value) {
  using enum AclOperation;
  static constexpr std::array<std::pair<AclOperation, std::string_view>, 14> words{
      {{all, "ALL"},
       {read, "READ"},
       {write, "WRITE"},
       {create, "CREATE"},
       {remove, "DELETE"},
       {alter, "ALTER"},
       {describe, "DESCRIBE"},
       {cluster_action, "CLUSTER_ACTION"},
       {describe_configs, "DESCRIBE_CONFIGS"},
       {alter_configs, "ALTER_CONFIGS"},
       {idempotent_write, "IDEMPOTENT_WRITE"},
       {create_tokens, "CREATE_TOKENS"},
       {describe_tokens, "DESCRIBE_TOKENS"},
       {two_phase_commit, "TWO_PHASE_COMMIT"}}};
  return word_of(words, value);
}

// Asks until an answer has no error that another attempt may heal.
template <class Request>
typename Request::Response ask(const Context& ctx, Cluster& cluster, const std::string& what,
                               const Request& request) {
  typename Request::Response response;
  Rounds rounds(cluster.settings().retry, "describing");
  do {
    response = cluster.call_any(ctx, request).message;
    if (response.error_code == ErrorCode::security_disabled) break;
    rounds.done(what, response.error_code, response.error_message.value_or(""));
  } while (rounds.again(ctx));
  return response;
}

constexpr DescribeAclsRequest every_acl() {
  return {.resource_type_filter = AclResource::any,
          .resource_name_filter = {},
          .pattern_type_filter = AclPattern::any,
          .principal_filter = {},
          .host_filter = {},
          .operation = AclOperation::any,
          .permission_type = AclPermission::any};
}

}  // namespace

std::vector<Acl> list_acls(const Context& ctx, Cluster& cluster) {
  std::vector<Acl> acls;
  for (const auto& resource : ask(ctx, cluster, "the ACLs", every_acl()).resources)
    for (const auto& acl : resource.acls)
      acls.push_back({.resource_type = word(resource.resource_type),
                      .resource_name = resource.resource_name,
                      .pattern_type = word(resource.pattern_type),
                      .principal = acl.principal,
                      .host = acl.host,
                      .operation = word(acl.operation),
                      .permission = word(acl.permission_type)});
  return acls;
}

std::vector<ClientQuota> list_client_quotas(const Context& ctx, Cluster& cluster) {
  const auto response = ask(ctx, cluster, "the client quotas", DescribeClientQuotasRequest{});
  std::vector<ClientQuota> quotas;
  if (!response.entries) return quotas;
  for (const auto& entry : *response.entries) {
    auto& quota = quotas.emplace_back();
    for (const auto& entity : entry.entity) quota.entity.push_back({entity.entity_type, entity.entity_name});
    for (const auto& value : entry.values) quota.values[value.key] = value.value;
  }
  return quotas;
}

std::optional<bool> sees_every_group(const Context& ctx, Cluster& cluster) {
  const auto response =
      ask(ctx, cluster, "the cluster", DescribeClusterRequest{.include_cluster_authorized_operations = true});
  const auto operations = response.cluster_authorized_operations;
  if (operations == no_authorized_operations) return std::nullopt;
  return ((static_cast<std::uint32_t>(operations) >> static_cast<int>(AclOperation::describe)) & 1U) != 0;
}

}  // namespace kb::kafka
