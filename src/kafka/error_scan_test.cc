#include "kafka/error_scan.h"

#include "kafka/messages.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

bool is_not_controller(ErrorCode code) {
  return code == ErrorCode::not_controller;
}
bool is_error(ErrorCode code) {
  return code != ErrorCode::none;
}

TEST_CASE("a code is found at the top, in lists, and in lists in lists") {
  CHECK_EQ(
      find_error_code(FindCoordinatorResponse{.error_code = ErrorCode::not_controller}, is_not_controller),
      ErrorCode::not_controller);
  CreateTopicsResponse created;
  created.topics.resize(3);
  CHECK_EQ(find_error_code(created, is_error), ErrorCode::none);
  created.topics[2].error_code = ErrorCode::not_controller;
  CHECK_EQ(find_error_code(created, is_not_controller), ErrorCode::not_controller);
  OffsetCommitResponse committed;
  committed.topics.resize(2);
  committed.topics[1].partitions.resize(2);
  committed.topics[1].partitions[1].error_code = ErrorCode::not_coordinator;
  CHECK_EQ(find_error_code(committed, is_error), ErrorCode::not_coordinator);
}

TEST_CASE("other codes are passed over, and the first wanted one is told") {
  CreateTopicsResponse created;
  created.topics.resize(3);
  created.topics[0].error_code = ErrorCode::topic_already_exists;
  created.topics[1].error_code = ErrorCode::not_controller;
  created.topics[2].error_code = ErrorCode::invalid_config;
  CHECK_EQ(find_error_code(created, is_not_controller), ErrorCode::not_controller);
  CHECK_EQ(find_error_code(created, is_error), ErrorCode::topic_already_exists);
}

TEST_CASE("every answer can be scanned") {
  AllRequests::for_each([]<class Request>() {
    CHECK_EQ(find_error_code(typename Request::Response{}, is_error), ErrorCode::none);
  });
}

}  // namespace
}  // namespace kb::kafka
