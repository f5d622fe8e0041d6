#include "engine/plan_history.h"

#include <doctest/doctest.h>

namespace kb::engine {
namespace {

archive::CapturedPartition partition(std::int32_t number, std::int64_t start, std::int64_t end,
                                     const std::string& lineage = "a", const std::string& reason = "") {
  return {.partition = number, .lineage = lineage, .start = start, .end = end, .lineage_reason = reason};
}

archive::Capture capture(std::vector<archive::CapturedTopic> topics) {
  return {.topics = std::move(topics)};
}

std::vector<std::string> told(const archive::Capture& plan, const archive::Capture& base) {
  std::vector<std::string> texts;
  for (const auto& event : planned_history(plan, &base)) texts.push_back(archive::to_string(event));
  return texts;
}

using Texts = std::vector<std::string>;

TEST_CASE("the first backup has no history, and one that only goes on has none either") {
  auto base = capture({{.name = "orders", .partitions = {partition(0, 0, 10)}}});
  CHECK(planned_history(base, nullptr).empty());
  CHECK(told(capture({{.name = "orders", .partitions = {partition(0, 4, 20)}}}), base).empty());
}

TEST_CASE("topics and partitions that come and go are told") {
  auto base =
      capture({{.name = "gone", .partitions = {}}, {.name = "orders", .partitions = {partition(0, 0, 10)}}});
  auto plan = capture(
      {{.name = "new", .partitions = {partition(0, 0, 1)}},
       {.name = "orders", .partitions = {partition(0, 0, 10), partition(1, 0, 5), partition(2, 0, 5)}}});
  CHECK(told(plan, base) == Texts{"gone: not there any more; older backups keep it", "new: new topic",
                                  "orders: partitions 1 to 2 added"});
}

TEST_CASE("what retention deleted between two backups is a gap with its offsets") {
  auto base = capture({{.name = "orders", .partitions = {partition(0, 0, 10)}}});
  auto plan = capture({{.name = "orders", .partitions = {partition(0, 25, 40)}}});
  const auto events = planned_history(plan, &base);
  CHECK(told(plan, base) ==
        Texts{"orders/0: offsets 10 to 24 lost: deleted by retention between two backups"});
  CHECK(archive::lost_offsets(events) == 15);
}

TEST_CASE("a lineage that begins is told with its reason, once for a topic when it is the same for all") {
  auto base = capture(
      {{.name = "orders", .topic_id = "1", .partitions = {partition(0, 0, 10), partition(1, 0, 10)}}});
  auto one = capture({{.name = "orders",
                       .topic_id = "1",
                       .partitions = {partition(0, 0, 10), partition(1, 0, 5, "b", "truncated")}}});
  CHECK(told(one, base) == Texts{"orders/1: read afresh: truncated"});
  auto all =
      capture({{.name = "orders",
                .topic_id = "2",
                .partitions = {partition(0, 0, 3, "b", "recreated"), partition(1, 0, 5, "b", "recreated"),
                               partition(2, 0, 5, "b", "recreated")}}});
  CHECK(told(all, base) == Texts{"orders: read afresh: recreated"});
}

}  // namespace
}  // namespace kb::engine
