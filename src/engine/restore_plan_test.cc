#include "engine/restore_plan.h"

#include <set>

#include "base/error.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;
using Configs = std::map<std::string, std::string>;

namespace {

constexpr std::int64_t now_ms = 1'700'000'000'000;

// An archive of one set; its blocks have ten offsets, all of them records.
struct Fixture {
  archive::Set set{.capture = {.backup_id = "a-1", .archive_id = "archive"}};
  archive::Index index{.objects = {{.key = "segments/x"}}, .streams = {}};
  api::KafkaRestoreSpec spec;

  archive::CapturedTopic& add_topic(const std::string& name, Configs configs = {}) {
    return set.capture.topics.emplace_back(archive::CapturedTopic{.name = name,
                                                                  .topic_id = std::string(32, '1'),
                                                                  .replication_factor = 3,
                                                                  .configs = std::move(configs)});
  }
  void add_partition(archive::CapturedTopic& topic, std::int32_t partition, std::int64_t start,
                     std::int64_t end, std::int64_t timestamp = now_ms - 1000) {
    topic.partitions.push_back(
        {.partition = partition, .lineage = "l", .start = start, .end = end, .from = start});
    auto& blocks = index.streams[{topic.name, partition, "l"}];
    for (auto at = start; at < end; at += 10)
      blocks.push_back({.first_offset = at,
                        .next_offset = at + 10,
                        .records = 10,
                        .max_timestamp = timestamp,
                        .object = 0,
                        .stored_bytes = 50,
                        .raw_bytes = 100});
  }
  // A topic of one partition with 20 records.
  void add(const std::string& name, Configs configs = {}, std::int64_t timestamp = now_ms - 1000) {
    add_partition(add_topic(name, std::move(configs)), 0, 0, 20, timestamp);
  }
  RestorePlan plan(const std::string& restore_name = "r") const {
    return plan_restore(spec, restore_name, set, index, now_ms);
  }
  std::vector<std::string> planned_names() const {
    std::vector<std::string> names;
    for (const auto& topic : plan().topics) names.push_back(topic.name);
    return names;
  }
  Error failure() const {
    try {
      plan();
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::internal, "nothing was thrown"};
  }
};

using Names = std::vector<std::string>;

// Why the retention of a topic with one partition of 20 records, 200 raw bytes, is held.
std::string held(const Configs& configs, std::int64_t age_ms) {
  Fixture made;
  made.add("orders", configs, now_ms - age_ms);
  return made.plan().topics.at(0).retention_held;
}

}  // namespace

TEST_CASE("without a choice all topics are restored under their names, with what they are") {
  Fixture made;
  made.add("users");
  auto& orders = made.add_topic("orders", {{"segment.bytes", "100000"}});
  made.add_partition(orders, 0, 0, 30);
  made.add_partition(orders, 1, 500, 510);
  auto plan = made.plan();
  CHECK(plan.backup_id == "a-1");
  CHECK(plan.objects == made.index.objects);
  REQUIRE(plan.topics.size() == 2);
  const auto& topic = plan.topics[0];
  CHECK(topic.name == "orders");
  CHECK(topic.source_topics == Names{"orders"});
  CHECK(topic.replication_factor == 3);
  CHECK(topic.final_configs == Configs{{"segment.bytes", "100000"}});
  CHECK(topic.load_configs == load_configs(topic.final_configs));
  REQUIRE(topic.partitions.size() == 2);
  const auto& partition = topic.partitions[1];
  CHECK(partition.partition == 1);
  CHECK(partition.records_max == 10);
  CHECK(partition.raw_bytes == 100);
  REQUIRE(partition.sources.size() == 1);
  CHECK(partition.sources[0].stream == archive::StreamId{"orders", 1, "l"});
  CHECK(partition.sources[0].bounds.start == 500);
  CHECK(partition.sources[0].bounds.end == 510);
  CHECK(partition.sources[0].blocks.size() == 1);
}

TEST_CASE("topics are chosen by name and by pattern") {
  Fixture made;
  for (const auto* name : {"orders", "orders-eu", "users"}) made.add(name);
  made.spec.topics = {"users"};
  CHECK(made.planned_names() == Names{"users"});
  made.spec.topics = {"orders*"};
  CHECK(made.planned_names() == Names{"orders", "orders-eu"});
  made.spec.topics = {"orders", "user?"};
  CHECK(made.planned_names() == Names{"orders", "users"});
}

