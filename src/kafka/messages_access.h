// Messages about who may do what, and how much of it: DescribeCluster (KIP-700), DescribeAcls (KIP-140,
// KIP-290), DescribeClientQuotas (KIP-546). Fields, defaults and versions: as in messages_cluster.h.
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"
#include "kafka/messages_cluster.h"

namespace kb::kafka {

struct DescribeClusterResponse;
struct DescribeClusterRequest {
  static constexpr ApiSpec api{
      .name = "DescribeCluster", .key = 60, .min_version = 0, .max_version = 0, .flexible_from = 0};
  using Response = DescribeClusterResponse;
  bool include_cluster_authorized_operations = false;

  void fields(auto& f) { f(include_cluster_authorized_operations); }
};

struct DescribeClusterResponse {
  static constexpr ApiSpec api = DescribeClusterRequest::api;
  struct Broker {
    int32_t broker_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
    void fields(auto& f) {
      f(broker_id);
      f(host);
      f(port);
      f(rack, since(0), since(0));
    }
  };
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};
  std::optional<std::string> error_message;
  std::string cluster_id;
  int32_t controller_id = -1;
  std::vector<Broker> brokers;
  int32_t cluster_authorized_operations = no_authorized_operations;  // a bit for each AclOperation

  void fields(auto& f) {
    f(throttle_time_ms);
    f(error_code);
    f(error_message, since(0), since(0));
    f(cluster_id);
    f(controller_id);
    f(brokers);
    f(cluster_authorized_operations);
  }
};

// Of all of these other values can arrive. Source: the enums of the same names in package
// org.apache.kafka.common.acl and org.apache.kafka.common.resource.
enum class AclResource : int8_t {
  any = 1,
  topic = 2,
  group = 3,
  cluster = 4,
  transactional_id = 5,
  delegation_token = 6,
  user = 7
};
enum class AclPattern : int8_t { any = 1, literal = 3, prefixed = 4 };
enum class AclOperation : int8_t {
  any = 1,
  all = 2,
  read = 3,
  write = 4,
  create = 5,
  remove = 6,
  alter = 7,
  describe = 8,
  cluster_action = 9,
  describe_configs = 10,
  alter_configs = 11,
  idempotent_write = 12,
  create_tokens = 13,
  describe_tokens = 14,
  two_phase_commit = 15
};
enum class AclPermission : int8_t { any = 1, deny = 2, allow = 3 };

struct DescribeAclsResponse;
struct DescribeAclsRequest {
  static constexpr ApiSpec api{
      .name = "DescribeAcls", .key = 29, .min_version = 1, .max_version = 3, .flexible_from = 2};
  using Response = DescribeAclsResponse;
  AclResource resource_type_filter{};
  std::optional<std::string> resource_name_filter = "";  // null: any
  AclPattern pattern_type_filter = AclPattern::literal;
  std::optional<std::string> principal_filter = "", host_filter = "";  // null: any
  AclOperation operation{};
  AclPermission permission_type{};

  void fields(auto& f) {
    f(resource_type_filter);
    f(resource_name_filter);
    f(pattern_type_filter, since(1));
    f(principal_filter);
    f(host_filter);
    f(operation);
    f(permission_type);
  }
};

struct DescribeAclsResponse {
  static constexpr ApiSpec api = DescribeAclsRequest::api;
  struct Acl {
    std::string principal, host;
    AclOperation operation{};
    AclPermission permission_type{};
    void fields(auto& f) {
      f(principal);
      f(host);
      f(operation);
      f(permission_type);
    }
  };
  struct Resource {
    AclResource resource_type{};
    std::string resource_name;
    AclPattern pattern_type = AclPattern::literal;
    std::vector<Acl> acls;
    void fields(auto& f) {
      f(resource_type);
      f(resource_name);
      f(pattern_type, since(1));
      f(acls);
    }
  };
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};
  std::optional<std::string> error_message = "";
  std::vector<Resource> resources;

  void fields(auto& f) {
    f(throttle_time_ms);
    f(error_code);
    f(error_message);
    f(resources);
  }
};

struct DescribeClientQuotasResponse;
struct DescribeClientQuotasRequest {
  static constexpr ApiSpec api{
      .name = "DescribeClientQuotas", .key = 48, .min_version = 0, .max_version = 1, .flexible_from = 1};
  using Response = DescribeClientQuotasResponse;
  struct Component {
    std::string entity_type;
    int8_t match_type = 0;
    std::optional<std::string> match = "";
    void fields(auto& f) {
      f(entity_type);
      f(match_type);
      f(match);
    }
  };
  std::vector<Component> components;  // none, and not strict: every quota
  bool strict = false;

  void fields(auto& f) {
    f(components);
    f(strict);
  }
};

struct DescribeClientQuotasResponse {
  static constexpr ApiSpec api = DescribeClientQuotasRequest::api;
  struct Entity {
    std::string entity_type;
    std::optional<std::string> entity_name = "";  // null: the default of its type
    void fields(auto& f) {
      f(entity_type);
      f(entity_name);
    }
  };
  struct Value {
    std::string key;
    double value = 0;
    void fields(auto& f) {
      f(key);
      f(value);
    }
  };
  struct Entry {
    std::vector<Entity> entity;
    std::vector<Value> values;
    void fields(auto& f) {
      f(entity);
      f(values);
    }
  };
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};
  std::optional<std::string> error_message = "";
  std::optional<std::vector<Entry>> entries = std::vector<Entry>{};

  void fields(auto& f) {
    f(throttle_time_ms);
    f(error_code);
    f(error_message);
    f(entries);
  }
};

}  // namespace kb::kafka
