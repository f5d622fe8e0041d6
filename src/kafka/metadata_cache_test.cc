#include "kafka/metadata_cache.h"

#include "base/error.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

constexpr Uuid first_id{1}, second_id{2};

MetadataResponse::Topic topic(const std::string& name, Uuid topic_id, int32_t leader, int32_t epoch) {
  MetadataResponse::Topic topic{.name = name, .topic_id = topic_id};
  topic.partitions.push_back({.partition_index = 0, .leader_id = leader, .leader_epoch = epoch});
  return topic;
}

MetadataResponse response(std::vector<MetadataResponse::Topic> topics = {}) {
  return {.brokers = {{.node_id = 2, .host = "b", .port = 9093, .rack = "r"},
                      {.node_id = 1, .host = "a", .port = 9092}},
          .cluster_id = "cluster",
          .controller_id = 2,
          .topics = std::move(topics)};
}

TEST_CASE("nothing is known before the first answer") {
  MetadataCache cache;
  CHECK_EQ(cache.cluster_id(), "");
  CHECK_EQ(cache.controller_id(), -1);
  CHECK(cache.brokers().empty());
  CHECK_FALSE(cache.endpoint(1));
  CHECK_EQ(cache.leader("t", 0).node_id, -1);
}

TEST_CASE("brokers, controller and leaders are remembered") {
  MetadataCache cache;
  cache.update(response({topic("t", first_id, 2, 5)}));
  CHECK_EQ(cache.cluster_id(), "cluster");
  CHECK_EQ(cache.controller_id(), 2);
  REQUIRE_EQ(cache.brokers().size(), 2);
  CHECK_EQ(cache.brokers()[1].rack, "r");
  CHECK_EQ(cache.endpoint(1), Endpoint{"a", 9092});
  CHECK_EQ(cache.leader("t", 0).node_id, 2);
  CHECK_EQ(cache.leader("t", 0).leader_epoch, 5);
  CHECK_EQ(cache.leader("t", 1).node_id, -1);
  CHECK_EQ(cache.leader("u", 0).node_id, -1);
  cache.forget_controller();
  CHECK_EQ(cache.controller_id(), -1);
}

TEST_CASE("an answer replaces the brokers and the topics in it, and leaves other topics") {
  MetadataCache cache;
  cache.update(response({topic("t", first_id, 2, 5), topic("u", second_id, 1, 0)}));
  auto next = response({topic("u", second_id, 2, 1)});
  next.brokers = {{.node_id = 2, .host = "moved", .port = 1}};
  cache.update(next);
  CHECK_FALSE(cache.endpoint(1));
  CHECK_EQ(cache.endpoint(2), Endpoint{"moved", 1});
  CHECK_EQ(cache.leader("t", 0).node_id, 2);
  CHECK_EQ(cache.leader("u", 0).node_id, 2);
}

TEST_CASE("a leader of an older epoch is late news, unless the topic is another one") {
  MetadataCache cache;
  cache.update(response({topic("t", first_id, 2, 5)}));
  cache.update(response({topic("t", first_id, 1, 4)}));
  CHECK_EQ(cache.leader("t", 0).node_id, 2);
  cache.update(response({topic("t", first_id, -1, 5)}));
  CHECK_EQ(cache.leader("t", 0).node_id, -1);
  cache.update(response({topic("t", second_id, 1, 0)}));
  CHECK_EQ(cache.leader("t", 0).node_id, 1);
  SUBCASE("brokers without topic ids are believed") {
    cache.update(response({topic("t", Uuid{}, 2, 3)}));
    cache.update(response({topic("t", Uuid{}, 1, 2)}));
    CHECK_EQ(cache.leader("t", 0).node_id, 1);
  }
}

TEST_CASE("a broker that no longer leads may tell who does, and where that is") {
  MetadataCache cache;
  cache.update(response({topic("t", first_id, 2, 5)}));
  const std::vector<NodeEndpoint> nine{{9, "h9", 9099, {}}};
  CHECK_FALSE(cache.learn_leader("t", 0, {.leader_id = 9, .leader_epoch = 6}, {}));  // where is that?
  CHECK_FALSE(cache.learn_leader("t", 0, {.leader_id = 9, .leader_epoch = 5}, nine));
  CHECK_FALSE(cache.learn_leader("t", 0, {}, nine));
  CHECK_FALSE(cache.learn_leader("u", 0, {.leader_id = 9, .leader_epoch = 6}, nine));
  CHECK_EQ(cache.leader("t", 0).node_id, 2);
  CHECK(cache.learn_leader("t", 0, {.leader_id = 9, .leader_epoch = 6}, nine));
  CHECK_EQ(cache.leader("t", 0).node_id, 9);
  CHECK_EQ(cache.leader("t", 0).leader_epoch, 6);
  CHECK_EQ(cache.endpoint(9)->host, "h9");
}

TEST_CASE("a topic that is gone is forgotten") {
  MetadataCache cache;
  cache.update(response({topic("t", first_id, 2, 5)}));
  auto gone = topic("t", Uuid{}, 0, 0);
  gone.error_code = ErrorCode::unknown_topic_or_partition;
  cache.update(response({gone}));
  CHECK_EQ(cache.leader("t", 0).node_id, -1);
}

TEST_CASE("another cluster is a conflict, and nothing of it is taken over") {
  MetadataCache cache;
  cache.update(response({topic("t", first_id, 2, 5)}));
  auto other = response({topic("t", second_id, 1, 9)});
  other.cluster_id = "other";
  CHECK_THROWS_WITH_AS(cache.update(other),
                       "the bootstrap servers now lead to cluster 'other', before it was 'cluster'", Error);
  CHECK_EQ(cache.leader("t", 0).node_id, 2);
}

}  // namespace
}  // namespace kb::kafka
