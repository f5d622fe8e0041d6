// kafka/admin.h against a real broker, at KAFKA_BOOTSTRAP. Makes topics and groups of its own.
#include <algorithm>

#include "kafka/admin.h"
#include "kafka_test_cluster.h"

#include <doctest/doctest.h>

namespace kb::kafka {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
// The topic's own settings; the broker's are others.
const std::map<std::string, std::string> configs{{"retention.ms", "-1"},
                                                 {"cleanup.policy", "compact,delete"}};

class TestCluster {
 public:
  TestCluster() : cluster_(settings()) { cluster_.connect(ctx_); }
  ~TestCluster() {
    try {
      delete_topics(ctx_, cluster_, topics_);
    } catch (const Error& error) {
      MESSAGE(error.what());
    }
  }
  Cluster& operator*() { return cluster_; }
  const Context& ctx() const { return ctx_; }
  std::string topic(const std::string& suffix, std::int32_t partitions) {
    const auto name =
        fmt::format("admin-test-{}-{}", std::chrono::system_clock::now().time_since_epoch().count(), suffix);
    create_topics(ctx_, cluster_, {{.name = name, .partitions = partitions, .configs = configs}});
    topics_.push_back(name);
    return name;
  }

 private:
  static ClusterSettings settings() {
    return {.bootstrap_servers = parse_endpoints(environment("KAFKA_BOOTSTRAP"))};
  }

