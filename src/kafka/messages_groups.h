// Messages about consumer groups: ListGroups, DescribeGroups, OffsetFetch, OffsetCommit.
// Fields, defaults and versions: as in messages_cluster.h. OffsetFetch asks for one group at a time (until
// v7).
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"
#include "kafka/messages_cluster.h"

namespace kb::kafka {

struct ListGroupsResponse;
struct ListGroupsRequest {
  static constexpr ApiSpec api{
      .name = "ListGroups", .key = 16, .min_version = 0, .max_version = 5, .flexible_from = 3};
  using Response = ListGroupsResponse;
  std::vector<std::string> states_filter, types_filter;  // empty: all

  void fields(auto& f) {
    f(states_filter, since(4));
    f(types_filter, since(5));
  }
};

struct ListGroupsResponse {
  static constexpr ApiSpec api = ListGroupsRequest::api;
  struct Group {
    std::string group_id, protocol_type, group_state, group_type;
    void fields(auto& f) {
      f(group_id);
      f(protocol_type);
      f(group_state, since(4));
      f(group_type, since(5));
    }
  };
  int32_t throttle_time_ms = 0;
  ErrorCode error_code{};
  std::vector<Group> groups;  // of this broker only

  void fields(auto& f) {
    f(throttle_time_ms, since(1));
    f(error_code);
    f(groups);
  }
};

struct DescribeGroupsResponse;
struct DescribeGroupsRequest {
  static constexpr ApiSpec api{
      .name = "DescribeGroups", .key = 15, .min_version = 0, .max_version = 6, .flexible_from = 5};
  using Response = DescribeGroupsResponse;
  std::vector<std::string> groups;
  bool include_authorized_operations = false;

  void fields(auto& f) {
    f(groups);
    f(include_authorized_operations, since(3));
  }
};

struct DescribeGroupsResponse {
  static constexpr ApiSpec api = DescribeGroupsRequest::api;
  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string client_id, client_host;
    Bytes member_metadata, member_assignment;
    void fields(auto& f) {
      f(member_id);
      f(group_instance_id, since(4), since(4));
      f(client_id);
      f(client_host);
      f(member_metadata);
      f(member_assignment);
    }
  };
  struct Group {
    ErrorCode error_code{};
    std::optional<std::string> error_message;
    std::string group_id, group_state, protocol_type, protocol_data;
    std::vector<Member> members;
    int32_t authorized_operations = no_authorized_operations;
    void fields(auto& f) {
      f(error_code);
      f(error_message, since(6), since(6));
      f(group_id);
      f(group_state);
      f(protocol_type);
      f(protocol_data);
      f(members);
      f(authorized_operations, since(3));
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Group> groups;

  void fields(auto& f) {
    f(throttle_time_ms, since(1));
    f(groups);
  }
};

struct OffsetFetchResponse;
struct OffsetFetchRequest {
  static constexpr ApiSpec api{
      .name = "OffsetFetch", .key = 9, .min_version = 2, .max_version = 7, .flexible_from = 6};
  using Response = OffsetFetchResponse;
  struct Topic {
    std::string name;
    std::vector<int32_t> partition_indexes;
    void fields(auto& f) {
      f(name);
      f(partition_indexes);
    }
  };
  std::string group_id;
  std::optional<std::vector<Topic>> topics = std::vector<Topic>{};  // null: all
  bool require_stable = false;  // refuse while a transaction that commits offsets is open (KIP-447)

  void fields(auto& f) {
    f(group_id);
    f(topics, since(0), since(2));
    f(require_stable, since(7));
  }
};

struct OffsetFetchResponse {
  static constexpr ApiSpec api = OffsetFetchRequest::api;
  struct Partition {
    int32_t partition_index = 0;
    int64_t committed_offset = 0;  // -1: none
    int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata = "";
    ErrorCode error_code{};
    void fields(auto& f) {
      f(partition_index);
      f(committed_offset);
      f(committed_leader_epoch, since(5));
      f(metadata);
      f(error_code);
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(name);
      f(partitions);
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  ErrorCode error_code{};

  void fields(auto& f) {
    f(throttle_time_ms, since(3));
    f(topics);
    f(error_code, since(2));
  }
};

struct OffsetCommitResponse;
struct OffsetCommitRequest {
  static constexpr ApiSpec api{
      .name = "OffsetCommit", .key = 8, .min_version = 2, .max_version = 9, .flexible_from = 8};
  using Response = OffsetCommitResponse;
  struct Partition {
    int32_t partition_index = 0;
    int64_t committed_offset = 0;
    int32_t committed_leader_epoch = -1;
    std::optional<std::string> committed_metadata = "";
    void fields(auto& f) {
      f(partition_index);
      f(committed_offset);
      f(committed_leader_epoch, since(6));
      f(committed_metadata);
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(name);
      f(partitions);
    }
  };
  std::string group_id;
  int32_t generation_id_or_member_epoch = -1;  // -1 with no member id: from outside of the group
  std::string member_id;
  std::optional<std::string> group_instance_id;
  int64_t retention_time_ms = -1;  // -1: the broker's
  std::vector<Topic> topics;

  void fields(auto& f) {
    f(group_id);
    f(generation_id_or_member_epoch, since(1));
    f(member_id, since(1));
    f(group_instance_id, since(7), since(7));
    f(retention_time_ms, between(2, 4));
    f(topics);
  }
};

struct OffsetCommitResponse {
  static constexpr ApiSpec api = OffsetCommitRequest::api;
  struct Partition {
    int32_t partition_index = 0;
    ErrorCode error_code{};
    void fields(auto& f) {
      f(partition_index);
      f(error_code);
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    void fields(auto& f) {
      f(name);
      f(partitions);
    }
  };
  int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  void fields(auto& f) {
    f(throttle_time_ms, since(3));
    f(topics);
  }
};

}  // namespace kb::kafka
