#include "engine/backup_plan.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::engine;

namespace {

using Names = std::vector<std::string>;
const Names existing{"users", "orders", "orders-eu", "orders-us", "audit"};

}  // namespace

TEST_CASE("topics are chosen by name and by pattern, sorted and once each") {
  CHECK(choose_topics(existing, {"users"}, {}).chosen == Names{"users"});
  CHECK(choose_topics(existing, {"*"}, {}).chosen ==
        Names{"audit", "orders", "orders-eu", "orders-us", "users"});
  CHECK(choose_topics(existing, {"orders*", "orders", "*-eu"}, {}).chosen ==
        Names{"orders", "orders-eu", "orders-us"});
  CHECK(choose_topics(existing, {"orders-?s"}, {}).chosen == Names{"orders-us"});
  CHECK(choose_topics(existing, {}, {}).chosen.empty());
}

TEST_CASE("what is excluded is left out, by name and by pattern, even if it is named") {
  CHECK(choose_topics(existing, {"*"}, {"orders-*", "audit"}).chosen == Names{"orders", "users"});
  CHECK(choose_topics(existing, {"users"}, {"user?"}).chosen.empty());
  CHECK(choose_topics(existing, {"users"}, {"user?"}).missing.empty());
}

TEST_CASE("names that do not exist are missing; patterns that match nothing are not") {
  auto choice = choose_topics(existing, {"order", "users", "x*", "none"}, {});
  CHECK(choice.chosen == Names{"users"});
  CHECK(choice.missing == Names{"order", "none"});
}

TEST_CASE("the digest changes with what decides the content, and with nothing else") {
  api::KafkaBackupSpec spec;
  spec.topics = {"orders"};
  auto same = spec;
  same.source_cluster_id = "elsewhere";
  CHECK(spec_digest(spec) == spec_digest(same));
  auto topics = spec;
  topics.topics = {"orders", "users"};
  auto excluded = spec;
  excluded.exclude_topics = {"users"};
  auto missing = spec;
  missing.on_missing_topic = spec.on_missing_topic == api::OnMissingTopic::fail ? api::OnMissingTopic::warn
                                                                                : api::OnMissingTopic::fail;
  for (const auto& other : {topics, excluded, missing}) CHECK(spec_digest(other) != spec_digest(spec));
}

namespace {

archive::Plan plan_of(const std::vector<archive::CapturedPartition>& partitions) {
  archive::Plan plan;
  plan.capture.topics.push_back({.name = "orders", .partitions = partitions});
  return plan;
}

std::vector<int> shards_of(const archive::Plan& plan) {
  std::vector<int> shards;
  for (const auto& p : plan.capture.topics[0].partitions) shards.push_back(p.shard);
  return shards;
}

constexpr std::uint64_t mebibyte = 1 << 20;

}  // namespace

TEST_CASE("shards get equal bytes to read: of a log only the share that is new counts") {
  auto plan = plan_of({{.partition = 0, .start = 0, .end = 100, .from = 90},  // 10 MiB of 100
                       {.partition = 1, .start = 0, .end = 100, .from = 0},   // 20 MiB
                       {.partition = 2, .start = 50, .end = 60, .from = 55},  // 15 MiB of 30
                       {.partition = 3, .start = 7, .end = 7, .from = 7}});   // nothing, and no size
  assign_shards(
      plan, 2,
      {{{"orders", 0}, 100 * mebibyte}, {{"orders", 1}, 20 * mebibyte}, {{"orders", 2}, 30 * mebibyte}});
  CHECK(plan.shards == 2);
  CHECK(shards_of(plan) == std::vector<int>{1, 0, 1, 0});
}

TEST_CASE("when a size is not known, offsets count instead") {
  auto plan = plan_of({{.partition = 0, .start = 0, .end = 100'000, .from = 0},
                       {.partition = 1, .start = 0, .end = 300'000, .from = 0},
                       {.partition = 2, .start = 0, .end = 150'000, .from = 0}});
  assign_shards(plan, 2, {{{"orders", 0}, 500 * mebibyte}, {{"orders", 1}, mebibyte}});
  CHECK(shards_of(plan) == std::vector<int>{1, 0, 1});
}

TEST_CASE("one shard has everything") {
  auto plan = plan_of({{.partition = 0, .end = 5}, {.partition = 1, .end = 9}});
  assign_shards(plan, 1, {});
  CHECK(plan.shards == 1);
  CHECK(shards_of(plan) == std::vector<int>{0, 0});
}