TEST_CASE("topics and patterns that the set does not hold are named, and what it holds") {
  Fixture made;
  made.add("orders");
  made.add("users");
  made.spec.topics = {"order", "users", "x*"};
  auto error = made.failure();
  CHECK(error.kind() == ErrorKind::not_found);
  CHECK(std::string(error.what()) == "spec.topics: backup a-1 does not hold order, x*");
  CHECK(error.hint() == "it holds 2 topics: orders, users");
  for (int i = 0; i < 100; ++i) made.add("t" + std::to_string(i));
  CHECK(made.failure().hint().starts_with("it holds 102 topics: orders, users, t0"));
  CHECK(made.failure().hint().size() < 200);
}

TEST_CASE("mapped topics get their new names") {
  Fixture made;
  made.add("orders");
  made.add("users");
  made.spec.topic_mapping = {{"orders", "orders-restored"}};
  auto plan = made.plan();
  CHECK(made.planned_names() == Names{"orders-restored", "users"});
  CHECK(plan.topics[0].source_topics == Names{"orders"});
  CHECK(plan.topics[0].partitions[0].sources[0].stream.topic == "orders");
}

TEST_CASE("mappings of topics that are not restored are refused") {
  Fixture made;
  made.add("orders");
  made.add("users");
  made.spec.topics = {"users"};
  made.spec.topic_mapping = {{"orders", "copy"}};
  auto error = made.failure();
  CHECK(error.kind() == ErrorKind::invalid);
  CHECK(std::string(error.what()) == "spec.topicMapping[orders]: the restore has no such source topic");
}

TEST_CASE("topics mapped to one name are merged partition by partition, in the order of the set") {
  Fixture made;
  auto& a = made.add_topic("a", {{"segment.bytes", "1"}});
  made.add_partition(a, 0, 0, 20);
  auto& b = made.add_topic("b", {{"segment.bytes", "2"}});
  made.add_partition(b, 0, 100, 110);
  made.add_partition(b, 1, 0, 10);
  made.spec.topic_mapping = {{"b", "all"}, {"a", "all"}};
  auto plan = made.plan();
  REQUIRE(plan.topics.size() == 1);
  const auto& topic = plan.topics[0];
  CHECK(topic.source_topics == Names{"a", "b"});
  CHECK(topic.final_configs.at("segment.bytes") == "1");
  REQUIRE(topic.partitions.size() == 2);
  REQUIRE(topic.partitions[0].sources.size() == 2);
  CHECK(topic.partitions[0].sources[0].stream.topic == "a");
  CHECK(topic.partitions[0].sources[1].stream.topic == "b");
  CHECK(topic.partitions[0].records_max == 30);
  REQUIRE(topic.partitions[1].sources.size() == 1);
  CHECK(topic.partitions[1].sources[0].stream.topic == "b");
}

TEST_CASE("an empty partition has no records and is there all the same") {
  Fixture made;
  auto& orders = made.add_topic("orders");
  made.add_partition(orders, 0, 70, 70);
  made.add_partition(orders, 1, 0, 10);
  auto plan = made.plan();
  REQUIRE(plan.topics[0].partitions.size() == 2);
  CHECK(plan.topics[0].partitions[0].records_max == 0);
}

TEST_CASE("spec.defaultReplicationFactor wins over that of the source") {
  Fixture made;
  made.add("orders");
  made.spec.default_replication_factor = 1;
  CHECK(made.plan().topics[0].replication_factor == 1);
}

TEST_CASE("offsets that the index does not cover are corrupt, by partition and first offset") {
  Fixture made;
  auto& orders = made.add_topic("orders");
  made.add_partition(orders, 0, 0, 10);
  made.add_partition(orders, 1, 0, 40);
  auto& blocks = made.index.streams[{"orders", 1, "l"}];
  blocks.erase(blocks.begin() + 2);
  auto error = made.failure();
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(std::string(error.what()) == "the index of the backup does not cover orders/1 from offset 20 on");
  blocks.clear();
  CHECK(std::string(made.failure().what()).ends_with("orders/1 from offset 0 on"));
  made.index.streams.erase({"orders", 1, "l"});
  CHECK(made.failure().kind() == ErrorKind::corrupt);
}

TEST_CASE("retention is held only when it would delete restored records at once") {
  struct {
    Configs configs;
    std::int64_t age_ms;
    bool held;
  } const table[] = {
      {{}, 1'000'000, false},
      {{{"retention.ms", "5000"}}, 4000, false},
      {{{"retention.ms", "5000"}}, 6000, true},
      {{{"retention.ms", "-1"}}, 1'000'000, false},
      {{{"retention.ms", "9223372036854775807"}}, 1'000'000, false},
      {{{"retention.ms", "5000"}, {"cleanup.policy", "delete"}}, 6000, true},
      {{{"retention.ms", "5000"}, {"cleanup.policy", "compact,delete"}}, 6000, true},
      {{{"retention.ms", "5000"}, {"cleanup.policy", "compact"}}, 6000, false},
      {{{"retention.bytes", "200"}}, 1000, false},
      {{{"retention.bytes", "199"}}, 1000, true},
      {{{"retention.bytes", "-1"}}, 1000, false},
      {{{"retention.bytes", "1"}, {"cleanup.policy", "compact"}}, 1000, false},
  };
  for (const auto& row : table) {
    CAPTURE(row.age_ms);
    for (const auto& config : row.configs) CAPTURE(config.first + "=" + config.second);
    CHECK(held(row.configs, row.age_ms).empty() != row.held);
  }
}

