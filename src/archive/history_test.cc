#include "archive/history.h"

#include <doctest/doctest.h>

namespace kb::archive {
namespace {

Block lost(std::int64_t first, std::int64_t next) {
  Block block{.first_offset = first, .next_offset = next};
  block.holes.lost = static_cast<std::uint64_t>(next - first);
  return block;
}

TEST_CASE("lost ranges are those of the blocks, and those that meet are one") {
  Index stored;
  stored.streams[{"orders", 0, "l"}] = {
      lost(0, 10), lost(10, 15), {.first_offset = 15, .next_offset = 20}, lost(20, 21)};
  stored.streams[{"orders", 1, "l"}] = {lost(21, 22)};
  const auto events = lost_ranges(stored);
  REQUIRE(events.size() == 3);
  CHECK(events[0].from == 0);
  CHECK(events[0].to == 15);
  CHECK(events[1].from == 20);
  CHECK(events[2].partition == 1);
  CHECK(lost_offsets(events) == 17);
  CHECK(to_string(events[0]) == "orders/0: offsets 0 to 14 lost: gone before they were read");
}

TEST_CASE("what happened is told once") {
  History events{{.kind = std::string(history::topic_deleted), .topic = "orders"}};
  add_history(events, events);
  CHECK(events.size() == 1);
  add_history(events, {{.kind = std::string(history::topic_deleted), .topic = "users"}});
  CHECK(events.size() == 2);
  CHECK(to_string(events[1]) == "users: the topic was deleted during the backup");
}

TEST_CASE("a kind that came later is shown by its name") {
  CHECK(to_string({.kind = "topicPaused", .topic = "orders", .detail = "for a week"}) ==
        "orders: topicPaused: for a week");
}

}  // namespace
}  // namespace kb::archive
