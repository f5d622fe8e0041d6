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