TEST_CASE("why retention is held says by which setting") {
  CHECK(held({{"retention.ms", "5000"}}, 6000) ==
        "retention.ms=5000 would delete about 20 restored records at once");
  CHECK(held({{"retention.bytes", "10"}}, 0) == "retention.bytes=10 would delete restored records at once");
}

TEST_CASE("while it is written nothing of a topic is deleted, compacted, refused or compressed anew") {
  auto configs = load_configs({{"cleanup.policy", "compact"},
                               {"retention.ms", "5000"},
                               {"retention.bytes", "7"},
                               {"message.timestamp.type", "LogAppendTime"},
                               {"message.timestamp.before.max.ms", "1"},
                               {"message.timestamp.after.max.ms", "1"},
                               {"message.timestamp.difference.max.ms", "1"},
                               {"compression.type", "gzip"},
                               {"remote.storage.enable", "true"},
                               {"local.retention.ms", "1"},
                               {"local.retention.bytes", "1"},
                               {"max.message.bytes", "77"}});
  const Configs expected{{"cleanup.policy", "delete"},
                         {"retention.ms", "-1"},
                         {"retention.bytes", "-1"},
                         {"message.timestamp.type", "CreateTime"},
                         {"message.timestamp.before.max.ms", "9223372036854775807"},
                         {"message.timestamp.after.max.ms", "9223372036854775807"},
                         {"compression.type", "producer"},
                         {"max.message.bytes", "77"}};
  CHECK(configs == expected);
  CHECK(load_configs({}).size() == expected.size() - 1);
}

TEST_CASE("the producer's name is that of the same restore of the same set, and of no other") {
  Fixture made;
  made.add("orders");
  made.add("users");
  auto same = made.plan().transactional_id;
  CHECK(same == made.plan().transactional_id);
  CHECK(same.starts_with("kafka-backup-restore-"));
  auto dry = made;
  dry.spec.dry_run = true;  // decides nothing about what is written
  CHECK(dry.plan().transactional_id == same);
  CHECK(made.plan("other").transactional_id != same);
  auto other_topics = made;
  other_topics.spec.topics = {"orders"};
  CHECK(other_topics.plan().transactional_id != same);
  auto mapped = made;
  mapped.spec.topic_mapping = {{"orders", "copy"}};
  CHECK(mapped.plan().transactional_id != same);
  auto other_set = made;
  other_set.set.capture.backup_id = "a-2";
  CHECK(other_set.plan().transactional_id != same);
}

TEST_CASE("shards of a restore divide the target partitions, the same for whoever looks") {
  Fixture made;
  auto& orders = made.add_topic("orders");
  for (int p = 0; p < 3; ++p) made.add_partition(orders, p, 0, 1000 * (p + 1));
  made.add("users");
  auto plan = made.plan();
  divide_plan(plan, 2);
  CHECK(plan.shards == 2);
  const auto& partitions = plan.topics[0].partitions;
  CHECK(partitions[2].shard == 0);
  CHECK(partitions[1].shard == 1);
  CHECK(partitions[0].shard == 1);
  CHECK(plan.topics[1].partitions[0].shard == 0);
  CHECK(has_share(plan.topics[0], 1));
  CHECK_FALSE(has_share(plan.topics[1], 1));
  auto again = made.plan();
  divide_plan(again, 2);
  for (std::size_t i = 0; i < 3; ++i) CHECK(again.topics[0].partitions[i].shard == partitions[i].shard);
}

TEST_CASE("each shard of a division has a producer of its own; one shard has that of the whole restore") {
  Fixture made;
  made.add("orders");
  auto plan = made.plan();
  std::set<std::string> names;
  for (Shard shard : {Shard{0, 1}, Shard{0, 2}, Shard{1, 2}, Shard{0, 3}, Shard{1, 3}, Shard{2, 3}}) {
    auto name = transactional_id(plan, shard);
    CHECK(name.starts_with(plan.transactional_id));
    names.insert(name);
  }
  CHECK(names.size() == 6);
  CHECK(transactional_id(plan, {}) == plan.transactional_id);
}