  const Context ctx_ = soon();
  Cluster cluster_;
  std::vector<std::string> topics_;
};

TEST_CASE("a topic is created with its settings, is there when that returns, and cannot be created twice") {
  TestCluster cluster;
  const auto topic = cluster.topic("create", 3);
  for (std::int32_t partition = 0; partition < 3; ++partition)
    CHECK_GE((*cluster).leader(topic, partition), 0);
  const auto found = topic_configs(cluster.ctx(), *cluster, {topic}).at(topic);
  CHECK(found.overrides == configs);
  CHECK_EQ(found.effective.at("retention.ms"), "-1");
  CHECK(found.effective.contains("segment.bytes"));

  const auto twice =
      failure_of([&] { create_topics(cluster.ctx(), *cluster, {{.name = topic, .partitions = 3}}); });
  CHECK_EQ(twice.kind(), ErrorKind::conflict);
  CHECK(says(twice, topic));
  const auto bad =
      failure_of([&] { create_topics(cluster.ctx(), *cluster, {{.name = "a b", .partitions = 1}}); });
  CHECK_EQ(bad.kind(), ErrorKind::invalid);
  const auto factor = failure_of([&] {
    create_topics(cluster.ctx(), *cluster,
                  {{.name = topic + "2", .partitions = 1, .replication_factor = 100}});
  });
  CHECK_EQ(factor.kind(), ErrorKind::invalid);
}

TEST_CASE("overrides are set and removed") {
  TestCluster cluster;
  const auto topic = cluster.topic("alter", 1);
  alter_topic_config(cluster.ctx(), *cluster, topic,
                     {{"retention.ms", {}}, {"max.message.bytes", "5000000"}});
  const auto changed = [&] { return topic_configs(cluster.ctx(), *cluster, {topic}).at(topic).overrides; };
  const std::map<std::string, std::string> wanted{{"cleanup.policy", "compact,delete"},
                                                  {"max.message.bytes", "5000000"}};
  // Brokers learn of it a moment later.
  while (changed() != wanted) cluster.ctx().sleep_for(std::chrono::milliseconds(10));
  const auto bad = failure_of([&] {
    alter_topic_config(cluster.ctx(), *cluster, topic, {{"retention.ms", "x"}});
  });
  CHECK_EQ(bad.kind(), ErrorKind::invalid);
  CHECK(says(bad, topic));
}

TEST_CASE("a deleted topic is gone, and one that is not there is no error") {
  TestCluster cluster;
  const auto topic = cluster.topic("delete", 1);
  delete_topics(cluster.ctx(), *cluster, {topic, topic + "-never"});
  const auto found = (*cluster).metadata(cluster.ctx(), {&topic, 1}).topics.at(0);
  CHECK_EQ(found.error_code, ErrorCode::unknown_topic_or_partition);
  const auto gone = failure_of([&] { topic_configs(cluster.ctx(), *cluster, {topic}); });
  CHECK_EQ(gone.kind(), ErrorKind::not_found);
  CHECK(says(gone, topic));
  const auto offsets = failure_of([&] { list_offset(cluster.ctx(), *cluster, topic, 0, OffsetAt::latest); });
  CHECK_EQ(offsets.kind(), ErrorKind::not_found);
}

TEST_CASE("a fence leaves one marker in each partition before it returns, and shuts the older session out") {
  TestCluster cluster;
  const auto topic = cluster.topic("fence", 40);
  std::vector<TopicPartition> partitions;
  for (std::int32_t partition = 0; partition < 40; ++partition) partitions.push_back({topic, partition});
  const auto older = init_producer(cluster.ctx(), *cluster, topic, 60'000);
  const auto session = init_producer(cluster.ctx(), *cluster, topic, 60'000);
  CHECK_EQ(session.producer_id, older.producer_id);
  CHECK_GT(session.producer_epoch, older.producer_epoch);
  for (std::int64_t round = 1; round <= 5; ++round) {
    fence(cluster.ctx(), *cluster, session, partitions);
    for (const auto isolation : {IsolationLevel::read_uncommitted, IsolationLevel::read_committed}) {
      const auto ends = list_offsets(cluster.ctx(), *cluster, partitions, OffsetAt::latest, isolation);
      REQUIRE_EQ(ends.size(), 40);
      for (const auto& [partition, end] : ends) CHECK_EQ(end, round);
    }
  }
  const auto shut_out = failure_of([&] { fence(cluster.ctx(), *cluster, older, partitions); });
  CHECK_EQ(shut_out.kind(), ErrorKind::conflict);
  CHECK(says(shut_out, topic));
}

TEST_CASE("offsets, epochs, sizes and deleted records of partitions with something in them") {
  TestCluster cluster;
  const auto topic = cluster.topic("offsets", 2);
  const TopicPartition first{topic, 0}, second{topic, 1};
  const auto session = init_producer(cluster.ctx(), *cluster, topic, 60'000);
  for (int marker = 0; marker < 3; ++marker) fence(cluster.ctx(), *cluster, session, {first});

  using Offsets = std::map<TopicPartition, std::int64_t>;
  const auto earliest = [&] {
    return list_offsets(cluster.ctx(), *cluster, {first, second}, OffsetAt::earliest,
                        IsolationLevel::read_uncommitted);
  };
  CHECK(earliest() == Offsets{{first, 0}, {second, 0}});
  CHECK_EQ(list_offset(cluster.ctx(), *cluster, topic, 0, OffsetAt::latest), 3);
  // A marker has a timestamp like any record; where there is nothing as late, the end is told.
  const auto at_time = [&](std::int64_t timestamp_ms) {
    return list_offsets_at_time(cluster.ctx(), *cluster, {first, second}, timestamp_ms);
  };
  CHECK(at_time(0) == Offsets{{first, 0}, {second, 0}});
  CHECK(at_time(100'000 * day_ms) == Offsets{{first, 3}, {second, 0}});

  const auto epoch = (*cluster).leader_epoch(topic, 0);
  CHECK(end_offsets_of_epochs(cluster.ctx(), *cluster, {{first, epoch}}) == Offsets{{first, 3}});
  CHECK(end_offsets_of_epochs(cluster.ctx(), *cluster, {{first, epoch + 1000}}).empty());

  const auto bytes = log_bytes(cluster.ctx(), *cluster, {first, second});
  CHECK_GE(bytes.at(first), 3 * 78);  // a marker is a batch of one small record
  CHECK_EQ(bytes.at(second), 0);

  CHECK(delete_records(cluster.ctx(), *cluster, {{first, 2}}) == Offsets{{first, 2}});
  CHECK(earliest() == Offsets{{first, 2}, {second, 0}});
  const auto beyond = failure_of([&] { delete_records(cluster.ctx(), *cluster, {{first, 99}}); });
  CHECK_EQ(beyond.kind(), ErrorKind::conflict);
  CHECK(says(beyond, topic + "/0"));
}

TEST_CASE("committed offsets are listed and read as they were committed") {
  TestCluster cluster;
  const auto topic = cluster.topic("groups", 3);
  const std::string group = topic + "-group";
  const std::map<TopicPartition, GroupOffset> offsets{{{topic, 0}, {day_ms, -1, ""}},
                                                      {{topic, 2}, {7, 3, "note"}}};
  commit_offsets(cluster.ctx(), *cluster, group, offsets);
  const auto found = committed_offsets(cluster.ctx(), *cluster, group);
  REQUIRE_EQ(found.size(), 2);
  CHECK_EQ(found.at({topic, 0}).offset, day_ms);
  CHECK_EQ(found.at({topic, 0}).leader_epoch, -1);
  CHECK_EQ(found.at({topic, 2}).leader_epoch, 3);
  CHECK_EQ(found.at({topic, 2}).metadata, "note");

  const auto [groups, doubt] = list_groups(cluster.ctx(), *cluster);
  CHECK_FALSE(doubt);
  const auto listed = std::ranges::find(groups, group, &GroupListing::group_id);
  REQUIRE(listed != groups.end());
  CHECK_EQ(listed->state, "Empty");
  CHECK(committed_offsets(cluster.ctx(), *cluster, group + "-never").empty());

  const auto nowhere = failure_of([&] {
    commit_offsets(cluster.ctx(), *cluster, group, {{{topic, 99}, {1, -1, ""}}});
  });
  CHECK_EQ(nowhere.kind(), ErrorKind::not_found);
  CHECK(says(nowhere, topic + "/99"));
}

}  // namespace
}  // namespace kb::kafka
