#include "kafka/group_coordinators.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

MetadataResponse response(std::vector<std::int32_t> leaders) {
  MetadataResponse::Topic topic{.name = offsets_topic};
  for (const auto leader : leaders)
    topic.partitions.push_back({.partition_index = static_cast<std::int32_t>(topic.partitions.size()),
                                .leader_id = leader,
                                .leader_epoch = 5});
  return {.brokers = {{.node_id = 1}, {.node_id = 2}}, .topics = {{.name = "orders"}, std::move(topic)}};
}

GroupCoordinators led_by(const std::vector<std::int32_t>& leaders) {
  return group_coordinators(response(leaders));
}

GroupCoordinators failed_with(ErrorCode code) {
  return group_coordinators({.topics = {{.error_code = code, .name = offsets_topic}}});
}

TEST_CASE("leaders that stay leave no doubt") {
  CHECK_FALSE(doubt_about_listing(led_by({1, 2}), led_by({1, 2}), true));
  CHECK_FALSE(doubt_about_listing(led_by({1, 2}), led_by({1, 2}), false));
}

TEST_CASE("groups may be passed over when a leader changes, even one that is back") {
  auto after = led_by({1, 1});
  const auto moved = doubt_about_listing(led_by({1, 2}), after, true);
  REQUIRE(moved);
  CHECK(moved->passing);
  CHECK_EQ(moved->reason,
           "leaders of __consumer_offsets changed while brokers listed their groups, so some may be passed "
           "over");
  after = led_by({1, 2});
  after.leaders[1].epoch += 2;
  CHECK(doubt_about_listing(led_by({1, 2}), after, true));
  // The topic is made while groups are listed, and a partition is added to it.
  CHECK(doubt_about_listing(failed_with(ErrorCode::unknown_topic_or_partition), led_by({1, 2}), false));
  CHECK(doubt_about_listing(led_by({1}), led_by({1, 2}), true));
}

TEST_CASE("partitions without a leader are named, before and after, not all of them when they are many") {
  const auto one = doubt_about_listing(led_by({1, -1}), led_by({1, -1}), true);
  REQUIRE(one);
  CHECK(one->passing);
  CHECK_EQ(one->reason,
           "partition 1 of __consumer_offsets has no leader, so no broker tells the groups there");
  CHECK_EQ(doubt_about_listing(led_by({1, 2}), led_by({1, -1}), true)->reason, one->reason);
  CHECK_EQ(doubt_about_listing(led_by({-1, 2, -1}), led_by({1, 2, 1}), true)->reason,
           "partitions 0, 2 of __consumer_offsets have no leader, so no broker tells the groups there");
  const auto many = led_by(std::vector<std::int32_t>(12, -1));
  CHECK_EQ(doubt_about_listing(many, many, false)->reason,
           "partitions 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more of __consumer_offsets have no leader, so no "
           "broker tells the groups there");
}

TEST_CASE("a leader that is not among the brokers is none") {
  CHECK_EQ(led_by({1, 3}).leaders.at(1).node_id, -1);
  CHECK(doubt_about_listing(led_by({1, 3}), led_by({1, 3}), true));
}

TEST_CASE("without an offsets topic there are no groups, or they are kept where nobody can look") {
  for (const auto& absent : {failed_with(ErrorCode::unknown_topic_or_partition), group_coordinators({})}) {
    CHECK_FALSE(doubt_about_listing(absent, absent, false));
    const auto elsewhere = doubt_about_listing(absent, absent, true);
    REQUIRE(elsewhere);
    CHECK_FALSE(elsewhere->passing);
    CHECK_EQ(elsewhere->reason,
             "the cluster has no topic __consumer_offsets, so whether every group's coordinator was asked is "
             "not known");
  }
}

TEST_CASE("a topic that may not be described leaves a doubt that stays, other errors one that may pass") {
  const auto denied = failed_with(ErrorCode::topic_authorization_failed);
  const auto doubt = doubt_about_listing(denied, denied, true);
  REQUIRE(doubt);
  CHECK_FALSE(doubt->passing);
  CHECK_EQ(doubt->reason,
           "the principal may not describe the topic __consumer_offsets, so whether every group's "
           "coordinator was asked is not known");
  const auto away = failed_with(ErrorCode::leader_not_available);
  CHECK(doubt_about_listing(away, away, true)->passing);
  const auto refused = failed_with(ErrorCode::invalid_topic_exception);
  CHECK_FALSE(doubt_about_listing(refused, refused, true)->passing);
}

}  // namespace
}  // namespace kb::kafka
